"""The figures of a record: latency and throughput over its windows, and scores as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from tinympy.records import Record, Window

WINDOWS = 5
"""How many windows a median is over (MLPerf Tiny: `loop 5` in the public runner's tests_performance.yaml)."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one inference: of each window, and over the windows."""

    windows: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of an odd number of windows that is 1000 / throughput, as MLPerf Tiny defines latency."""
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


def shortest_s(record: Record) -> float | None:
    """How long the shortest window lasted; None without a window."""
    windows = _timed(record)
    return min(window.elapsed_us for window in windows) / 1e6 if windows else None


def is_whole(record: Record) -> bool:
    """Whether the accuracy is over the whole data set."""
    return record.accuracy is not None and record.data_set is not None and record.accuracy.n >= record.data_set.full_n


def figure(metric: str, value: float) -> str:
    """A score as people read it: shares in percent, AUC with three decimals as the public runner prints it."""
    if metric in ("top1", "detections"):
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if metric == "auc" else f"{value:.4f}"


def duration(seconds: float) -> str:
    """Cut off, never rounded up: 9.96 s is not 10 s."""
    if seconds >= 1:
        return f"{int(10 * seconds + 1e-6) / 10:.1f} s"
    if seconds >= 1e-3:
        return f"{int(1000 * seconds + 1e-6)} ms"
    return f"{1e6 * seconds:.0f} µs"


def _timed(record: Record) -> list[Window]:
    return [window for window in record.windows if window.elapsed_us > 0 and window.n > 0]
