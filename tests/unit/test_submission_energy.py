"""Energy of a submission from a record that kept its recording, and which records have none for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import energy_example
import example_records
from test_submission import line, said, session, stored, tree
from tinympy import records, statistics, submission
from tinympy.cli import app
from tinympy.energy import recording
from tinympy.energy.importers import load_trace
from tinympy.energy.measurement import measure_marked
from tinympy.energy.trace import Trace
from tinympy.metering import Heard, Listened, Metering
from tinympy.records import Board, Record

RP2040 = Board("rp2040", "/dev/ttyACM0", "MicroPython v1.28.0", "6.3", "armv6m", 125_000_000, False)
DURATIONS_S = (10.3217, 10.4009, 10.3333, 10.3512, 10.2804)
N = 5000


def heard_by(meter: Callable[[Trace], Trace], folder: Path, asked: Metering, scale: float = 1.0) -> Record:
    """A stored record of five windows of N inferences, with what a meter of 10 kS/s made of them."""
    board = energy_example.windows([scale * each for each in DURATIONS_S], n=N)
    trace = meter(energy_example.trace(board, noise_a=0.002))
    record = example_records.record(board=RP2040, latencies_us=[1.0] * 5, accuracy=example_records.accuracy())
    record.model.weights = "official"
    for window, known in zip(record.windows, board, strict=True):
        window.n, window.elapsed_us = N, round(known.elapsed_us)
    heard = [Heard(N, round(each.start_us), round(each.start_us + each.elapsed_us)) for each in board]
    record.energy = Listened(0, trace).energy(asked, heard, 5)
    records.create(record, folder)
    record.energy.recording = records.keep_recording(record, recording.content(trace))
    record.status, record.written = "complete", None
    records.write(record)
    return record


def as_it_is(trace: Trace) -> Trace:
    return trace


def losing(share: float) -> Callable[[Trace], Trace]:
    def meter(trace: Trace) -> Trace:
        lost = np.random.default_rng(1).random(len(trace.t)) < share
        return replace(trace, i=np.where(lost, np.nan, trace.i))

    return meter


ASKED = Metering("ppk2:/dev/ttyACM1?mode=source&v=3.3", 15, "3v3", only_supply=True)


@pytest.mark.parametrize("meter", [as_it_is, losing(0.0005)])
def test_the_recording_gives_the_energy_that_the_files_say(tmp_path: Path, meter: Callable[[Trace], Trace]) -> None:
    record = heard_by(meter, tmp_path, ASKED)
    out = tree(tmp_path, records.read(record.path))
    energy = out / "closed/Example/results/board/kws/energy"
    assert sorted(path.name for path in energy.iterdir()) == [
        "log.txt",
        "results.json",
        "results.txt",
        "trace1-energy.bin",
        "trace1-timestamps.json",
    ]
    printed = float(line(r"Median energy cost is ([\d\.]+) uJ/inf", energy / "results.txt"))
    assert printed == pytest.approx(statistics.energy_uj(record), abs=5.1e-5)
    trace = load_trace(str(energy / "trace1-energy.bin"))
    read = measure_marked(trace, [N] * 5).gross
    assert 1e6 * read.median_j == pytest.approx(printed, rel=2e-4)
    truth = sorted(energy_example.ACTIVE_A * energy_example.VOLTS * each / N for each in DURATIONS_S)[2]
    assert read.median_j == pytest.approx(truth, rel=3e-4)
    assert all("not written by the public runner" in (energy / name).read_text() for name in submission_texts())
    assert ("missing", "results/board/kws/energy", "is transcribed from a record") in said(out)
    assert "rejected" not in [level for level, *_ in said(out)]


def submission_texts() -> tuple[str, ...]:
    return ("log.txt", "results.txt", "results.json")


def test_each_millisecond_has_the_energy_that_flowed_in_it(tmp_path: Path) -> None:
    spec = energy_example.SPEC
    trace = Trace(np.array([0.0, 0.0015, 0.003]), np.array([1.0, 3.0, np.nan]), 2.0, spec)
    (tmp_path / "trace1-energy.bin").write_bytes(recording.content(trace))
    stored_uj = np.frombuffer((tmp_path / "trace1-energy.bin").read_bytes(), "<f4", offset=5)
    # 2 W, half 2 W and half 6 W, 6 W; then 1.5 ms that are lost.
    np.testing.assert_allclose(stored_uj[:3], [2000, 4000, 6000])
    assert np.isnan(stored_uj[3:]).all() and len(stored_uj) in (4, 5)


@pytest.mark.parametrize(
    ("meter", "asked", "scale", "reason"),
    [
        (as_it_is, replace(ASKED, only_supply=False), 1.0, "the board may be powered through USB as well"),
        (losing(0.01), ASKED, 1.0, "of a window's samples were lost"),
        (as_it_is, ASKED, 0.5, "windows of 5.1 s"),
        (lambda trace: replace(trace, spec=replace(trace.spec, emulated=True)), ASKED, 1.0, "the meter is emulated"),
    ],
)
def test_energy_that_breaks_a_rule_is_left_out_and_says_why(
    tmp_path: Path, meter: Callable[[Trace], Trace], asked: Metering, scale: float, reason: str
) -> None:
    record = heard_by(meter, tmp_path, asked, scale)
    [result] = submission.results([record], {})
    assert "energy" not in result.records
    [why] = result.left_out
    assert reason in why
    assert not (tree(tmp_path, record) / "closed/Example/results/board/kws/energy").exists()


@pytest.mark.parametrize("change", ["removed", "altered", "elsewhere"])
def test_energy_needs_the_recording_that_the_record_names(tmp_path: Path, change: str) -> None:
    record = heard_by(as_it_is, tmp_path, ASKED)
    assert record.path is not None and record.energy is not None and record.energy.recording is not None
    file = tmp_path / record.energy.recording.file
    if change == "removed":
        file.unlink()
    elif change == "altered":
        file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
    else:
        record.energy.recording.file = f"../{tmp_path.name}/{file.name}"
    [result] = submission.results([record], {})
    assert "its recording is not beside it" in result.left_out[0]


def test_windows_of_a_run_without_a_meter_are_the_performance(tmp_path: Path) -> None:
    metered = heard_by(as_it_is, tmp_path, ASKED)
    metered.created = "2026-11-22T16:00:00Z"
    timed = stored(tmp_path, board=RP2040)
    [result] = submission.results([timed, metered], {})
    assert result.records["performance"] is timed
    assert result.records["energy"] is metered


def test_a_session_of_the_runner_stands_before_a_record(tmp_path: Path) -> None:
    text = "Median energy cost is 88.0000 uJ/inf.\n"
    out = tree(tmp_path, heard_by(as_it_is, tmp_path, ASKED), e=session(tmp_path / "e", "e", text))
    energy = out / "closed/Example/results/board/kws/energy"
    assert sorted(each.name for each in energy.iterdir()) == sorted(submission_texts())
    assert (energy / "results.txt").read_text() == text


def test_windows_of_energy_are_counted_and_timed(tmp_path: Path) -> None:
    trial = "  Elapsed time  : {}\n"
    text = "".join(trial.format(each) for each in (10.1, 9.5)) + "Median energy cost is 88.0000 uJ/inf.\n"
    out = tree(tmp_path, heard_by(as_it_is, tmp_path, ASKED), e=session(tmp_path / "e", "e", text))
    found = [what for _, where, what in said(out) if where.endswith("/energy")]
    assert found == ["has 2 windows", "has a window of 9.5 s"]
    assert json.loads((tmp_path / "e/results.json").read_text())[0]["mode"] == "e"


def test_the_command_says_why_there_is_no_energy(tmp_path: Path) -> None:
    record = heard_by(as_it_is, tmp_path, replace(ASKED, only_supply=False))
    options = ["--submitter", "Example", "--status", "available", "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["submit", str(record.path), *options])
    assert result.exit_code == 0, result.output
    assert "left out  energy of kws01" in result.stderr and "through USB as well" in result.stderr
