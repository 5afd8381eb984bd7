"""rules: each one is followed, broken, and says what to do; docs/rules.md is the same list."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

import example_records
from example_records import AD01, DIGITS, EMULATED, SWW01, accuracy, detections, record
from tinympy import records, rules, statistics, tasks
from tinympy.records import Options, Quantisation, Record, Task
from tinympy.rules import LATEST, RULES, VERSIONS, division, performance

STEADY = [2311.0, 2312.0, 2310.0, 2313.0, 2311.0]
IC02 = Task("ic02", "image classification, large", True, 0.91)
ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "rules.md").read_text()


def good() -> Record:
    made = record(latencies_us=STEADY, accuracy=accuracy())
    made.options = Options(12.0)
    return made


def broken(made: Record, version: str = "v1.4") -> dict[str, str]:
    return {found.rule: found.hint for found in rules.findings(made, VERSIONS[version])}


def with_windows(change: Callable[[int, records.Window], None], made: Record | None = None) -> Record:
    made = made or good()
    for index, window in enumerate(made.windows):
        change(index, window)
    return made


def test_run_to_the_letter_breaks_no_rule() -> None:
    assert rules.findings(good()) == []


def test_names_are_unique_and_every_rule_has_a_source() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.source and rule.text.endswith(".") for rule in RULES)


def set_warmup(made: Record, warmup: int) -> Record:
    return with_windows(lambda _, window: setattr(window, "warmup", warmup), made)


def few_samples(samples: int | None) -> Record:
    made = with_windows(lambda index, window: setattr(window, "input_index", index % 2))
    made.options = Options(12.0, samples)
    return made


def other_model(quantisation: Quantisation | None = None) -> Record:
    made = good()
    made.model.sha256, made.model.quantisation = "ae" * 32, quantisation
    return made


def metered(
    made: Record | None = None,
    name: str = "lpm01a",
    only_supply: bool = True,
    marks: Literal["pin", "preamble"] = "pin",
    coverage: float = 1.0,
    emulated: bool = False,
) -> Record:
    made = made or good()
    meter = records.Meter(name, name, emulated, only_supply=only_supply)
    windows = [records.WindowEnergy(1.0, None, 0.1, coverage) for _ in made.windows]
    made.energy = records.Energy(meter, windows, marks)
    return made


def coarse_clock(step_us: int) -> Record:
    made = good()
    made.board = example_records.UNIX.__class__(**{**vars(example_records.UNIX), "ticks_step_us": step_us})
    return made


@pytest.mark.parametrize(
    ("made", "rule", "hint"),
    [
        (lambda: record(status="running"), "run-ended", ""),
        (lambda: with_windows(lambda index, window: setattr(window, "elapsed_us", 0)), "time-passed", ""),
        (lambda: record(latencies_us=STEADY[:4]), "five-windows", "over 5"),
        (lambda: record(latencies_us=[*STEADY, 2311.0]), "five-windows", "over 5"),
        (lambda: with_windows(lambda index, window: setattr(window, "n", window.n + index)), "one-setting", "again"),
        (lambda: few_samples(2), "five-inputs", "--samples 5"),
        (lambda: few_samples(None), "five-inputs", "no more"),
        (lambda: set_warmup(good(), 9), "warm-up", "--warmup 10"),
        (
            lambda: set_warmup(record(board=EMULATED, latencies_us=[12e6] * 5), 0),
            "warm-up",
            "--window gives an emulated board",
        ),
        (lambda: record(latencies_us=STEADY, window_s=9.9), "window-length", "--window 10"),
        (lambda: record(latencies_us=STEADY, window_s=1.9), "total-length", "--window 10"),
        (lambda: record(latencies_us=STEADY, window_s=31), "runner-waits", "--window 10"),
        (lambda: record(latencies_us=[31e6] * 5, window_s=31), "runner-waits", "one inference"),
        (lambda: coarse_clock(1001), "clock", "1 kHz"),
        (lambda: record(accuracy=accuracy(n=999)), "whole-set", "whole data set"),
        (lambda: record(accuracy=accuracy(value=0.8994)), "quality-target", ""),
        (lambda: record(SWW01, accuracy=detections(41, 9, 0), full_n=50), "quality-target", ""),
        (lambda: record(SWW01, accuracy=detections(50, 0, 9), full_n=50), "quality-target", ""),
        (other_model, "closed-division", ""),
        (lambda: metered(only_supply=False), "energy-supply", "--only-supply"),
        (lambda: metered(marks="preamble"), "energy-trigger", "--trigger"),
        (lambda: metered(coverage=0.9989), "energy-samples", "again"),
        (lambda: metered(name="ppk2"), "energy-meter", "LPM01A"),
    ],
)
def test_broken_rule_is_the_only_one_named(made: Callable[[], Record], rule: str, hint: str) -> None:
    found = broken(made())
    assert list(found) == [rule]
    assert hint in found[rule]


def test_window_that_fell_short_of_what_was_asked_is_to_be_repeated() -> None:
    made = record(latencies_us=STEADY, window_s=9.9)
    made.options = Options(10.0)
    assert "run again" in broken(made)["window-length"]


def test_other_data_than_the_official_one_is_invalid() -> None:
    made = good()
    assert made.data_set is not None
    made.data_set.sha256 = "c2" * 32
    assert broken(made).keys() == {"official-data"}
    made.data_set.sha256, made.task = "c2" * 32, AD01
    assert "official-data" not in broken(made), "nobody has published the hash of these"


def test_limits_themselves_are_kept() -> None:
    def lasting(seconds: float) -> Record:
        return with_windows(lambda _, window: setattr(window, "elapsed_us", int(1e6 * seconds)))

    assert broken(lasting(10)) == {}
    assert broken(lasting(2)).keys() == {"window-length"}
    assert broken(lasting(29.9)) == {}
    assert broken(lasting(30)).keys() == {"runner-waits"}
    # The public runner prints 90.0 of it.
    assert broken(record(accuracy=accuracy(value=0.89951))) == {}
    assert broken(record(SWW01, accuracy=detections(42, 8, 8), full_n=50)) == {}
    assert broken(coarse_clock(1000)) == {}


def test_ten_inferences_are_enough_as_long_as_the_eembc_runner_was_in_use() -> None:
    made = record(latencies_us=[250_000.0] * 5, window_s=2.5)
    assert "window-length" in broken(made, "v1.4")
    assert broken(made, "v1.3") == {}
    nine = record(latencies_us=[280_000.0] * 5, window_s=2.5)
    assert [window.n for window in nine.windows] == [9] * 5
    assert "window-length" in broken(nine, "v1.3")


def test_tasks_besides_mlperf_tiny_keep_to_few_rules() -> None:
    made = set_warmup(record(DIGITS, latencies_us=STEADY[:2], window_s=0.5), 0)
    assert broken(made) == {}
    assert broken(record(DIGITS, accuracy=accuracy(n=3), status="failed")).keys() == {"run-ended", "whole-set"}


def test_every_task_of_mlperf_tiny_has_a_target_in_the_latest_version() -> None:
    assert set(LATEST.targets) | {"sww01", "digits"} == set(tasks.TASKS)


def test_targets_differ_by_version() -> None:
    made = record(IC02, accuracy=accuracy(value=0.90, n=200), full_n=200)
    assert made.data_set is not None
    made.data_set.sha256 = example_records.official_sha256("ic01", "datasets/ic01/*.bin") or ""
    assert [version for version in VERSIONS if broken(made, version)] == ["v1.4"]
    words = record(SWW01, accuracy=detections(50, 0, 9), full_n=50)
    assert [version for version in VERSIONS if broken(words, version)] == ["v1.3", "v1.4"]


def stated(**changes: object) -> Quantisation:
    return Quantisation(**{"source_sha256": "ab" * 32, "method": "x", "calibration": CALIBRATION, **changes})  # type: ignore[arg-type]


CALIBRATION = "keyword_spotting/quant_cal_idxs.txt"


def test_division_is_told_by_the_model() -> None:
    assert division.of(good()).division == "closed"
    assert division.of(record(DIGITS)).division is None
    assert division.of(other_model(stated())).division == "closed"
    for made, reason in (
        (other_model(), "no quantisation is stated"),
        (other_model(stated(retrained=True)), "trained further"),
        (other_model(stated(calibration="my.txt")), "not calibrated with keyword_spotting"),
    ):
        assert division.of(made).division == "open" and reason in division.of(made).reason


def test_every_task_of_mlperf_tiny_has_a_reference_model_and_a_calibration_set() -> None:
    official = {name for name, task in tasks.TASKS.items() if task.official}
    assert official == set(division.CALIBRATION)
    for name in official:
        assert division.reference_sha256(name) == tasks.get(name).model_sha256 is not None


def test_open_division_has_no_target_but_an_accuracy() -> None:
    made = other_model()
    made.accuracy = accuracy(value=0.5)
    assert broken(made).keys() == {"closed-division"}
    made.accuracy = None
    assert broken(made).keys() == {"closed-division", "open-accuracy"}


def test_judged_record_is_marked() -> None:
    made = record(latencies_us=STEADY, window_s=2.5, accuracy=accuracy(value=0.8))
    rules.judge(made)
    assert made.rules is not None and made.rules.version == "v1.4" and made.rules.division == "closed"
    assert [(found.rule, found.level) for found in made.rules.findings] == [
        ("quality-target", "invalid"),
        ("window-length", "warning"),
    ]
    assert (made.valid, made.invalid_reason) == (False, "80.0 % is below the target of 90.0 %")


def test_every_broken_rule_is_a_reason_and_said_once() -> None:
    made = record(latencies_us=STEADY[:3], accuracy=accuracy(value=0.8))
    said = "80.0 % is below the target of 90.0 %; 3 windows (the median is over 5)"
    assert statistics.invalid_reason(made) == said
    rules.judge(made)
    assert made.invalid_reason == "80.0 % is below the target of 90.0 %; 3 windows"
    assert statistics.invalid_reason(made) == said
    made.invalid_reason = "80.0 % is below the target of 90.0 %"
    assert statistics.invalid_reason(made) == said, "earlier versions kept the first reason only"


def test_windows_of_a_run_that_was_cut_off_are_no_reason_of_their_own() -> None:
    assert broken(record(latencies_us=STEADY[:3], status="interrupted")).keys() == {"run-ended"}


def test_record_is_judged_again_by_the_version_it_was_made_under() -> None:
    made = record(latencies_us=[250_000.0] * 5, window_s=2.5)
    rules.judge(made, VERSIONS["v1.2"])
    assert rules.findings(made) == []
    made.rules = records.Rules("v9.9")
    assert [found.rule for found in rules.findings(made)] == ["window-length"]


def test_energy_that_keeps_to_the_rules_breaks_none() -> None:
    assert rules.findings(metered(coverage=0.999)) == []


def test_a_second_supply_counts_for_any_task_and_an_emulated_meter_has_none() -> None:
    digits = record(example_records.DIGITS, latencies_us=STEADY)
    assert [found.rule for found in rules.findings(metered(digits, "ppk2", False, "preamble"))] == ["energy-supply"]
    assert rules.findings(metered(digits, "ppk2", False, "preamble", emulated=True)) == []


def test_warm_ups_are_those_of_the_public_runner() -> None:
    assert performance.WARMUP == {"ad01": 10, "ic01": 5, "ic02": 5, "kws01": 10, "vww01": 5}


def test_document_has_every_rule_as_it_is() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (invalid|warning) \| (.+?) \|$", DOCUMENT, re.MULTILINE)
    assert rows == [(rule.name, rule.text, rule.level, rule.source) for rule in RULES]


def test_document_says_which_rules_hold_everywhere() -> None:
    (sentence,) = re.findall(r"([^.]*) hold for all tasks", DOCUMENT)
    assert re.findall(r"`([\w-]+)`", sentence) == [rule.name for rule in RULES if rule.everywhere]


def test_nothing_is_called_an_mlperf_result() -> None:
    assert rules.LABEL in re.sub(r"\s+", " ", DOCUMENT)
    assert rules.LABEL.startswith("MLPerf Tiny rules, unverified. Result not verified by MLCommons Association.")
    for path in (ROOT / "host" / "tinympy").rglob("*.py"):
        for text in re.findall(r"MLPerf.{12}", path.read_text(encoding="utf-8")):
            assert re.match(r"MLPerf( |-|-\n)?Tiny", text), f"{path.name}: {text}"


def test_document_has_every_target_as_it_is() -> None:
    rows = dict(re.findall(r"^\| (v1\.\d) \| (.+) \|$", DOCUMENT, re.MULTILINE))
    assert list(rows) == list(VERSIONS)
    for version in VERSIONS.values():
        cells = [cell.strip() for cell in rows[version.name].split("|")]
        targets = [version.targets.get(task) for task in ("ad01", "ic01", "ic02", "kws01", "vww01")]
        words = "–" if version.word_errors is None else str(version.word_errors)
        window = "10 s" if version.inferences is None else f"10 s or {version.inferences} inferences"
        assert cells == [*("–" if target is None else f"{target:.2f}" for target in targets), words, window]
