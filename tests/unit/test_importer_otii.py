"""Recordings of an Otii: a file for each channel."""

from pathlib import Path

import pytest

from energy_files import EDGES, RECORDED, TRUE_J, energies, otii
from tinympy.energy.importers import load_trace
from tinympy.errors import UsageError


def test_otii_takes_a_folder_and_refuses_two_devices_in_one(tmp_path: Path) -> None:
    path = otii(tmp_path, RECORDED.t, RECORDED.i, EDGES)
    assert energies(load_trace(tmp_path)) == pytest.approx(TRUE_J, rel=1e-6)
    path.with_name("Main current - Ace.csv").write_text(path.read_text())
    with pytest.raises(UsageError, match="several files"):
        load_trace(tmp_path)
    assert energies(load_trace(path)) == pytest.approx(TRUE_J, rel=1e-6)


def test_otiis_limit_holds_in_its_low_range_only(tmp_path: Path) -> None:
    assert load_trace(otii(tmp_path, RECORDED.t, RECORDED.i, EDGES)).spec.gain_limits == ()
    assert load_trace(otii(tmp_path, RECORDED.t, RECORDED.i / 2, EDGES)).spec.gain_limits == (1e-3,)
