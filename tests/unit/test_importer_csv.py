"""Tables of anything else."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_files import currents, in_one_folder, text
from tinympy.energy.importers import load_trace
from tinympy.errors import UsageError


@given(
    currents, st.sampled_from(["s", "ms", "us"]), st.sampled_from(["A", "mA", "uA"]), st.sampled_from([",", ";", "\t"])
)
@in_one_folder
def test_generic_csv_round_trip(tmp_path: Path, i: np.ndarray, time: str, current: str, delimiter: str) -> None:
    scale = {"s": 1, "ms": 1e3, "us": 1e6, "A": 1, "mA": 1e3, "uA": 1e6}
    rows = [f"{k / 1e3 * scale[time]!r}{delimiter}{each * scale[current]!r}" for k, each in enumerate(i.tolist())]
    path = text(tmp_path, "\n".join([f"Time ({time}){delimiter}Current [{current}]", *rows]))
    trace = load_trace(path, volts="5")
    assert trace.i == pytest.approx(i)
    assert trace.t == pytest.approx(np.arange(len(i)) / 1e3)
    assert trace.v == 5.0


def test_a_headerless_table_needs_its_columns(tmp_path: Path) -> None:
    path = text(tmp_path, "0,20,1\n1,21,0\n2,22,0\n")
    with pytest.raises(UsageError, match="no column looks like a current"):
        load_trace(path, volts="3.3")
    trace = load_trace(
        path, volts="3.3", time="1", time_unit="ms", current="2", current_unit="mA", trigger="3", threshold="0.5"
    )
    assert trace.i == pytest.approx([0.020, 0.021, 0.022])
    assert trace.t == pytest.approx([0, 1e-3, 2e-3])
    assert trace.bits.tolist() == [1, 0, 0]


def test_commas_for_points_are_understood_between_semicolons(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "Zeit [ms];Strom [mA]\n0,5;20,25\n1,5;21,5\n"), volts="5", time="1", current="2")
    assert trace.i == pytest.approx([0.02025, 0.0215])
    assert trace.t == pytest.approx([0, 1e-3])


def test_a_usb_meters_table_is_read_by_its_names(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "time,voltage,current\n0.0,5.1,0.10\n0.5,5.0,0.11\n1.0,5.0,0.12\n"))
    assert trace.v == pytest.approx([5.1, 5.0, 5.0])
    assert len([note for note in trace.notes if "names no unit" in note]) == 3


def test_irregular_times_have_no_rate_and_no_gaps(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "t (s),i (mA)\n0,20\n1,20\n1.3,20\n4,20\n4.2,20\n"), volts="5")
    assert trace.spec.rate_hz is None
    assert np.isfinite(trace.i).all()
