"""Records as plain tables of data: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from tinympy import statistics
from tinympy.records import Record
from tinympy.report.quantities import COLUMNS

_BEFORE = ("task", "board", "emulated", "engine", "clock_hz", "firmware", "mode", "weights", "created")
_SCORE = ("accuracy_metric", "accuracy", "accuracy_n")
_RANGE = ("latency_min_ms", "latency_max_ms", "windows")
_VERDICT = ("input_reused", "valid", "invalid_reason", "warnings", "record")
FIELDS = (*_BEFORE, *_SCORE, *(each.key for each in COLUMNS), *_RANGE, *_VERDICT)


def as_csv(records: Sequence[Record]) -> str:
    """A line for each record below one with the names of the columns; what was not measured is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(row, records))
    return text.getvalue()


def as_json(records: Sequence[Record]) -> str:
    """A list with an object for each record: its summary, and the conditions under which it was measured."""
    return json.dumps([document(record) for record in records], indent=1) + "\n"


def row(record: Record) -> dict[str, Any]:
    """The figures of a record by FIELDS."""
    score, latency = record.accuracy, statistics.latency_ms(record)
    reason = statistics.invalid_reason(record)
    cells = (
        *(record.task.name, record.board.name, record.board.emulated, record.engine.name, record.board.clock_hz),
        *(record.board.firmware, record.mode, record.model.weights, record.created),
        *((None, None, None) if score is None else (score.metric, score.value, score.n)),
        *(each.value(record) for each in COLUMNS),
        *((None, None) if latency is None else (latency.min, latency.max)),
        len(record.windows),
        record.program is not None and record.program.input_reused,
        reason is None,
        reason,
        "; ".join(str(notice) for notice in statistics.warnings(record)),
        None if record.path is None else record.path.name,
    )
    return dict(zip(FIELDS, cells, strict=True))


def document(record: Record) -> dict[str, Any]:
    """The summary of a record, with when, by what and on what it was measured."""
    board = record.board
    return {
        "created": record.created,
        "tinympy": record.tinympy,
        "mode": record.mode,
        "official": record.task.official,
        "clock_hz": board.clock_hz,
        "firmware": board.firmware,
        "arch": board.arch,
        "host": vars(record.host),
        **statistics.summary(record),
    }
