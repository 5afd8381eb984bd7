"""statistics: figures, warnings and verdicts, all from a record alone."""

import json

import pytest

import example_records
from example_records import AD01, DIGITS, KWS01, SWW01, accuracy, detections, record
from tinympy import statistics
from tinympy.records import Record, Status, Window

STEADY = [2311.0, 2312.0, 2310.0, 2313.0, 2311.0]


def messages(made: Record) -> list[str]:
    return [notice.message for notice in statistics.warnings(made)]


def test_headline_is_the_median_of_the_windows() -> None:
    made = record()
    made.windows = [Window(n, 0, us, 0, "") for n, us in ((1000, 2_000_000), (500, 1_500_000), (10, 10_000))]
    latency = statistics.latency_ms(made)
    assert latency is not None
    assert latency.windows == (2.0, 3.0, 1.0)
    assert (latency.median, latency.min, latency.max) == (2.0, 1.0, 3.0)
    assert statistics.throughput_ips(made) == 500.0


def test_throughput_is_the_median_of_rates_also_for_an_even_number_of_windows() -> None:
    made = record()
    made.windows = [Window(1, 0, us, 0, "") for us in (100_000, 400_000)]
    assert statistics.throughput_ips(made) == (10 + 2.5) / 2


def test_modes_that_were_not_run_are_null() -> None:
    nothing = statistics.summary(record())
    assert nothing["accuracy"] is None and nothing["latency_ms"] is None and nothing["throughput_ips"] is None


def test_summary_has_the_fields_of_the_json_document() -> None:
    made = record(latencies_us=STEADY, accuracy=accuracy())
    summary = json.loads(json.dumps(statistics.summary(made), allow_nan=False))
    assert summary == {
        "task": "kws01",
        "board": "unix",
        "emulated": False,
        "engine": "native",
        "model_sha256": made.model.sha256,
        "weights": None,
        "parallel": 1,
        "input_reused": False,
        "accuracy": {"metric": "top1", "value": 0.901, "n": 1000, "outputs_sha256": "a6" * 32},
        "latency_ms": {"median": 2.311, "min": 2.31, "max": 2.313, "windows": [2.311, 2.312, 2.31, 2.313, 2.311]},
        "throughput_ips": pytest.approx(432.713, abs=0.001),
        "energy": None,
        "memory": {
            "arena_bytes": 16_600,
            "program_bytes": 30_208,
            "module_bytes": 7_912,
            "heap_free_bytes": 1_998_000,
            "flash_bytes": None,
        },
        "status": "complete",
        "valid": True,
        "invalid_reason": None,
        "warnings": [],
        "record": "results/20261122T141136Z-unix-kws01-native.json",
    }


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("interrupted", "the run was interrupted"),
        ("running", "the run has not come to its end"),
        ("failed", "the run failed: the board fell silent"),
    ],
)
def test_run_that_did_not_end_well_is_invalid(status: Status, reason: str) -> None:
    made = record(latencies_us=STEADY, status=status)
    made.error = "the board fell silent"
    assert statistics.invalid_reason(made) == reason


def test_reason_found_while_measuring_comes_first() -> None:
    made = record(status="failed")
    made.invalidate("outputs changed between windows")
    assert statistics.invalid_reason(made) == "outputs changed between windows; the run failed: no reason given"


def test_window_that_took_no_time_is_invalid_and_divides_nothing() -> None:
    made = record(latencies_us=STEADY)
    made.windows[4] = Window(10, 0, 0, 4, "")
    assert statistics.invalid_reason(made) == "a window took no time"
    assert len(statistics.summary(made)["latency_ms"]["windows"]) == 4


def test_top1_below_the_target_over_the_whole_set_is_invalid() -> None:
    assert statistics.invalid_reason(record(accuracy=accuracy(value=0.900))) is None
    assert statistics.invalid_reason(record(accuracy=accuracy(value=0.899))) == ("89.9 % is below the target of 90.0 %")


def test_auc_below_the_target_is_invalid_and_a_mean_score_is_not() -> None:
    auc = record(AD01, accuracy=accuracy("auc", 0.8494, 248), full_n=248)
    assert statistics.invalid_reason(auc) == "0.849 is below the target of 0.850"
    assert statistics.invalid_reason(record(AD01, accuracy=accuracy("auc", 0.8496, 248), full_n=248)) is None
    assert statistics.invalid_reason(record(AD01, accuracy=accuracy("mean_score", 0.1, 1), full_n=248)) is None


def test_accuracy_over_a_part_of_the_set_is_a_warning_and_never_invalid() -> None:
    made = record(accuracy=accuracy(value=0.89, n=100))
    assert statistics.invalid_reason(made) is None
    assert messages(made) == ["89.0 % over 100 samples where the data set has 1000, below the target of 90.0 %"]


def test_wake_words_are_scored_by_words_found_and_false_positives() -> None:
    assert statistics.invalid_reason(record(SWW01, accuracy=detections(42, 8, 8), full_n=50)) is None
    missed = record(SWW01, accuracy=detections(41, 9, 0), full_n=50)
    assert statistics.invalid_reason(missed) == "9 wake words missed where 8 are allowed"
    false = record(SWW01, accuracy=detections(50, 0, 9), full_n=50)
    assert statistics.invalid_reason(false) == "9 false positives where 8 are allowed"


def test_target_for_wake_words_is_for_the_official_recording_alone() -> None:
    made = record(SWW01, accuracy=detections(2, 1, 9), full_n=50)
    assert statistics.invalid_reason(made) is None
    assert messages(made) == ["66.7 % over 3 wake words where the data set has 50"]


def test_counts_behind_the_accuracy_are_in_the_summary() -> None:
    summary = statistics.summary(record(SWW01, accuracy=detections(2, 1, 0), full_n=50))
    assert summary["accuracy"] == {
        "metric": "detections",
        "value": 2 / 3,
        "n": 3,
        "outputs_sha256": "a6" * 32,
        "detail": {"true_positives": 2, "false_negatives": 1, "false_positives": 0},
    }


def test_steady_long_windows_give_no_warning() -> None:
    assert messages(record(latencies_us=STEADY)) == []


def test_wide_spread_is_told() -> None:
    made = record(latencies_us=[2311, 2360, 2320, 2400, 2350])
    assert messages(made) == ["the windows differ by 3.8 %"]


def test_slow_first_window_asks_for_more_warm_up() -> None:
    (notice,) = statistics.warnings(record(latencies_us=[2400, *STEADY[1:]]))
    assert notice.message == "window 1 is 3.8 % slower than the others"
    assert "warm-up" in notice.hint


def test_one_odd_window_is_named() -> None:
    (notice,) = statistics.warnings(record(latencies_us=[*STEADY[:3], 2500, STEADY[4]]))
    assert notice.message == "window 4 is 8.2 % slower than the others"
    assert "warm-up" not in notice.hint


def test_equal_windows_but_one_have_one_outlier() -> None:
    assert messages(record(latencies_us=[100.0, 100.0, 90.0, 100.0, 100.0])) == [
        "window 3 is 10.0 % faster than the others"
    ]


def test_too_few_windows_are_told() -> None:
    assert messages(record(DIGITS, latencies_us=STEADY[:3])) == ["only 3 windows"]
    assert messages(record(DIGITS, latencies_us=STEADY[:1])) == ["only one window"]


@pytest.mark.parametrize(
    ("window_s", "message"), [(2.5, "windows of 2.5 s"), (9.996, "windows of 9.9 s"), (0.8, "windows of 800 ms")]
)
def test_short_windows_are_told_for_official_tasks(window_s: float, message: str) -> None:
    latencies_us = [1000.0] * 5
    (notice,) = statistics.warnings(record(KWS01, latencies_us=latencies_us, window_s=window_s))
    assert str(notice) == f"{message} (the MLPerf Tiny rules ask for 10 s: --window 10)"
    assert messages(record(DIGITS, latencies_us=latencies_us, window_s=window_s)) == []


def test_warnings_of_the_run_come_first() -> None:
    made = record(DIGITS, latencies_us=STEADY[:3])
    made.warnings.append("the board was reset once")
    assert messages(made) == ["the board was reset once", "only 3 windows"]


def test_emulation_is_in_the_summary() -> None:
    assert statistics.summary(record(board=example_records.EMULATED))["emulated"] is True
