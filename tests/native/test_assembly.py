"""The inner loops as assembled for armv6m and armv7emsp, and their plain C, compute what plain sums and exact rescaling
do."""

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
KERNELS = Path(__file__).parents[2] / "native_modules/kernels"
COMPILER = "arm-none-eabi-gcc"

pytestmark = pytest.mark.skipif(
    shutil.which(COMPILER) is None or shutil.which("qemu-arm") is None, reason=f"{COMPILER} or qemu-arm is missing"
)


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("packed_sums", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclass looks
    spec.loader.exec_module(module)
    return module


def test_packed_sums_and_short_products_are_exact_on_random_cases() -> None:
    command = [sys.executable, str(BENCHMARK), "--cases", "300000", "--assembly-cases", "100000"]
    finished = subprocess.run(command, capture_output=True, text=True)
    print(finished.stdout)
    exact = r"cases \d+, undecided [1-9]\d*; mismatches: rescaled 0, pairs 0, rows 0 \(\d+ s\)\n"
    dsp = r"cases \d+; mismatches: rescaled 0, pairs 0, rows 0, fours 0 \(\d+ s\)\n"
    expected = f"plain C: {exact}assembly: {exact}DSP plain C: {dsp}DSP assembly: {dsp}"
    assert re.fullmatch(expected, finished.stdout), finished.stderr


@pytest.mark.parametrize("name", ["plain C", "assembly"])
def test_an_edge_that_is_too_small_is_found(name: str) -> None:
    packed_sums = script()
    narrow = bytearray(packed_sums.channels(1))
    # The last byte of each channel.
    narrow[15::16] = bytes(edge // 4 for edge in narrow[15::16])
    output = packed_sums.run(name, 200000, 1, bytes(narrow))
    assert re.search(r"rescaled [1-9]\d*, pairs [1-9]\d*, rows [1-9]", output), output


@pytest.mark.parametrize(
    ("exactly", "wrongly"),
    [
        ("(1ll << 31)", "(1ll << 30)"),  # of the product's rounding
        ("(addend + (v >> 31))", "addend"),  # halves upwards
        ("(1u << (right - 1))", "(1u << right)"),
    ],
)
def test_a_wrong_rescaling_with_two_products_an_instruction_is_found(
    tmp_path: Path, exactly: str, wrongly: str
) -> None:
    kernels = shutil.copytree(KERNELS, tmp_path / "kernels")
    header = (kernels / "dsp.h").read_text()
    assert exactly in header
    (kernels / "dsp.h").write_text(header.replace(exactly, wrongly))
    flags = ["-std=c99", "-O2", "-DTK_DSP=1", "-DCOUNT=100000u", "-DSEED=1u", f"-I{kernels}"]
    sources = [str(Path(__file__).parent / "dsp_check.c"), str(kernels / "dsp.c")]
    subprocess.run(["gcc", *flags, *sources, "-o", str(tmp_path / "check")], check=True)
    finished = subprocess.run([tmp_path / "check"], capture_output=True, text=True)
    assert re.search(r"rescaled [1-9]\d*, pairs [1-9]\d*, rows [1-9]\d*, fours [1-9]", finished.stdout)
