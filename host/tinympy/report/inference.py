"""What `tinympy run` prints: for each input the top classes, or the values that came out, and what was heard when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy.inference import Inference, Run
from tinympy.listening import Stretch
from tinympy.report.console import board_line
from tinympy.signature import Array, End
from tinympy.subject import Subject

_SHOWN_INPUTS = 20
_SHOWN_VALUES = 4
_ROOMY_COLUMNS = 110


def render(
    subject: Subject,
    result: Run,
    classes: Sequence[str] | None,
    top: int,
    how: Sequence[str],
    console: Console,
    heard: Sequence[Stretch] = (),
    target: str = "",
) -> None:
    """Prints a row for each input, and below what the figures mean. Made for 80 columns and more.

    Of sound, a row for each stretch of `heard`, in which `target` is listened for.
    """
    inputs = [inference for inference in result.inferences if inference.heard_at_ms is None]
    console.print(Text(subject.heading, style="bold"))
    if heard:
        console.print(_stretches(heard, result.signature.outputs[0], target))
        console.print()
    if inputs:
        console.print(_inputs(inputs, result, classes, top, console.width))
        console.print()
    console.print(_notes(subject, result, how, max(0, len(inputs) - _SHOWN_INPUTS)))


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))


def _stretches(heard: Sequence[Stretch], end: End, target: str) -> Table:
    table = _table()
    table.add_column("sound", overflow="fold")
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column("hops", justify="right", no_wrap=True)
    table.add_column(target, no_wrap=True)
    table.add_column("", no_wrap=True)
    for index, stretch in enumerate(heard):
        low, high = _real(end, np.array([stretch.lowest, stretch.highest]))
        values = Text.assemble(f"{low} … {high}", (f" ({stretch.lowest} … {stretch.highest})", "dim"))
        time = f"{stretch.begin_ms / 1000:.2f} … {stretch.end_ms / 1000:.2f}"
        detected = Text("detected", style="bold green") if stretch.detected else Text("–", style="dim")
        # A recording is named once.
        name = "" if index and stretch.begin_ms else stretch.recording
        table.add_row(name, time, str(stretch.hops), values, detected)
    return table


def _inputs(inferences: Sequence[Inference], result: Run, classes: Sequence[str] | None, top: int, width: int) -> Table:
    count = _SHOWN_VALUES * (2 if width >= _ROOMY_COLUMNS else 1)
    timed = any(inference.elapsed_us is not None for inference in inferences)
    table = _table()
    table.add_column("input", overflow="fold")
    table.add_column("outputs" if classes is None else f"top {min(top, len(classes))} classes", no_wrap=True)
    if timed:
        table.add_column("µs", justify="right", no_wrap=True)
    for inference in inferences[:_SHOWN_INPUTS]:
        if classes is None:
            shown = Text("\n").join(
                _values(end, raw, count) for end, raw in zip(result.signature.outputs, inference.outputs, strict=True)
            )
        else:
            shown = _classes(result.signature.outputs[0], inference.outputs[0], classes, top)
        table.add_row(inference.name, shown, *([str(inference.elapsed_us)] if timed else []))
    return table


def document(
    subject: Subject, result: Run, classes: Sequence[str] | None, how: Sequence[str], heard: Sequence[Stretch] = ()
) -> dict[str, Any]:
    """All of it as plain data, for JSON; `class` is that of the largest output, None without classes."""
    return {
        **subject.document(),
        "inputs_how": list(how),
        "outputs": [
            {
                "name": end.name,
                "shape": list(end.shape),
                "dtype": end.raw_dtype,
                "scale": end.scale,
                "zero_point": end.zero_point,
            }
            for end in result.signature.outputs
        ],
        "stateful": result.stateful,
        "heard": [stretch.document() for stretch in heard],
        "inferences": [
            {
                "input": inference.name,
                "time_us": inference.elapsed_us,
                "class": None if classes is None else classes[int(np.argmax(inference.outputs[0]))],
                "raw": [raw.reshape(-1).tolist() for raw in inference.outputs],
                "real": [
                    end.real(raw).reshape(-1).tolist()
                    for end, raw in zip(result.signature.outputs, inference.outputs, strict=True)
                ],
            }
            for inference in result.inferences
        ],
    }


def _classes(end: End, raw: Array, classes: Sequence[str], top: int) -> Text:
    flat = raw.reshape(-1)
    # Of equal values the first class comes first, as everywhere else.
    order = np.argsort(-flat.astype(np.int64), kind="stable")[:top]
    text = Text()
    for rank, index in enumerate(order):
        text.append(classes[index], style="bold" if rank == 0 else "")
        text.append(f": {_real(end, flat[index : index + 1])[0]}")
        text.append(f" ({flat[index]})", style="dim")
        text.append("  " if rank < len(order) - 1 else "")
    return text


def _values(end: End, raw: Array, count: int) -> Text:
    flat = raw.reshape(-1)
    shown = flat[:count]
    text = Text()
    for value, real in zip(shown, _real(end, shown), strict=True):
        text.append(f"{real}", style="bold")
        text.append(f" ({value})  ", style="dim")
    if flat.size > shown.size:
        reals = end.real(flat)
        text.append(f"…\n{flat.size} values from {reals.min():.4g} to {reals.max():.4g}", style="dim")
    return text


def _real(end: End, raw: Array) -> list[str]:
    return [f"{value:.4g}" for value in end.real(raw)]


def _notes(subject: Subject, result: Run, how: Sequence[str], left: int) -> Table:
    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="dim", no_wrap=True)
    notes.add_column(overflow="fold")
    for end in result.signature.inputs:
        notes.add_row("input", Text(f"{end.name}: {end.dtype} {end.shape}"))
    for sentence in how:
        notes.add_row("", Text(sentence))
    for end in result.signature.outputs:
        text = f"{end.name}: {end.dtype} {end.shape}; real value (raw {end.raw_dtype})"
        notes.add_row("output", Text(text))
    notes.add_row("board", Text(board_line(subject.board)))
    if result.stateful:
        notes.add_row("state", "kept from input to input, reset before the first")
    if subject.caveat is not None:
        notes.add_row("note", Text(subject.caveat))
    if left:
        notes.add_row("inputs", f"{left} more are not shown: --json and -o have all")
    return notes
