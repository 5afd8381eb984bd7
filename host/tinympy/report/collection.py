"""The records and profiles that a report is made of, read from files and folders, and how they belong together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinympy import records, statistics
from tinympy.errors import UsageError
from tinympy.records import Record
from tinympy.report import layers
from tinympy.report.layers import Layers
from tinympy.report.quantities import place


@dataclass
class Collection:
    """What was read; `unread` holds a line for each file of a folder that is neither a record nor a profile."""

    records: list[Record] = field(default_factory=list)
    profiles: list[Layers] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Runs:
    """Records of the same model on the same board, engine and mode, the one that speaks for them first.

    That is the newest valid one; the newest, where none is valid.
    """

    records: tuple[Record, ...]

    @property
    def record(self) -> Record:
        return self.records[0]

    @property
    def others(self) -> tuple[Record, ...]:
        return self.records[1:]


@dataclass(frozen=True)
class Chapter:
    """All runs of one task: real boards before emulated ones, valid before invalid, official weights before
    others, then the faster.

    official: at least one of them is of the task as MLPerf Tiny defines it.
    """

    name: str
    title: str
    official: bool
    runs: tuple[Runs, ...]

    @property
    def records(self) -> list[Record]:
        """The ones that speak."""
        return [runs.record for runs in self.runs]


def read(paths: Iterable[Path]) -> Collection:
    """Everything in files and in folders' .json files. What is named must be readable; what lies in a folder need not.

    Raises:
        UsageError: a file cannot be read, a folder has no record, or there is none at all.
    """
    found = Collection()
    for path in paths:
        if not path.is_dir():
            _add(found, path)
            continue
        for file in sorted(path.glob("*.json")):
            try:
                _add(found, file)
            except UsageError as error:
                found.unread.append(error.message)
    if not found.records:
        hint = (
            found.unread[0]
            if found.unread
            else "name record files or folders that have some; `tinympy bench` writes them"
        )
        raise UsageError("there is no record to report", hint)
    return found


def chapters(found: Sequence[Record]) -> list[Chapter]:
    """Records by task, in alphabetical order, those on networks of MLPerf Tiny first."""
    tasks: dict[str, list[Record]] = {}
    for record in found:
        tasks.setdefault(record.task.name, []).append(record)
    made = []
    for name, those in tasks.items():
        official = any(record.task.official for record in those)
        made.append(Chapter(name, those[0].task.title, official, tuple(sorted(_runs(those), key=_order))))
    return sorted(made, key=lambda chapter: (not any(each.model.weights for each in chapter.records), chapter.name))


def _add(found: Collection, path: Path) -> None:
    if layers.is_profile(_schema(path)):
        found.profiles.append(layers.read(path))
    else:
        found.records.append(records.read(path))


def _schema(path: Path) -> str:
    """What a file says that it is; empty where it says nothing: who reads it then has the words for the reason."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    return str(document.get("schema", "")) if isinstance(document, dict) else ""


def _runs(found: Sequence[Record]) -> list[Runs]:
    same: dict[tuple[object, ...], list[Record]] = {}
    for record in found:
        same.setdefault(_kind(record), []).append(record)
    return [Runs(tuple(sorted(those, key=_precedence, reverse=True))) for those in same.values()]


def _kind(record: Record) -> tuple[object, ...]:
    board, reused = record.board, record.program is not None and record.program.input_reused
    where = place(record), board.emulated, board.clock_hz, record.engine.name
    return *where, record.model.sha256, record.mode, reused


def _precedence(record: Record) -> tuple[bool, str, str]:
    return statistics.invalid_reason(record) is None, record.created, _name(record)


def _order(runs: Runs) -> tuple[bool, bool, int, float, str, str]:
    record = runs.record
    latency = statistics.latency_ms(record)
    slow = float("inf") if latency is None else latency.median
    invalid = statistics.invalid_reason(record) is not None
    weights = {"own": 1, "generated": 2}.get(record.model.weights or "", 0)
    return record.board.emulated, invalid, weights, slow, place(record), _name(record)


def _name(record: Record) -> str:
    return record.path.name if record.path else ""
