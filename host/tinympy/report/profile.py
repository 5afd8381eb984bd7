"""What `tinympy profile` prints: a row for each layer, then the whole inference beside their sum."""

from __future__ import annotations

import csv
import io
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy.profiling import LayerProfile, Profile
from tinympy.report.console import board_line
from tinympy.report.layers import SCHEMA
from tinympy.subject import Subject

BOUND = "1.75 to 3 cycles a MAC, by the weights: what the products alone take on this core (docs/performance.md)"
_BAR_CHARACTERS = 24
_ROOMY_COLUMNS = 110
_COLUMNS = (
    "operator",
    "name",
    "output_shape",
    "time_us",
    "min_us",
    "max_us",
    "share",
    "macs",
    "cycles_per_mac",
    "bytes_read",
    "times_bound",
)


def render(subject: Subject, result: Profile, console: Console) -> None:
    """Prints the table and the notes below it; made for 80 columns, with bars where there are 110."""
    bars = console.width >= _ROOMY_COLUMNS
    console.print(Text(subject.heading, style="bold"))
    console.print(_table(result, bars), crop=False)
    console.print()
    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="dim", no_wrap=True)
    notes.add_column(overflow="fold")
    for key, text in _notes(subject, result):
        notes.add_row(key, Text(text))
    console.print(notes)


def rows(result: Profile) -> list[dict[str, Any]]:
    """A dictionary for each layer, the keys as in the CSV file; None where a figure has no meaning."""
    return [dict(zip(_COLUMNS, _figures(result, layer), strict=True)) for layer in result.layers]


def document(subject: Subject, result: Profile) -> dict[str, Any]:
    """The whole profile as plain data, for JSON; `tinympy report` reads it back."""
    return {
        "schema": SCHEMA,
        **subject.document(),
        "model_sha256": result.model_sha256,
        "windows": len(result.whole.windows_us),
        "window_s": result.window_s,
        "layers": rows(result),
        "sum_us": result.sum_us,
        "whole_us": result.whole.median_us,
        "whole_windows_us": list(result.whole.windows_us),
        "call_us": result.call.median_us,
        "difference_us": result.difference_us,
    }


def as_csv(result: Profile) -> str:
    """A line for each layer below one with the names of the columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(result))
    return text.getvalue()


def _figures(result: Profile, layer: LayerProfile) -> tuple[Any, ...]:
    windows_us = layer.timing.windows_us
    return (
        layer.operator,
        layer.name,
        shape(layer),
        layer.timing.median_us,
        min(windows_us),
        max(windows_us),
        result.share(layer),
        layer.macs,
        result.cycles_per_mac(layer),
        layer.bytes_read,
        result.times_bound(layer),
    )


def shape(layer: LayerProfile) -> str:
    """The output's shape without its leading ones, as 25×5×64."""
    sides = list(layer.shape)
    while len(sides) > 1 and sides[0] == 1:
        del sides[0]
    return "×".join(map(str, sides))


def _table(result: Profile, bars: bool) -> Table:
    cycles = result.clock_hz is not None
    bound = any(result.times_bound(layer) for layer in result.layers)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2 if bars else 1, 0, 0))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("operator", no_wrap=True)
    table.add_column("output", no_wrap=True)
    for header in (
        "time\nµs",
        "share\n%",
        "MACs",
        *(["cycles\n/MAC"] if cycles else []),
        *(["times\nbound"] if bound else []),
        "read\nbytes",
    ):
        table.add_column(header, justify="right", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True)
    longest = max((result.share(layer) for layer in result.layers), default=0.0)
    for layer in result.layers:
        cells = [
            Text(str(layer.operator), style="dim"),
            Text(layer.name),
            Text(shape(layer), style="dim"),
            Text(_us(layer.timing.median_us), style="bold"),
            Text(f"{100 * result.share(layer):.1f}"),
            Text(f"{layer.macs}" if layer.macs else "–", style="" if layer.macs else "dim"),
        ]
        if cycles:
            cells.append(_ratio(result.cycles_per_mac(layer)))
        if bound:
            cells.append(_ratio(result.times_bound(layer)))
        cells.append(Text(str(layer.bytes_read)))
        if bars:
            share = result.share(layer) / longest if longest else 0.0
            cells.append(Text("█" * round(_BAR_CHARACTERS * share), style="cyan"))
        table.add_row(*cells)
    table.add_section()
    for name, us in (("sum of layers", result.sum_us), ("whole inference", result.whole.median_us)):
        table.add_row("", name, "", Text(_us(us), style="bold"))
    table.add_row("", "difference", "", _us(result.difference_us))
    return table


def _ratio(value: float | None) -> Text:
    return Text("–", style="dim") if value is None else Text(f"{value:.1f}")


def _notes(subject: Subject, result: Profile) -> list[tuple[str, str]]:
    whole = result.whole
    widest = max(result.layers, key=lambda layer: layer.timing.range_us, default=None)
    layers = (
        "" if widest is None else f", layers' by up to {_us(widest.timing.range_us)} µs (operator {widest.operator})"
    )
    share = f"{100 * result.difference_us / whole.median_us:.1f} % of the whole: " if whole.median_us else ""
    windows = f"{len(whole.windows_us)} windows of at least {1000 * result.window_s:g} ms"
    notes = [
        ("time", f"median of {windows}; share: of the layers' sum"),
        ("spread", f"the whole inference's windows differ by {_us(whole.range_us)} µs{layers}"),
        ("call", f"starting a layer costs {_us(result.call.median_us)} µs: taken off each, part of the whole"),
        ("difference", f"{share}one call, and what layers cost each other"),
        ("read", "inputs and constants, each byte once"),
    ]
    if any(result.times_bound(layer) for layer in result.layers):
        notes.append(("bound", BOUND))
    notes.append(("board", board_line(subject.board)))
    if subject.caveat is not None:
        notes.append(("note", subject.caveat))
    return notes


def _us(value: float) -> str:
    magnitude = abs(value)
    decimals = 0 if magnitude >= 1000 else 1 if magnitude >= 100 else 2 if magnitude >= 10 else 3
    return f"{value:.{decimals}f}"
