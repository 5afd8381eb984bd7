"""A network's table: one row for the input, then one for each operator in the order of execution.

The columns are named in each file's first row; `-` stands where an operator has no such thing. Scale and zero point are
those of the row's output as published.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

NAMES = ("kws01", "vww01", "ic01", "ic02", "ad01", "sww01")

_ABSENT = "-"


@dataclass(frozen=True)
class Row:
    """`inputs` are the numbers of the rows whose outputs the operator reads; pairs are height before width."""

    operator: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str
    activation: str
    scale: float
    zero_point: int


def rows(name: str) -> list[Row]:
    """The table of the network called `name`; a row's number is its index."""
    lines = files(__package__).joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines()
    cells = [line.split() for line in lines if not line.startswith("#")]
    return [_row(*row) for row in cells[1:]]


def _row(
    _number: str,
    operator: str,
    inputs: str,
    shape: str,
    kernel: str,
    stride: str,
    padding: str,
    activation: str,
    scale: str,
    zero_point: str,
) -> Row:
    return Row(
        operator,
        _integers(inputs, ","),
        _integers(shape, "x"),
        _integers(kernel, "x"),
        _integers(stride, "x"),
        padding,
        activation,
        float(scale),
        int(zero_point),
    )


def _integers(text: str, separator: str) -> tuple[int, ...]:
    return () if text == _ABSENT else tuple(map(int, text.split(separator)))
