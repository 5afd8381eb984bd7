"""The ulab engine's requantisation is exact, and the check of that can fail."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import ulab_requantise as benchmark


def test_every_output_is_that_of_exact_integers() -> None:
    assert benchmark.check(500_000, seed=2) == 0


@pytest.mark.parametrize("lost", [0.0, -0.25])
def test_without_doubts_some_outputs_are_wrong(monkeypatch: pytest.MonkeyPatch, lost: float) -> None:
    device = importlib.import_module("tinympy.device.ulab_requantise")
    monkeypatch.setattr(device, "LOST", lost)
    assert benchmark.check(500_000, seed=2) > 0
