"""Engines side by side: on the console behind `tinympy bench`, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy.report.quantities import significant
from tinympy.speed_ups import Row, SpeedUps

HEADERS = (
    "engine",
    "latency, ms",
    "min…max, ms",
    "times as fast",
    "arena, kB",
    "program, kB",
    "code, kB",
)
_BAR_COLUMNS = 24
_NONE = "–"


def render(found: Sequence[SpeedUps], console: Console) -> None:
    """A table for each comparison, with a bar for each engine's speed."""
    for each in found:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left", collapse_padding=True)
        table.title = Text(_title(each), style="bold")
        table.add_column("engine", no_wrap=True)
        for header in HEADERS[1:]:
            table.add_column(header.replace(", ", "\n").replace(" as ", "\nas "), justify="right", no_wrap=True)
        for row in each.rows:
            table.add_row(*cells(row))
        console.print()
        console.print(table, crop=False)
        most = max(row.speed_up for row in each.rows)
        for row in each.rows:
            bar = "█" * max(1, round(_BAR_COLUMNS * row.speed_up / most))
            console.print(Text(f"{row.engine:7}{bar} {significant(row.speed_up)}"), crop=False)
    if found:
        console.print()
        console.print(Text("\n".join((NOTE, *firmware(found))), style="dim"))


NOTE = "times as fast: as the slowest, by medians of the windows; code: RAM of the engine on a 32-bit board"


def cells(row: Row) -> tuple[str, ...]:
    """The texts of a row, as HEADERS has them."""
    sizes = (row.arena_bytes, row.program_bytes, row.code_bytes)
    return (
        row.engine,
        significant(row.median_ms),
        f"{significant(row.min_ms)}…{significant(row.max_ms)}",
        significant(row.speed_up),
        *(_NONE if size is None else f"{size / 1000:.1f}" for size in sizes),
    )


def firmware(found: Sequence[SpeedUps]) -> list[str]:
    """Which engines ran on which firmware, a line each."""
    engines: dict[str, list[str]] = {}
    for row in (row for each in found for row in each.rows):
        engines.setdefault(row.firmware, []).append(row.engine)
    return [f"{', '.join(dict.fromkeys(names))}: {each}" for each, names in engines.items()]


def markdown(found: Sequence[SpeedUps]) -> str:
    """One table of all comparisons, and the firmware below it."""
    lines = ["| task | " + " | ".join(HEADERS) + " |", "|---|---|" + "---:|" * (len(HEADERS) - 1)]
    for each in found:
        emulated = ", emulated" if each.emulated else ""
        name = f"`{each.task}` on `{each.board}`{emulated}"
        lines += [f"| {name} | " + " | ".join(cells(row)) + " |" for row in each.rows]
    return "\n".join((*lines, "", *firmware(found))) + "\n"


def _title(found: SpeedUps) -> str:
    return f"{found.task} on {found.board}{' (emulated)' if found.emulated else ''}"
