"""docs/operators.md lists the operators that the compiler lowers, and the options and limits that it knows."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from tinympy.compiler.lower import MAX_OPERATIONS
from tinympy.compiler.operators import LOWERINGS, average_pool_2d, softmax
from tinympy.compiler.pack import MAX_CONSTANT_BYTES

DOCUMENT = (Path(__file__).parents[2] / "docs/operators.md").read_text(encoding="utf-8")
ROWS = {
    cells[0]: cells[1:]
    for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENT.splitlines())
    if re.fullmatch("[A-Z0-9_]+", cells[0])
}


def test_table_lists_what_the_compiler_lowers() -> None:
    assert list(ROWS) == sorted(LOWERINGS)


def test_options_are_those_that_the_lowering_reads() -> None:
    for name, cells in ROWS.items():
        read = set(re.findall(r'options\.get\("(\w+)"', inspect.getsource(inspect.getmodule(LOWERINGS[name]))))  # type: ignore[arg-type]
        listed = set(re.findall(r"`(\w+)`", cells[1]))
        if cells[1] == "the same":
            listed = set(re.findall(r"`(\w+)`", ROWS["CONV_2D"][1]))
        # Padding, strides and activation are read where all windows are.
        of_windows = {"padding", "stride_h", "stride_w", "fused_activation_function"}
        assert read - of_windows == listed - of_windows, name


def test_limits_are_those_of_the_compiler() -> None:
    assert f"up to {softmax.MAX_DEPTH} classes" in ROWS["SOFTMAX"][2]
    assert f"2^{average_pool_2d.MAX_POSITIONS.bit_length() - 1}" in ROWS["AVERAGE_POOL_2D"][2]
    assert f"up to {MAX_OPERATIONS} operations" in DOCUMENT
    assert f"{MAX_CONSTANT_BYTES >> 20} MiB of constants" in DOCUMENT
