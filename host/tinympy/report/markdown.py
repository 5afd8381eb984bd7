"""A report as Markdown, in the dialect of GitHub: a section and a table for each task."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tinympy import statistics
from tinympy.records import Record
from tinympy.report import quantities
from tinympy.report.collection import Chapter, Runs, chapters
from tinympy.report.console import UNVERIFIED, board_line


def render(records: Sequence[Record]) -> str:
    """The whole document, ending in a line end."""
    parts = ["# tinympy report"]
    for chapter in chapters(records):
        parts += [f"## {escape(chapter.name)}: {escape(chapter.title)}"]
        parts += [UNVERIFIED] if chapter.official else []
        parts += [_table(chapter), *_notes(chapter)]
    boards = "\n".join(f"* {escape(line)}" for line in dict.fromkeys(board_line(record.board) for record in records))
    parts += [
        "## Boards",
        boards,
        "kB are 1000 bytes. Latency is the median of the windows; the range is fastest…slowest.",
    ]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text in which nothing is markup, and which is one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~])", r"\\\1", " ".join(text.split()))


def _table(chapter: Chapter) -> str:
    columns = quantities.columns(chapter.records)
    head = ["board", "engine", "accuracy", *(each.header for each in columns), "range, ms", "notes"]
    right = ["---:" if index in range(3, 4 + len(columns)) else "---" for index in range(len(head))]
    rows = [_row(runs, columns) for runs in chapter.runs]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, right, *rows))


def _row(runs: Runs, columns: Sequence[quantities.Quantity]) -> list[str]:
    record = runs.record
    notes = [mark for mark in quantities.marks(record) if mark != quantities.GENERATED]
    if runs.others:
        notes.append(f"newest valid one of {len(runs.records)}")
    return [
        escape(quantities.place(record)),
        escape(record.engine.name),
        quantities.accuracy(record),
        *(each.shown(record) for each in columns),
        quantities.latency_range(record),
        ", ".join(notes),
    ]


def _notes(chapter: Chapter) -> Iterable[str]:
    lines = []
    for record in chapter.records:
        model = f", {quantities.own_model(record)}" if record.model.weights == "own" else ""
        where = f"{quantities.place(record)} ({record.engine.name}{model})"
        reason = statistics.invalid_reason(record)
        if reason is not None:
            lines.append(f"* {escape(f'{where}: invalid: {reason}')}")
        lines += [f"* {escape(f'{where}: {notice}')}" for notice in statistics.warnings(record)]
    if lines:
        yield "\n".join(dict.fromkeys(lines))
