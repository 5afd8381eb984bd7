"""Recordings of a Monsoon."""

from pathlib import Path

import numpy as np
import pytest

from energy_files import RECORDED, monsoon
from tinympy.energy.importers import KINDS, load_trace


def test_a_monsoon_has_no_trigger_but_the_same_samples(tmp_path: Path) -> None:
    assert "monsoon" in KINDS
    for seconds in (False, True):
        for numpy_2 in (False, True):
            trace = load_trace(monsoon(tmp_path, RECORDED.t, RECORDED.i, seconds=seconds, numpy_2=numpy_2))
            assert trace.spec.name == "monsoon"
            assert trace.t == pytest.approx(RECORDED.t)
            assert trace.i == pytest.approx(RECORDED.i)
            assert trace.bits is None
            assert any("has seconds" in note for note in trace.notes) == seconds


def test_samples_that_a_monsoon_stamps_together_are_spread(tmp_path: Path) -> None:
    t = np.repeat(np.arange(20) * 10e-3, 5)
    trace = load_trace(monsoon(tmp_path, t, np.full(100, 0.02)))
    assert trace.t == pytest.approx(np.arange(100) * 2e-3)
