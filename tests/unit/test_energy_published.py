"""Recordings published with submissions to MLPerf Tiny, and the energies published from them."""

import os
import re
from pathlib import Path

import pytest

from tinympy.energy.align import BoardWindow
from tinympy.energy.importers import load_trace
from tinympy.energy.measurement import measure, measure_marked

_ASSETS = os.environ.get("TINYMPY_ASSETS")
FOLDER = Path(
    os.environ.get("TINYMPY_ENERGY_TRACES") or (Path(_ASSETS).parent / "energy_traces" if _ASSETS else "none")
)

RECORDINGS = sorted(path for path in FOLDER.rglob("*-energy.bin") if (path.parent / "results.txt").exists())

pytestmark = pytest.mark.skipif(
    not RECORDINGS,
    reason="no published recordings: neither TINYMPY_ENERGY_TRACES nor energy_traces beside TINYMPY_ASSETS has any",
)


def published(path: Path, pattern: str) -> list[float]:
    """Numbers in the runner's own report, in µJ, s or inferences."""
    text = (path.parent / "results.txt").read_text(encoding="utf-8", errors="replace")
    return [float(value) for value in re.findall(pattern, text)]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: str(path.parent.relative_to(FOLDER)))
def test_published_energies_are_reproduced(path: Path) -> None:
    inferences = [int(n) for n in published(path, r"# Inferences :\s+(\d+)")]
    result = measure_marked(load_trace(path), inferences)
    # Published with three decimals.
    windows_uj = [energy * 1e6 for energy in result.gross.windows_j]
    assert windows_uj == pytest.approx(published(path, r"Energy/Inf\.\s+:\s+([\d.]+)"), abs=1e-3)
    (median_uj,) = published(path, r"Median energy cost is ([\d.]+)")
    assert result.gross.median_j * 1e6 == pytest.approx(median_uj, rel=2e-4)
    power_uw = [window.power_w * 1e6 for window in result.windows]
    assert power_uw == pytest.approx(published(path, r"Power\s+:\s+([\d.]+) uW"), rel=5e-4)
    assert not result.refused


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: str(path.parent.relative_to(FOLDER)))
def test_the_boards_run_times_fit_the_stamps_in_one_way(path: Path) -> None:
    inferences = published(path, r"# Inferences :\s+(\d+)")
    run_times = published(path, r"Runtime\s+:\s+([\d.]+) sec")
    board = [BoardWindow(int(n), seconds * 1e6) for n, seconds in zip(inferences, run_times, strict=True)]
    trace = load_trace(path)
    assert measure(trace, board).gross == measure_marked(trace, [window.n for window in board]).gross
