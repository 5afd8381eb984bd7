"""Recordings of Nordic's Power Profiler, saved and exported."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from energy_files import currents, in_one_folder, ppk2_csv, ppk2_session, text
from tinympy.energy.importers import load_trace


@given(currents, st.booleans(), st.data())
@in_one_folder
def test_ppk2_csv_round_trip(tmp_path: Path, i: np.ndarray, single: bool, data: st.DataObject) -> None:
    bits = data.draw(arrays.arrays(np.uint8, len(i)))
    t = 0.12 + np.arange(len(i)) / 1e5
    trace = load_trace(ppk2_csv(tmp_path, t, i, bits, single=single), volts="3.3")
    assert trace.t == pytest.approx(t)
    assert trace.i == pytest.approx(i, abs=1e-9)
    assert (trace.bits == bits).all()


@given(currents, st.data())
@in_one_folder
def test_ppk2_session_round_trip(tmp_path: Path, i: np.ndarray, data: st.DataObject) -> None:
    bits = data.draw(arrays.arrays(np.uint8, len(i)))
    trace = load_trace(ppk2_session(tmp_path, i, bits, 1e5), volts="3.3")
    assert trace.i == pytest.approx(i, rel=1e-6)
    assert (trace.bits == bits).all()
    assert trace.spec.rate_hz == 1e5


def test_the_power_profilers_mark_of_a_lost_sample_is_nothing(tmp_path: Path) -> None:
    i, bits = np.full(1000, 0.02), np.full(1000, 1, np.uint8)
    i[100:130], bits[100:130] = 0.2e-6, 0
    t = np.arange(1000) / 1e5
    for path in (ppk2_csv(tmp_path, t, i, bits), ppk2_session(tmp_path, i, bits, 1e5), ppk2_csv(tmp_path, t, i, None)):
        trace = load_trace(path, volts="3.3")
        assert np.flatnonzero(np.isnan(trace.i)).tolist() == list(range(100, 130))
        assert trace.notes == ("30 samples were lost while recording",)


def test_a_sleeping_board_may_draw_200_na(tmp_path: Path) -> None:
    i = np.full(1000, 0.2e-6)
    i[::2] = 0.3e-6
    assert np.isfinite(load_trace(ppk2_csv(tmp_path, np.arange(1000) / 1e5, i, None), volts="3.3").i).all()


def test_x_is_high_and_a_dash_is_nothing(tmp_path: Path) -> None:
    head = "Timestamp(ms),Current(uA),D0-D7\n"
    assert load_trace(text(tmp_path, head + "0,1.5,-0X10000\n1,1.5,-0010000\n"), volts="3").bits.tolist() == [12, 8]
    assert load_trace(text(tmp_path, head + "0,1.5,--------\n1,1.5,--------\n"), volts="3").bits is None


def test_the_power_profilers_columns_are_optional(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "Current(uA)\n20000.000\n21000.000\n"), volts="3")
    assert trace.t == pytest.approx([0, 1e-5])
    assert trace.i == pytest.approx([0.020, 0.021])


def test_rows_that_are_missing_are_lost_samples(tmp_path: Path) -> None:
    keep = np.ones(1000, bool)
    keep[[10, 200, 201, 202, 700]] = False
    t, i = np.arange(1000) / 1e4, np.full(1000, 0.02)
    trace = load_trace(ppk2_csv(tmp_path, t[keep], i[keep], None), volts="3.3")
    assert np.count_nonzero(np.isnan(trace.i)) == 3
    assert "5 samples are missing in 3 places of the file" in trace.notes
    assert trace.spec.rate_hz == pytest.approx(1e4)


def test_the_accuracy_of_a_ppk2_depends_on_its_range(tmp_path: Path) -> None:
    t = np.arange(100) / 1e5
    for amps, gain in ((0.02, 0.10), (0.08, 0.15)):
        trace = load_trace(ppk2_csv(tmp_path, t, np.full(100, amps), None), volts="3.3")
        assert trace.spec.gain_limits == (gain,)
    assert load_trace(tmp_path / "ppk.csv", volts="3.3", gain="0.02").spec.gain_limits == (0.02,)
