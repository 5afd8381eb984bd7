"""docs/operators.md lists the operators that the compiler lowers, and the options and limits that it knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinympy.compiler.loops import MAX_ELEMENTS, MAX_RANK
from tinympy.compiler.lowering import MAX_CONSTANT_BYTES, MAX_OPERATIONS
from tinympy.compiler.operators import LOWERINGS, average_pool_2d, movement, reduction, softmax, transpose_conv
from tinympy.model.graph import Graph, Operator, Tensor
from tinympy.model.read import read
from tinympy.model.write import write

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
ROWS = {
    cells[0]: cells[1:]
    for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENT.splitlines())
    if re.fullmatch("[A-Z0-9_]+", cells[0])
}
NOT_READ = set(re.findall(r"`(\w+)`", DOCUMENT.split("**Options that are not read**")[1].split("\n\n")[0]))
SOURCES = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("compiler/operators", "reference")
    for path in (ROOT / "host/tinympy" / folder).glob("*.py")
)


def test_table_lists_what_the_compiler_lowers() -> None:
    assert list(ROWS) == sorted(LOWERINGS)


@pytest.mark.parametrize("name", ROWS)
def test_each_option_of_the_schema_is_listed_or_not_read(name: str) -> None:
    _, options, limits = ROWS[name]
    listed = set(re.findall(r"`(\w+)`", options.replace("activation", "`fused_activation_function`")))
    assert listed <= schema_options(name)
    assert schema_options(name) - listed <= NOT_READ | set(re.findall(r"`(\w+)`", limits))


def schema_options(name: str) -> set[str]:
    tensors = (Tensor("input", (1,), "int8"), Tensor("output", (1,), "int8"))
    options = {"init_subgraph_index": 1} if name == "CALL_ONCE" else {}
    [operator] = read(write(Graph(tensors, (Operator(name, (0,), (1,), options),), (0,), (1,)))).operators
    return set(operator.options)


@pytest.mark.parametrize("option", sorted(NOT_READ))
def test_options_that_are_not_read_are_not(option: str) -> None:
    assert f'"{option}"' not in SOURCES


def power_of_two(number: int) -> str:
    assert number.bit_count() == 1
    return f"2^{number.bit_length() - 1}"


def test_limits_are_those_of_the_compiler() -> None:
    for name in ("SOFTMAX", "LOG_SOFTMAX"):
        assert f"up to {softmax.MAX_DEPTH} classes" in ROWS[name][2]
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        assert f"up to {power_of_two(average_pool_2d.MAX_POSITIONS)}" in ROWS[name][2]
    for name in ("MEAN", "SUM"):
        assert f"up to {power_of_two(reduction.MAX_REDUCED)} elements" in ROWS[name][2]
    assert f"up to {movement.MAX_BATCHES} batches" in ROWS["GATHER"][2]
    assert f"up to {transpose_conv.MAX_SIDE}" in ROWS["TRANSPOSE_CONV"][2]
    assert f"of up to {power_of_two(MAX_ELEMENTS)} elements and {MAX_RANK} dimensions" in DOCUMENT
    assert f"up to {MAX_OPERATIONS} operations" in DOCUMENT
    assert f"{MAX_CONSTANT_BYTES >> 20} MiB of constants" in DOCUMENT
