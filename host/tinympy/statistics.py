"""Figures, warnings and verdicts from records; pure functions, so that every report can be made again."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from tinympy.records import Record, Window

WINDOWS = 5
WINDOW_S = 10.0
SPREAD = 0.02
# hyperfine's threshold for the modified z-score: ten standard deviations of a normal distribution.
OUTLIER_Z = 14.826
# What MLPerf Tiny allows over the whole recording of sww01.
FALSE_POSITIVES = 8


@dataclass(frozen=True)
class Notice:
    """Something that a reader of the figures should know, and what to do about it."""

    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one inference: of each window, and over the windows."""

    windows: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.windows)

    @property
    def min(self) -> float:
        return min(self.windows)

    @property
    def max(self) -> float:
        return max(self.windows)

    @property
    def spread(self) -> float:
        """Slowest less fastest window, as a share of the median."""
        return (self.max - self.min) / self.median


def latency_ms(record: Record) -> Latency | None:
    """None without a window."""
    windows = _timed(record)
    return Latency(tuple(window.elapsed_us / window.n / 1000 for window in windows)) if windows else None


def throughput_ips(record: Record) -> float | None:
    """Median of the windows' inferences per second; None without a window."""
    windows = _timed(record)
    return median(window.n / (window.elapsed_us / 1e6) for window in windows) if windows else None


def cycles(record: Record) -> float | None:
    """Of the board's clock, for one inference; None without a window, or where the clock is not known."""
    latency = latency_ms(record)
    return None if latency is None or record.board.clock_hz is None else latency.median * record.board.clock_hz / 1000


def figure(metric: str, value: float) -> str:
    """A score as people read it: shares in percent, AUC with three decimals as the public runner prints it."""
    if metric in ("top1", "detections"):
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if metric == "auc" else f"{value:.4f}"


def invalid_reason(record: Record) -> str | None:
    """Why the result must not be used; None when it may be."""
    if not record.valid:
        return record.invalid_reason or "marked as invalid"
    if record.status == "failed":
        return f"the run failed: {record.error or 'no reason given'}"
    if record.status == "interrupted":
        return "the run was interrupted"
    if record.status == "running":
        return "the run has not come to its end"
    if any(window.elapsed_us <= 0 or window.n <= 0 for window in record.windows):
        return "a window took no time"
    if record.accuracy is not None and _is_whole(record):
        if _below_target(record):
            return f"{figure(record.accuracy.metric, record.accuracy.value)} is {_below_text(record)}"
        false_positives = (record.accuracy.detail or {}).get("false_positives", 0)
        if false_positives > FALSE_POSITIVES:
            return f"{false_positives} false positives where {FALSE_POSITIVES} are allowed"
    return None


def warnings(record: Record) -> list[Notice]:
    """What weakens the figures without making them invalid: the run's own warnings first, then ours."""
    notices = [Notice(message) for message in record.warnings]
    notices += _accuracy_notices(record)
    latency = latency_ms(record)
    if latency is not None:
        notices += _spread_notices(latency)
        notices += _window_notices(record)
    return notices


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


def _timed(record: Record) -> list[Window]:
    return [window for window in record.windows if window.elapsed_us > 0 and window.n > 0]


def _is_whole(record: Record) -> bool:
    """Whether the accuracy is over the whole data set."""
    return record.accuracy is not None and record.data_set is not None and record.accuracy.n >= record.data_set.full_n


def _below_target(record: Record) -> bool:
    """The submission checker compares the figure as the runner prints it: percent with one decimal, AUC with three."""
    accuracy, target = record.accuracy, record.task.target
    if accuracy is None or target is None or accuracy.metric not in ("top1", "auc", "detections"):
        return False
    return round(accuracy.value, 3) < target


def _below_text(record: Record) -> str:
    assert record.accuracy is not None and record.task.target is not None
    return f"below the target of {figure(record.accuracy.metric, record.task.target)}"


def _accuracy_notices(record: Record) -> list[Notice]:
    accuracy, data_set = record.accuracy, record.data_set
    if accuracy is None or data_set is None or _is_whole(record):
        return []
    # The targets of sww01 are meant for one recording and no other.
    words = accuracy.metric == "detections"
    below = f", {_below_text(record)}" if _below_target(record) and not words else ""
    counted = f"{accuracy.n} {'wake word' if words else 'sample'}{'' if accuracy.n == 1 else 's'}"
    message = (
        f"{figure(accuracy.metric, accuracy.value)} over {counted} where the data set has {data_set.full_n}{below}"
    )
    return [Notice(message, "compare only figures over the whole data set")]


def _spread_notices(latency: Latency) -> list[Notice]:
    if len(latency.windows) < 2 or latency.spread <= SPREAD:
        return []
    quiet = "close other programs and run again"
    outliers = _outliers(latency.windows)
    if len(outliers) != 1:
        return [Notice(f"the windows differ by {100 * latency.spread:.1f} %", quiet)]
    (index,) = outliers
    ratio = latency.windows[index] / median(latency.windows[:index] + latency.windows[index + 1 :]) - 1
    word = "slower" if ratio > 0 else "faster"
    message = f"window {index + 1} is {100 * abs(ratio):.1f} % {word} than the others"
    return [Notice(message, "give the board more warm-up inferences" if index == 0 and ratio > 0 else quiet)]


def _outliers(values: tuple[float, ...]) -> list[int]:
    """Indices of values whose modified z-score (Iglewicz and Hoaglin) passes the threshold."""
    middle = median(values)
    deviation = median(abs(value - middle) for value in values) or 1e-12
    return [index for index, value in enumerate(values) if 0.6745 * abs(value - middle) / deviation > OUTLIER_Z]


def _window_notices(record: Record) -> list[Notice]:
    notices = []
    count = len(record.windows)
    if count < WINDOWS:
        windows = "only one window" if count == 1 else f"only {count} windows"
        notices.append(Notice(windows, f"the median is meant to be over {WINDOWS}"))
    shortest_s = min(window.elapsed_us for window in record.windows) / 1e6
    if record.task.official and shortest_s < WINDOW_S:
        rule = f"the MLPerf Tiny rules ask for {WINDOW_S:.0f} s: --window {WINDOW_S:.0f}"
        notices.append(Notice(f"windows of {_seconds(shortest_s)}", rule))
    return notices


def _seconds(value: float) -> str:
    """Rounded, but never up to the length that is asked for."""
    return f"{min(value, WINDOW_S - 0.1):.1f} s" if value >= 0.95 else f"{1000 * value:.0f} ms"
