"""The fixed-point arithmetic is exact on a million random cases, and the check that says so finds a known mistake."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kernel_library import NATIVE_MODULES

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing")

BENCHMARK = Path(__file__).parents[1] / "benchmarks/arithmetic.py"

# The mistake that passes every whole model: cross + rest + 2^14 as one sum, which needs 33 bits when the multiplier is
# near 2^31.
CARRIED = re.compile(r"uint32_t low_bits = .*?;\n\s*int32_t middle = .*?;", re.DOTALL)
OVERFLOWING = "int32_t middle = (int32_t)((uint32_t)cross + rest + 0x4000u) >> 15;"


def run_check(*options: str) -> tuple[int, str]:
    command = [sys.executable, str(BENCHMARK), "--cases", "1000000", *options]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert not finished.stderr, finished.stderr
    return finished.returncode, finished.stdout


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_million_cases_of_each_variant_are_exact(seed: str) -> None:
    code, output = run_check("--seed", seed)
    print(output)
    exact = "1000000 cases in .* s; mismatches: requantise 0, multiply 0, divide 0, size 0"
    assert re.fullmatch(f"wide multiply: {exact}\nnarrow multiply: {exact}\n", output)
    assert code == 0


def test_an_overflowing_sum_of_halves_is_found(tmp_path: Path) -> None:
    source = (NATIVE_MODULES / "kernels/arithmetic.h").read_text(encoding="utf-8")
    wrong, replaced = CARRIED.subn(OVERFLOWING, source)
    assert replaced == 1
    (tmp_path / "arithmetic.h").write_text(wrong, encoding="utf-8")
    code, output = run_check("--kernels", str(tmp_path))
    assert code == 1
    assert re.search(r"wide multiply: .*requantise 0, multiply 0", output)
    assert re.search(r"narrow multiply: .*requantise [1-9]\d*, multiply [1-9]\d*, divide 0", output), output
