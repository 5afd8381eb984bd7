"""What `tinympy compare` prints: who is faster, then the figures behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy import statistics
from tinympy.comparison import Entry, Ratio, energy_ratio
from tinympy.report.console import UNVERIFIED, board_line
from tinympy.report.quantities import EMULATED_METER, marks, significant


def render(entries: Sequence[Entry], console: Console) -> None:
    """Prints the verdict, a table, and the notes below it."""
    for line in (*verdict(entries), *energy_verdict(entries)):
        console.print(Text(line, style="bold"))
    console.print()
    console.print(_table(entries), crop=False)
    console.print()
    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="dim", no_wrap=True)
    notes.add_column(overflow="fold")
    for key, text in _notes(entries):
        notes.add_row(key, Text(text))
    console.print(notes)


def verdict(entries: Sequence[Entry]) -> list[str]:
    """A sentence for each record that is slower than the fastest, with the fastest as its subject."""
    fastest = entries[0]
    lines = []
    for entry in entries[1:]:
        assert entry.ratio is not None
        if entry.ratio.uncertainty is None or entry.ratio.decided:
            speed = f"{times(entry.ratio)} times faster than {entry.name}"
            line = f"{fastest.name} runs {fastest.record.task.name} {speed}"
        else:
            line = (
                f"{fastest.name} and {entry.name} run {fastest.record.task.name} equally fast, "
                f"as far as the windows tell: {times(entry.ratio)} times"
            )
        emulated = " (emulated)" if fastest.record.board.emulated else ""
        lines.append(line + emulated)
    return lines


def energy_verdict(entries: Sequence[Entry]) -> list[str]:
    """A sentence for each record whose energy can be set against that of the fastest."""
    fastest, lines = entries[0], []
    for entry in entries[1:]:
        found = energy_ratio(entry.record, fastest.record)
        if found is None:
            continue
        emulated = " (emulated meter)" if EMULATED_METER in marks(fastest.record) + marks(entry.record) else ""
        if found.decided:
            line = f"{entry.name} takes {significant(found.value)} times the energy of {fastest.name}"
        else:
            unknown = "too little is known to say more" if found.decided is None else "which may be no difference"
            line = f"{entry.name} shows {significant(found.value)} times the energy of {fastest.name}, {unknown}"
        lines.append(f"{line}: {found.reason}{emulated}")
    return lines


def times(ratio: Ratio) -> str:
    """3.2 ± 0.1: the uncertainty with one digit, two where that digit is a 1 or a 2, and the value as far as that."""
    if ratio.uncertainty is None:
        return f"about {significant(ratio.value)}"
    if ratio.uncertainty == 0:
        return f"{ratio.value:.3f} ± 0"
    exponent = math.floor(math.log10(ratio.uncertainty))
    first = round(ratio.uncertainty / 10**exponent)
    decimals = max(0, min(6, -exponent + (1 if first == 1 or first == 2 else 0)))
    return f"{ratio.value:.{decimals}f} ± {ratio.uncertainty:.{decimals}f}"


def document(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The same as plain data, for JSON, from the fastest on; `times_slower` of the fastest is 1."""
    return [
        {
            **statistics.summary(entry.record),
            "name": entry.name,
            "times_slower": 1.0 if entry.ratio is None else entry.ratio.value,
            "times_slower_uncertainty": None if entry.ratio is None else entry.ratio.uncertainty,
        }
        for entry in entries
    ]


def _table(entries: Sequence[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for header in ("latency\nms", "min…max\nms", "windows", "times slower"):
        table.add_column(header, justify="right", no_wrap=True)
    for entry in entries:
        latency = entry.latency
        table.add_row(
            entry.name,
            Text(significant(latency.median), style="bold"),
            f"{significant(latency.min)}…{significant(latency.max)}",
            str(len(latency.windows)),
            "1" if entry.ratio is None else times(entry.ratio),
        )
    return table


def _notes(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    notes = [("±", "95 % confidence, from the windows' spread; what differs from day to day is not in it")]
    boards = dict.fromkeys(board_line(entry.record.board) for entry in entries)
    notes += [("board", text) for text in boards]
    for entry in entries:
        notes += [("note", f"{entry.name}: {notice}") for notice in statistics.warnings(entry.record)]
    if any(entry.record.task.official for entry in entries):
        notes.append(("label", f"{entries[0].record.task.name}: {UNVERIFIED}"))
    return notes
