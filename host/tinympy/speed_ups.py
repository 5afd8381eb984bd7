"""One model on one board with several engines: how many times as fast they are, and the memory that each takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinympy import statistics
from tinympy.records import Record


@dataclass(frozen=True)
class Row:
    """An engine, and the firmware it ran on. speed_up: how many times as fast as the slowest one of the comparison, by
    medians.

    code_bytes: RAM of the engine's code on a 32-bit board.
    """

    engine: str
    firmware: str
    median_ms: float
    min_ms: float
    max_ms: float
    speed_up: float
    arena_bytes: int | None
    program_bytes: int | None
    code_bytes: int | None


@dataclass(frozen=True)
class SpeedUps:
    """The engines of one task on one board, the fastest first."""

    task: str
    board: str
    emulated: bool
    rows: tuple[Row, ...]


def speed_ups(records: Sequence[Record]) -> list[SpeedUps]:
    """A comparison for each model and board that valid records of two engines or more are about."""
    groups: dict[tuple[object, ...], dict[str, Record]] = {}
    for record in records:
        if statistics.latency_ms(record) is not None and statistics.invalid_reason(record) is None:
            key = (record.task.name, record.model.sha256, record.board.name, record.board.emulated)
            # Of several records of an engine the last one speaks.
            groups.setdefault(key, {})[record.engine.name] = record
    return [
        SpeedUps(str(task), str(board), bool(emulated), _rows(list(engines.values())))
        for (task, _, board, emulated), engines in groups.items()
        if len(engines) > 1
    ]


def document(found: Sequence[SpeedUps]) -> list[dict[str, Any]]:
    """The same as JSON has it."""
    return [asdict(each) for each in found]


def from_document(found: Sequence[dict[str, Any]]) -> list[SpeedUps]:
    """What `document` was made of."""
    return [SpeedUps(**{**each, "rows": tuple(Row(**row) for row in each["rows"])}) for each in found]


def _rows(records: list[Record]) -> tuple[Row, ...]:
    timed = [(record, latency) for record in records if (latency := statistics.latency_ms(record))]
    slowest = max(latency.median for _, latency in timed)
    rows = [
        Row(
            record.engine.name,
            record.board.firmware,
            latency.median,
            latency.min,
            latency.max,
            slowest / latency.median,
            record.memory.arena_bytes,
            record.memory.program_bytes,
            record.memory.module_bytes,
        )
        for record, latency in timed
    ]
    return tuple(sorted(rows, key=lambda row: row.median_ms))
