"""What `tinympy records list` shows: one row a file, with the headline of its result, or why it cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy import records, statistics
from tinympy.errors import UsageError
from tinympy.records import Record


@dataclass(frozen=True)
class Entry:
    """A file, and its record or what is wrong with it."""

    path: Path
    record: Record | None
    problem: str = ""


def entries(paths: Sequence[Path]) -> list[Entry]:
    """Every file as it could be read."""
    found = []
    for path in paths:
        try:
            found.append(Entry(path, records.read(path)))
        except UsageError as error:
            found.append(Entry(path, None, error.message))
    return found


def row(entry: Entry) -> dict[str, Any]:
    """One file as `--json` prints it."""
    record = entry.record
    if record is None:
        return {"record": str(entry.path), "problem": entry.problem}
    version = records.VERSION if record.migrated_from is None else record.migrated_from
    return {"created": record.created, "schema_version": version, **statistics.summary(record)}


def render(found: Sequence[Entry], console: Console) -> None:
    """Prints the table; a line that says so when there is nothing."""
    if not found:
        console.print("no records here")
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("record", overflow="fold")
    for header in ("accuracy", "latency ms"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("state", overflow="fold")
    for entry in found:
        table.add_row(*_cells(entry))
    console.print(table)


def _cells(entry: Entry) -> list[Text]:
    """The name of a record tells when it was made, board, task and engine."""
    record, name = entry.record, Text(str(entry.path))
    if record is None:
        return [name, Text(""), Text(""), Text(_without_name(entry), style="bold red")]
    latency, accuracy = statistics.latency_ms(record), record.accuracy
    return [
        name,
        Text("–" if accuracy is None else statistics.figure(accuracy.metric, accuracy.value)),
        Text("–" if latency is None else f"{latency.median:.3g}"),
        _state(record),
    ]


def _without_name(entry: Entry) -> str:
    """The problem in a row that begins with the name of the file."""
    return entry.problem.replace(f"the record {entry.path} ", "").replace(str(entry.path), "it")


def _state(record: Record) -> Text:
    emulated = "emulated, " if record.board.emulated else ""
    reason = statistics.invalid_reason(record)
    if reason is not None:
        return Text(f"{emulated}invalid: {reason}", style="bold red")
    count = len(statistics.warnings(record))
    if count:
        return Text(f"{emulated}valid, {count} warning{'s' * (count > 1)}", style="yellow")
    return Text(f"{emulated}valid")
