"""What `tinympy verify` prints: that all bytes agree, or where the first one does not."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy.report.console import board_line
from tinympy.subject import Subject
from tinympy.verification import Difference, Verification


def render(subject: Subject, result: Verification, console: Console) -> None:
    """Prints the verdict, and below it what it is based on."""
    difference = result.difference
    verdict = (
        (f"all {result.compared_bytes} bytes agree with the reference engine", "bold green")
        if difference is None
        else ("differs from the reference engine", "bold red")
    )
    console.print(Text.assemble(f"{subject.heading}: ", verdict))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    caveat = [] if subject.caveat is None else [("note", subject.caveat)]
    for key, text in (*_rows(result), ("board", board_line(subject.board)), *caveat):
        table.add_row(key, Text(text))
    console.print(table)


def document(subject: Subject, result: Verification) -> dict[str, Any]:
    """The same as plain data, for JSON."""
    difference = result.difference
    return {
        **subject.document(),
        "agrees": difference is None,
        "inputs": result.samples,
        "operators": result.operators,
        "compared_bytes": result.compared_bytes,
        "difference": None if difference is None else vars(difference),
    }


def where(difference: Difference) -> str:
    """Operator, channel and position in one line."""
    place = difference.position[difference.shape[:1] == (1,) :]
    if len(difference.shape) == 4 and len(place) == 2:
        at = f" at row {place[0]}, column {place[1]}"
    else:
        at = f" at {place}" if place else ""
    return f"operator {difference.operator} ({difference.name}), channel {difference.channel}{at}"


def _rows(result: Verification) -> list[tuple[str, str]]:
    difference = result.difference
    if difference is not None:
        return _failed(result, difference)
    return [
        ("layers", f"{result.operators} operators, each one's output, on {_inputs(result.samples)}"),
        ("whole", "the outputs of the same inferences in one go"),
    ]


def _failed(result: Verification, difference: Difference) -> list[tuple[str, str]]:
    agreeing = result.compared_bytes
    rows = [
        ("first", where(difference)),
        ("tensor", f"{difference.tensor}, shape {difference.shape}"),
        ("value", f"expected {difference.expected}, got {difference.got}"),
        ("extent", f"{difference.wrong} of {difference.elements} values of this tensor differ"),
        ("input", f"{difference.sample} (the first is 0); {agreeing} bytes were compared up to here"),
    ]
    if difference.whole:
        rows.append(("whole", "layer by layer all inferences were right: only in one go they are not"))
    return rows


def _inputs(count: int) -> str:
    return "1 input" if count == 1 else f"{count} inputs"
