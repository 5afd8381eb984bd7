"""Recordings of a Joulescope: JLS files written by its own library, and tables."""

import sys
from pathlib import Path

import numpy as np
import pytest

from energy_files import RECORDED, jls, joulescope_csv, text
from tinympy.energy.importers import load_trace
from tinympy.errors import UsageError


def test_volts_that_are_given_are_assumed_and_those_in_the_file_measured(tmp_path: Path) -> None:
    path = joulescope_csv(tmp_path, RECORDED.t, RECORDED.i, None, time="time")
    assert load_trace(path).spec.voltage_basis == "measured"
    assert load_trace(path).v == pytest.approx(np.full(len(RECORDED.t), 3.3))
    assert load_trace(path, volts="5").spec.voltage_basis == "assumed"
    assert load_trace(path, volts="5").v == 5.0


def test_joulescopes_old_export_has_two_bare_columns(tmp_path: Path) -> None:
    path = text(tmp_path, "0.02,3.3\n0.021,3.2\n")
    trace = load_trace(path, "joulescope-csv", rate="2e6")
    assert trace.t == pytest.approx([0, 5e-7])
    assert trace.v == pytest.approx([3.3, 3.2])
    with pytest.raises(UsageError, match="without names"):
        load_trace(path, "joulescope-csv")


def test_jls_knows_its_instrument(tmp_path: Path) -> None:
    trace = load_trace(jls(tmp_path, RECORDED.i, RECORDED.bits, 1000))
    assert (trace.spec.name, trace.spec.serial, trace.spec.voltage_basis) == ("joulescope", "001234", "measured")
    assert (trace.bits == RECORDED.bits).all()


def test_lost_samples_of_jls_are_nan(tmp_path: Path) -> None:
    i = RECORDED.i.copy()
    i[50:60] = np.nan
    assert np.flatnonzero(np.isnan(load_trace(jls(tmp_path, i, RECORDED.bits, 1000)).i)).tolist() == list(range(50, 60))


def test_jls_without_pyjls_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = jls(tmp_path, RECORDED.i, RECORDED.bits, 1000)
    monkeypatch.setitem(sys.modules, "pyjls", None)
    with pytest.raises(UsageError, match="pyjls") as caught:
        load_trace(path)
    assert "tinympy[joulescope]" in caught.value.hint
