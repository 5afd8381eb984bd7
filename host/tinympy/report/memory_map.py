"""The map that `tinympy check --memory` prints: operations downwards, the arena from left to right, and the peak."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy.inspection import MemoryMap, Row, Use

# Neighbours must differ without colours as well.
_SHADES = "▓▒░"
_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")
_PERMANENT = {"input": ("█", "bright_black"), "state": ("█", "bright_blue"), "scratch": ("▚", "bright_red")}
_SHARED = ("╳", "bold bright_white")
_NARROWEST_BAR = 24


def render(memory: MemoryMap, console: Console) -> None:
    """Prints one bar an operation, and below it what makes the largest one."""
    width = max(_NARROWEST_BAR, console.width - _labels_width(memory))
    console.print(Text(f"arena of {memory.arena_bytes} bytes: each line is an operation, each bar a value", "bold"))
    console.print(Text("number: operation that writes it; █ input, state, ▚ scratch, ╳ in place, ▶ peak", "dim"))
    console.print()
    console.print(_ruler(memory, width), soft_wrap=True)
    peak = memory.peak
    for row in memory.rows:
        console.print(_label(row, memory, row is peak) + _bar(row, memory, width), soft_wrap=True)
    console.print()
    console.print(_why(memory))


def document(memory: MemoryMap) -> dict[str, Any]:
    """The same as plain data, for JSON."""
    return {
        "arena_bytes": memory.arena_bytes,
        "peak_operation": memory.peak.index,
        "peak_bytes": memory.peak.live_bytes,
        "lower_bound_bytes": memory.lower_bound_bytes,
        "operations": [
            {
                "index": row.index,
                "operator": row.operator,
                "name": row.name,
                "live_bytes": row.live_bytes,
                "shared_bytes": row.shared_bytes,
                "values": [
                    {
                        "value": use.value.name,
                        "what": use.value.what,
                        "role": use.role,
                        "offset": use.value.offset,
                        "bytes": use.value.bytes,
                    }
                    for use in row.uses
                ],
            }
            for row in memory.rows
        ],
    }


def _labels_width(memory: MemoryMap) -> int:
    number, name, live = _columns(memory)
    return number + name + live + 5


def _columns(memory: MemoryMap) -> tuple[int, int, int]:
    """Widths of the operation's number, its name, and its live bytes."""
    return (
        len(str(len(memory.rows) - 1)),
        max(len("operation"), *(len(row.name) for row in memory.rows)),
        max(len(str(memory.arena_bytes)), len("bytes")),
    )


def _label(row: Row, memory: MemoryMap, peak: bool) -> Text:
    number, name, live = _columns(memory)
    text = Text(f"{row.index:{number}}  {row.name:{name}} ")
    text.append(f"{row.live_bytes:{live}}", "bold red" if peak else "dim")
    return text.append(" ▶" if peak else "  ", "bold red")


def _bar(row: Row, memory: MemoryMap, width: int) -> Text:
    cells: list[tuple[str, str]] = [(" ", "")] * width
    scale = width / memory.arena_bytes
    # The small ones last: they get one cell even where it belongs to a neighbour.
    for use in sorted(row.uses, key=lambda use: -use.value.bytes):
        begin = min(width - 1, round(use.value.offset * scale))
        end = max(begin + 1, round((use.value.offset + use.value.bytes) * scale))
        shade, colour = _look(use)
        style = f"bold {colour}" if "written" in use.role else colour
        label = use.value.name if len(use.value.name) + 1 < end - begin else ""
        for at in range(begin, end):
            cells[at] = (label[at - begin], f"bold reverse {colour}") if at - begin < len(label) else (shade, style)
    for first, behind in row.shared:
        for at in range(round(first * scale), round(behind * scale)):
            if not cells[at][0].isalnum():
                cells[at] = _SHARED
    return Text.assemble(*cells)


def _look(use: Use) -> tuple[str, str]:
    """Shade and colour of a value: the same on every line."""
    if use.value.name in _PERMANENT:
        return _PERMANENT[use.value.name]
    number = int(use.value.name)
    return _SHADES[number % len(_SHADES)], _COLOURS[number % len(_COLOURS)]


def _ruler(memory: MemoryMap, width: int) -> Text:
    """The arena's addresses above the bars, a mark each quarter."""
    line = [" "] * width
    for quarter in range(5):
        text = str(memory.arena_bytes * quarter // 4)
        at = min(width - len(text), width * quarter // 4)
        line[at : at + len(text)] = text
    number, name, live = _columns(memory)
    return Text(f"{'':{number}}  {'operation':{name}} {'bytes':>{live}}  {''.join(line)}", "dim")


def _why(memory: MemoryMap) -> Table:
    """The peak in words."""
    peak = memory.peak
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    where = f"alive at once during operation {peak.index}, {peak.name}: the peak"
    table.add_row(Text(str(peak.live_bytes), "bold red"), Text(where, "bold"))
    for use in sorted(peak.uses, key=lambda use: use.value.offset):
        role = "" if use.value.name in _PERMANENT else f", {use.role}" if use.role != "kept" else ", needed later"
        table.add_row(str(use.value.bytes), f"{use.value.what}{role} (at {use.value.offset})")
    if peak.shared_bytes:
        table.add_row(f"-{peak.shared_bytes}", "shared: what is written takes the place of what has been read")
    lost, more = memory.arena_bytes - peak.live_bytes, memory.arena_bytes - memory.lower_bound_bytes
    table.add_row(str(lost), "lost to alignment, gaps, and operations in place, each a step below the one before")
    table.add_row(Text(str(memory.arena_bytes), "bold"), Text("arena", "bold").append(_bound(more), "not bold"))
    return table


def _bound(more: int) -> str:
    """How far the plan is from the least that any plan could take."""
    return f": {more} above the lower bound of any plan" if more else ": no plan takes less"
