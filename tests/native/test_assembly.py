"""The inner loops as assembled for armv6m, and their plain C, compute what plain sums and exact rescaling do."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks/packed_sums.py"
COMPILER = "arm-none-eabi-gcc"

pytestmark = pytest.mark.skipif(
    shutil.which(COMPILER) is None or shutil.which("qemu-arm") is None, reason=f"{COMPILER} or qemu-arm is missing"
)


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("packed_sums", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_packed_sums_and_short_products_are_exact_on_random_cases() -> None:
    command = [sys.executable, str(BENCHMARK), "--cases", "300000", "--assembly-cases", "100000"]
    finished = subprocess.run(command, capture_output=True, text=True)
    print(finished.stdout)
    exact = r"cases \d+, undecided [1-9]\d*; mismatches: rescaled 0, pairs 0, rows 0 \(\d+ s\)\n"
    assert re.fullmatch(f"plain C: {exact}assembly: {exact}", finished.stdout), finished.stderr


@pytest.mark.parametrize("name", ["plain C", "assembly"])
def test_an_edge_that_is_too_small_is_found(name: str) -> None:
    packed_sums = script()
    narrow = bytearray(packed_sums.channels(1))
    # The last byte of each channel.
    narrow[15::16] = bytes(edge // 4 for edge in narrow[15::16])
    output = packed_sums.run(name, 200000, 1, bytes(narrow))
    assert re.search(r"rescaled [1-9]\d*, pairs [1-9]\d*, rows [1-9]", output), output
