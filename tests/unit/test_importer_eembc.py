"""Recordings of the public runner: energies as binary numbers, and time stamps beside them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from energy_files import EDGES, RECORDED, TRUE_J, currents, eembc, energies, in_one_folder, text
from tinympy.energy.importers import load_trace
from tinympy.errors import UsageError


@given(currents)
@in_one_folder
def test_eembc_round_trip(tmp_path: Path, i: np.ndarray) -> None:
    trace = load_trace(eembc(tmp_path, i, None), volts="3.3")
    assert trace.i == pytest.approx(i, rel=1e-6)
    assert "no file of timestamps" in trace.notes[0]


def test_timestamps_may_be_text_and_lie_elsewhere(tmp_path: Path) -> None:
    path = eembc(tmp_path, RECORDED.i, None)
    stamps = [0.01] + [round(at, 3) for at, _ in EDGES[1:]]
    other = text(tmp_path, "".join(f"{at}\n" for at in stamps), "marks.txt")
    assert energies(load_trace(path, volts="3.3", timestamps=str(other))) == pytest.approx(TRUE_J, rel=2e-3)
    other.rename(tmp_path / "TIMESTAMPS.txt")
    assert energies(load_trace(path, volts="3.3")) == pytest.approx(TRUE_J, rel=2e-3)
    assert len(load_trace(path, volts="3.3", opening="no").edges) == 7


def test_the_edges_of_a_runners_file_are_those_that_the_runner_uses(tmp_path: Path) -> None:
    """Summing 1 ms 60000 times comes out a little below or above 60 s: there the next sample is the first one."""
    times = [0.5, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    trace = load_trace(eembc(tmp_path, np.full(61_000, 0.02), times), volts="3.3")
    at, expected = 0.0, []
    samples = iter(range(61_000))
    index = next(samples)
    for stamp in times[1:]:
        while at < stamp:
            at += 0.001
            index = next(samples)
        expected.append(index / 1e3)
    assert list(trace.edges) == expected
    assert expected != times[1:]


@pytest.mark.parametrize("stamps", ["[1, 2", '["a"]', "[2, 1]", "[]", "{}", "[1, 99]", "[-1, 1]", "null", "[null]"])
def test_damaged_timestamps_say_so(stamps: str, tmp_path: Path) -> None:
    path = eembc(tmp_path, RECORDED.i, None)
    text(tmp_path, stamps, "trace1-timestamps.json")
    with pytest.raises(UsageError, match=r"trace1-timestamps\.json"):
        load_trace(path)
