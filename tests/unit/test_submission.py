"""Submission trees: made of records and sessions, and what the check says of each way in which one can be wrong."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import example_records
from tinympy import records, submission
from tinympy.cli import app
from tinympy.errors import UsageError
from tinympy.records import Record
from tinympy.submission import Finding, Submitter, sessions

IC01 = records.Task("ic01", "image classification", True, 0.85)
AD01 = records.Task("ad01", "anomaly detection", True, 0.85)
FIELDS = {
    "Processor(s) Name": "a core",
    "Processor(s) Frequencies": "1 MHz",
    "Processor memory type and capacity": "1 KB",
    "Processor storage type and capacity": "2 KB",
}
# What the official checker (v1.4) looks for.
THROUGHPUT = r".* Median throughput is\s+([\d\.]+) inf\./sec\..*"
TOP1 = r".* Top[- ]1%?\s?[:=] ([\d\.]+).*"
AUC = r".* AUC\s?[:=] ([\d\.]+).*"


def stored(folder: Path, **options: object) -> Record:
    record = example_records.record(**{"latencies_us": [500, 510, 505, 507, 503], **options})  # type: ignore[arg-type]
    record.model.weights = "official"
    records.create(record, folder)
    return record


def kws(folder: Path, **options: object) -> Record:
    return stored(folder, **{"accuracy": example_records.accuracy(), **options})


def session(folder: Path, mode: str, results: str, task: str = "kws01") -> Path:
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text(f"Device name retrieved: tinympy\nDevice model retrieved: {task}\n")
    (folder / "results.txt").write_text(results)
    (folder / "results.json").write_text(json.dumps([{"infer": {}, "mode": mode}]))
    return folder


def tree(folder: Path, *found: Record, division: str = "closed", **sessions_of: Path) -> Path:
    """A tree with nothing missing but what the records lack."""
    out = folder / "submission"
    submission.write(
        out,
        Submitter("Example", "board", division),
        submission.describe(found[0]) | FIELDS | {"Submitter": "Example", "Status": "Available"},
        submission.results(found, sessions.latest(sessions_of.values()), division),
    )
    (out / division / "Example/systems/Checklist.pdf").write_text("filled in")
    return out


def said(out: Path) -> list[tuple[str, str, str]]:
    """Level, place below the organisation, what."""
    return [
        (each.level, each.where.partition("Example/")[2] or each.where, each.what) for each in submission.check(out)
    ]


def line(pattern: str, file: Path) -> str:
    [found] = [match[1] for each in file.read_text().splitlines() if (match := re.match(pattern, each))]
    return found


def test_a_record_becomes_the_files_that_the_official_checker_reads(tmp_path: Path) -> None:
    out = tree(tmp_path, kws(tmp_path))
    results = out / "closed/Example/results/board/kws"
    assert sorted(path.relative_to(results).as_posix() for path in results.rglob("*.*")) == [
        f"{mode}/{name}" for mode in ("accuracy", "performance") for name in ("log.txt", "results.json", "results.txt")
    ]
    assert line(TOP1, results / "accuracy/results.txt") == "90.1"
    # 12 s of 505 us each.
    assert line(THROUGHPUT, results / "performance/results.txt") == "1980.198"
    assert (results / "performance/results.txt").read_text().count("Runtime requirements have been met.") == 5
    rows = json.loads((results / "performance/results.json").read_text())
    assert [row["infer"]["iterations"] for row in rows] == [24000] * 5
    assert json.loads((out / "closed/Example/systems/board.json").read_text())["Board Name"] == "unix"
    [code] = (out / "closed/Example/code/keyword_spotting").iterdir()
    assert {path.suffix for path in code.iterdir()} == {".md", ".json"}
    assert said(out) == [
        ("missing", "results/board/kws/accuracy", "is transcribed from a record"),
        ("missing", "results/board/kws/performance", "is transcribed from a record"),
    ]


def test_what_is_transcribed_says_so_in_each_file(tmp_path: Path) -> None:
    out = tree(tmp_path, kws(tmp_path))
    files = [path for path in (out / "closed/Example/results").rglob("*") if path.is_file()]
    assert len(files) == 6
    assert all("not written by the public runner" in path.read_text() for path in files)


def test_sessions_of_the_runner_are_copied_as_they_are(tmp_path: Path) -> None:
    windows = "".join(f"Performance results for window {i}\n    Runtime: 10.5 sec.\n" for i in range(5))
    performance = f"{windows}1125.104339 ulp-mlperf: Median throughput is   1812.878 inf./sec.\n"
    out = tree(
        tmp_path,
        kws(tmp_path),
        a=session(tmp_path / "a", "a", "1125.104235 ulp-mlperf: Top 1% = 90.1\n"),
        p=session(tmp_path / "p", "p", performance),
    )
    assert said(out) == []
    results = out / "closed/Example/results/board/kws"
    for mode, folder in (("accuracy", "a"), ("performance", "p")):
        for name in ("log.txt", "results.txt", "results.json"):
            assert (results / mode / name).read_bytes() == (tmp_path / folder / name).read_bytes()
    [readme] = out.rglob("README.md")
    assert "* kws/accuracy: the public runner's session a, as it wrote it" in readme.read_text()


def test_of_a_folder_of_sessions_the_last_of_each_kind_counts(tmp_path: Path) -> None:
    for name, mode in (("1", "a"), ("2", "p"), ("3", "a")):
        session(tmp_path / "sessions" / name, mode, name)
    (tmp_path / "sessions/4").mkdir()
    (tmp_path / "sessions/4/log.txt").write_text("interrupted")
    found = sessions.latest([tmp_path / "sessions"])
    assert {key: each.folder.name for key, each in found.items()} == {
        ("kws01", "accuracy"): "3",
        ("kws01", "performance"): "2",
    }


def test_accuracy_and_performance_may_be_records_of_their_own(tmp_path: Path) -> None:
    accuracy = kws(tmp_path, latencies_us=())
    performance = stored(tmp_path)
    performance.created = "2026-11-22T15:00:00Z"
    out = tree(tmp_path, performance, accuracy)
    assert [level for level, *_ in said(out)] == ["missing", "missing"]
    [code] = (out / "closed/Example/code/keyword_spotting").iterdir()
    assert len(list(code.glob("*.json"))) == 2


def test_anomaly_detection_is_scored_by_its_auc(tmp_path: Path) -> None:
    record = stored(tmp_path, task=AD01, accuracy=example_records.accuracy("auc", 0.8612, 248), full_n=248)
    out = tree(tmp_path, record)
    assert line(AUC, out / "closed/Example/results/board/ad/accuracy/results.txt") == "0.861"
    assert [level for level, *_ in said(out)] == ["missing", "missing"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": records.Task("digits", "digits", False)}, "digits cannot be submitted: it is no benchmark"),
        ({"task": records.Task("kws01", "words", False)}, "cannot be submitted"),
        ({"task": records.Task("sww01", "wake word", True)}, "interface board"),
        ({"status": "interrupted"}, "the run is interrupted"),
        ({"valid": False, "invalid_reason": "because"}, "invalid: because"),
    ],
)
def test_what_cannot_be_submitted_is_refused(change: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        submission.results([replace(kws(tmp_path), **change)], {})  # type: ignore[arg-type]


def test_generated_weights_are_refused_by_name(tmp_path: Path) -> None:
    record = kws(tmp_path, task=records.Task("kws01", "words", False))
    record.model.weights = "generated"
    with pytest.raises(UsageError, match="its weights are generated"):
        submission.results([record], {})


def test_inputs_that_were_overwritten_are_refused(tmp_path: Path) -> None:
    record = kws(tmp_path)
    record.program = records.Program("ab" * 32, 1, 1, 1, input_reused=True)
    with pytest.raises(UsageError, match="overwrote their input"):
        submission.results([record], {})


def test_one_system_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"several systems: rp2040-emu, .*; unix, "):
        submission.results([kws(tmp_path), kws(tmp_path, board=example_records.EMULATED)], {})


def test_a_second_system_goes_beside_the_first(tmp_path: Path) -> None:
    tree(tmp_path, kws(tmp_path))
    record = kws(tmp_path, board=example_records.EMULATED)
    submission.write(
        tmp_path / "submission",
        Submitter("Example", "other", "closed"),
        submission.describe(record) | FIELDS | {"Submitter": "Example", "Status": "RDI"},
        submission.results([record], {}),
    )
    assert {where for _, where, _ in said(tmp_path / "submission")} == {
        *(f"results/{system}/kws/{mode}" for system in ("board", "other") for mode in ("accuracy", "performance")),
        "systems/other.json",  # an emulator
    }


def test_a_session_without_a_record_is_left_out_and_named(tmp_path: Path) -> None:
    record = kws(tmp_path)
    assert record.path is not None
    session(tmp_path / "s", "a", "", task="ic01")
    arguments = ("--submitter", "Example", "--status", "rdi", "--session", tmp_path / "s", "-o", tmp_path / "out")
    code, text = submit(record.path, *arguments)
    assert code == 0 and f"left out  {tmp_path / 's'}: ic01 in accuracy mode, of which there is no record" in text
    assert not (tmp_path / "out/closed/Example/results/unix/ic").exists()


def test_accuracy_over_a_part_does_not_count(tmp_path: Path) -> None:
    part = example_records.accuracy(n=20)
    out = tree(tmp_path, kws(tmp_path, accuracy=part))
    assert ("rejected", "results/board/kws/accuracy", "is missing") in said(out)
    with pytest.raises(UsageError, match="over a part of the label file"):
        submission.results([kws(tmp_path, accuracy=part, latencies_us=())], {})


def edit(out: Path, name: str, old: str, new: str) -> None:
    path = out / "closed/Example" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


DAMAGES = {
    "status": (
        lambda out: edit(out, "systems/board.json", '"Available"', '"soon"'),
        ("rejected", "systems/board.json", "has the status 'soon'"),
    ),
    "system_type": (
        lambda out: edit(out, "systems/board.json", '"Division"', '"system_type"'),
        ("rejected", "systems/board.json", "has a key system_type"),
    ),
    "description": (
        lambda out: (out / "closed/Example/systems/board.json").write_text("{"),
        ("rejected", "systems/board.json", "is no system description"),
    ),
    "field": (
        lambda out: edit(out, "systems/board.json", '"a core"', '""'),
        ("missing", "systems/board.json", "does not say: Processor(s) Name"),
    ),
    "performance": (
        lambda out: shutil.rmtree(out / "closed/Example/results/board/kws/performance"),
        ("rejected", "results/board/kws/performance", "is missing"),
    ),
    "results": (
        lambda out: (out / "closed/Example/results/board/kws/accuracy/results.txt").unlink(),
        ("rejected", "results/board/kws/accuracy", "has no readable results.txt"),
    ),
    "log": (
        lambda out: (out / "closed/Example/results/board/kws/accuracy/log.txt").unlink(),
        ("missing", "results/board/kws/accuracy", "files are missing or too many: log.txt"),
    ),
    "accuracy": (
        lambda out: edit(out, "results/board/kws/accuracy/results.txt", "90.1", "89.9"),
        ("rejected", "results/board/kws/accuracy", "is 89.9, below the closed division's 90"),
    ),
    "no accuracy": (
        lambda out: edit(out, "results/board/kws/accuracy/results.txt", "Top 1%", "Top"),
        ("rejected", "results/board/kws/accuracy", "says no accuracy"),
    ),
    "median": (
        lambda out: edit(out, "results/board/kws/performance/results.txt", "Median", "Mean"),
        ("rejected", "results/board/kws/performance", "says no median throughput"),
    ),
    "short": (
        lambda out: edit(out, "results/board/kws/performance/results.txt", "Runtime: 12.0 ", "Runtime: 2.4 "),
        ("missing", "results/board/kws/performance", "has a window of 2.4 s"),
    ),
    "windows": (
        lambda out: edit(out, "results/board/kws/performance/results.txt", "Runtime: 12.0 ", "Time: 12.0 "),
        ("missing", "results/board/kws/performance", "has 4 windows"),
    ),
    "benchmark": (
        lambda out: (out / "closed/Example/results/board/kws").rename(out / "closed/Example/results/board/words"),
        ("rejected", "results/board/words", "is no benchmark"),
    ),
    "large alone": (
        lambda out: (out / "closed/Example/results/board/kws").rename(out / "closed/Example/results/board/ic2"),
        ("rejected", "results/board/ic2", "stands without ic"),
    ),
    "link": (
        lambda out: (out / "closed/Example/code/link").symlink_to("../systems/board.json"),
        ("rejected", "code/link", "is a symbolic link"),
    ),
    "link to a folder": (
        lambda out: (out / "closed/Example/code/link").symlink_to("../systems"),
        ("missing", "code/link", "is a symbolic link"),
    ),
    "empty": (
        lambda out: (out / "closed/Example/code/empty").mkdir(),
        ("rejected", "code/empty", "is an empty folder"),
    ),
    "cache": (
        lambda out: (out / "closed/Example/code/__pycache__").mkdir(),
        ("rejected", "code/__pycache__", "is Python's cache"),
    ),
    "space": (
        lambda out: (out / "closed/Example/code/a b").write_text(""),
        ("missing", "code/a b", "has a name that git tools trip over"),
    ),
    "no code": (
        lambda out: shutil.rmtree(out / "closed/Example/code"),
        ("missing", "closed/Example", "has no code"),
    ),
    "checklist": (
        lambda out: (out / "closed/Example/systems/Checklist.pdf").unlink(),
        ("missing", "systems", "has no submission checklist"),
    ),
    "no results": (
        lambda out: shutil.rmtree(out / "closed/Example/results"),
        ("rejected", "closed/Example", "has no results"),
    ),
    "division": (lambda out: (out / "shut").mkdir(), ("missing", "shut", "is no division")),
    "nothing": (lambda out: shutil.rmtree(out / "closed"), ("rejected", ".", "holds no submission")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_check_says_in_words_what_is_wrong(damage: str, tmp_path: Path) -> None:
    out = tree(tmp_path, kws(tmp_path))
    break_it, (level, where, what) = DAMAGES[damage]
    break_it(out)
    assert any(each[:2] == (level, where) and each[2].startswith(what) for each in said(out)), said(out)


def test_in_the_open_division_any_accuracy_counts(tmp_path: Path) -> None:
    record = kws(tmp_path, accuracy=example_records.accuracy(value=0.5))
    record.invalidate("50.0 % is below the target")
    out = tree(tmp_path, record, division="open")
    assert {level for level, *_ in said(out)} == {"missing"}


def test_what_is_rejected_comes_first(tmp_path: Path) -> None:
    out = tree(tmp_path, kws(tmp_path, latencies_us=()))
    levels = [each.level for each in submission.check(out)]
    assert levels == ["rejected", "missing"] and isinstance(submission.check(out)[0], Finding)


def test_fields_of_a_person_win_over_those_of_the_record(tmp_path: Path) -> None:
    description = submission.describe(kws(tmp_path, board=example_records.EMULATED))
    assert description["Processor(s) Frequencies"] == "125 MHz"
    given = submission.with_fields(description, {"Board Name": "Pico"}, ["Processor(s) Frequencies = 133 MHz"])
    assert (given["Board Name"], given["Processor(s) Frequencies"]) == ("Pico", "133 MHz")
    for wrong, message in ((["Colour=red"], "no field Colour"), (["Colour"], "written Key=Value")):
        with pytest.raises(UsageError, match=message):
            submission.with_fields(description, {}, wrong)
    with pytest.raises(UsageError, match="not a text: 3"):
        submission.with_fields(description, {"Board Name": 3})


def submit(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["submit", *map(str, arguments)])
    return result.exit_code, result.output or repr(result.exception)


def test_the_command_asks_for_what_only_a_person_knows(tmp_path: Path) -> None:
    record = kws(tmp_path)
    assert record.path is not None
    out = ("-o", tmp_path / "out")
    assert "who submits?" in submit(record.path, *out)[1]
    assert "can the system be bought?" in submit(record.path, *out, "--submitter", "Example")[1]
    description = tmp_path / "system.json"
    description.write_text(json.dumps(FIELDS | {"Submitter": "Example", "Status": "rdi"}))
    code, text = submit(record.path, *out, "--description", description)
    assert code == 0 and "the official checker accepts it; missing beyond that: 3" in text
    assert json.loads((tmp_path / "out/closed/Example/systems/unix.json").read_text())["Status"] == "RDI"
    # Without a record the folder is only checked.
    assert submit(*out) == (0, text)
    assert [row["level"] for row in json.loads(submit(*out, "--json")[1])] == ["missing"] * 3
    assert "nothing is written without a record" in submit(*out, "--status", "rdi")[1]
    assert "is not a folder" in submit("-o", tmp_path / "nowhere")[1]


def test_a_model_of_ones_own_is_of_the_division_that_its_making_allows(tmp_path: Path) -> None:
    record = kws(tmp_path)
    record.model.sha256, record.model.weights, record.model.file = "ef" * 32, "own", "mine.tflite"
    with pytest.raises(UsageError, match=r"of the open division: .* no quantisation is stated"):
        submission.results([record], {})
    assert submission.results([record], {}, "open")
    record.model.quantisation = records.Quantisation("ab" * 32, "by hand", "keyword_spotting/quant_cal_idxs.txt")
    out = tree(tmp_path, record)
    readme = next((out / "closed").rglob("README.md")).read_text()
    assert "tinympy dut kws01 --weights mine.tflite --assets FOLDER" in readme
    assert submission.describe(record)["Quantization Method"] == "by hand"


def test_in_the_open_division_other_rules_hold(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="invalid: 3 windows"):
        submission.results([kws(tmp_path, latencies_us=[500, 510, 505])], {}, "open")
