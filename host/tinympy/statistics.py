"""Figures, warnings and verdicts from records; pure functions, so that every report can be made again.

`measures` has the figures, `rules` the rules, `stability` what the windows say of themselves; reports need this only.
"""

from __future__ import annotations

from typing import Any

from tinympy import rules, stability
from tinympy.measures import Latency, cycles, figure, latency_ms, throughput_ips
from tinympy.records import Record
from tinympy.rules import LABEL
from tinympy.stability import Notice

__all__ = [
    "LABEL",
    "Latency",
    "Notice",
    "cycles",
    "figure",
    "invalid_reason",
    "latency_ms",
    "summary",
    "throughput_ips",
    "warnings",
]


def invalid_reason(record: Record) -> str | None:
    """Why the result must not be used, with what to do about it; None when it may be.

    The rules are asked again; what else the record may be marked with comes before them.
    """
    broken = [found for found in rules.findings(record) if found.level == "invalid"]
    reasons = [str(Notice(found.message, found.hint)) for found in broken]
    known = {"; ".join(found.message for found in broken), *(found.message for found in broken)}
    if not record.valid and record.invalid_reason not in known:
        reasons.insert(0, record.invalid_reason or "marked as invalid")
    return "; ".join(reasons) or None


def warnings(record: Record) -> list[Notice]:
    """What weakens the figures without making them invalid: the run's own warnings, then rules, then the windows."""
    notices = [Notice(message) for message in record.warnings]
    notices += [Notice(found.message, found.hint) for found in rules.findings(record) if found.level == "warning"]
    return notices + list(stability.notices(record))


def summary(record: Record) -> dict[str, Any]:
    """The result as `tinympy bench --json` prints it; `accuracy` and `latency_ms` are None where not measured."""
    accuracy, latency, memory = record.accuracy, latency_ms(record), record.memory
    reason = invalid_reason(record)
    return {
        "task": record.task.name,
        "board": record.board.name,
        "emulated": record.board.emulated,
        "engine": record.engine.name,
        "model_sha256": record.model.sha256,
        "weights": record.model.weights,
        "parallel": record.parallel,
        "input_reused": record.program is not None and record.program.input_reused,
        "accuracy": accuracy
        and {
            "metric": accuracy.metric,
            "value": accuracy.value,
            "n": accuracy.n,
            "outputs_sha256": accuracy.outputs_sha256,
            **({} if accuracy.detail is None else {"detail": accuracy.detail}),
        },
        "latency_ms": latency
        and {
            "median": latency.median,
            "min": latency.min,
            "max": latency.max,
            "windows": list(latency.windows),
        },
        "throughput_ips": throughput_ips(record),
        "memory": {
            "arena_bytes": memory.arena_bytes,
            "program_bytes": memory.program_bytes,
            "module_bytes": memory.module_bytes,
            "heap_free_bytes": memory.heap_free_bytes,
            "flash_bytes": memory.flash_bytes,
        },
        "status": record.status,
        "valid": reason is None,
        "invalid_reason": reason,
        "warnings": [str(notice) for notice in warnings(record)],
        "record": None if record.path is None else str(record.path),
    }
