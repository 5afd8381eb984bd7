"""What the windows say of their own worth, in the manner of hyperfine: odd ones, spread, length, clock, collections."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tinympy.measures import WINDOWS, Latency, duration, latency_ms, shortest_s
from tinympy.records import Record

SPREAD = 0.02
# hyperfine's threshold for the modified z-score: ten standard deviations of a normal distribution.
OUTLIER_Z = 14.826
# Windows shorter than this measure interrupts and the scheduler rather than the model; emulated clocks know neither.
SHORT_S = 0.1
CLOCK_SHARE = 0.005
STEADY_S = 2.5


@dataclass(frozen=True)
class Notice:
    """Something that a reader of the figures should know, and what to do about it."""

    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


def notices(record: Record) -> Iterator[Notice]:
    """What weakens the figures of the windows; nothing without windows."""
    latency, shortest = latency_ms(record), shortest_s(record)
    if latency is None or shortest is None:
        return
    yield from _spread(record, latency, shortest)
    if not record.task.official:
        yield from _count(record)
        if shortest < SHORT_S and not record.board.emulated:
            yield Notice(f"windows of {duration(shortest)}", f"too short for a steady figure: --window {STEADY_S:g}")
    yield from _clock(record, shortest)
    yield from _collections(record)


def modified_z(values: Sequence[float]) -> list[float]:
    """The modified z-score of each value: 0.6745 times its distance from the median, in median absolute deviations.

    Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers (ASQC, 1993). Equal values have a deviation of
    almost nothing instead of none.
    """
    middle = median(values)
    deviation = median(abs(value - middle) for value in values) or 1e-12
    return [0.6745 * (value - middle) / deviation for value in values]


def outliers(values: Sequence[float]) -> list[int]:
    """Indices of values whose modified z-score passes the threshold."""
    return [index for index, score in enumerate(modified_z(values)) if abs(score) > OUTLIER_Z]


def _spread(record: Record, latency: Latency, shortest: float) -> Iterator[Notice]:
    if len(latency.windows) < 2 or latency.spread <= SPREAD:
        return
    if record.parallel > 1:
        quiet = "measure one board at a time"
    elif shortest < STEADY_S / 2 and not record.board.emulated:
        quiet = f"longer windows are steadier: --window {STEADY_S:g}"
    else:
        quiet = "close other programs and run again"
    odd = outliers(latency.windows)
    if len(odd) != 1:
        yield Notice(f"the windows differ by {100 * latency.spread:.1f} %", quiet)
        return
    (index,) = odd
    ratio = latency.windows[index] / median(latency.windows[:index] + latency.windows[index + 1 :]) - 1
    word = "slower" if ratio > 0 else "faster"
    warmup = max(1, 5 * max(window.warmup for window in record.windows))
    hint = f"give the board more warm-up inferences: --warmup {warmup}" if index == 0 and ratio > 0 else quiet
    yield Notice(f"window {index + 1} is {100 * abs(ratio):.1f} % {word} than the others", hint)


def _count(record: Record) -> Iterator[Notice]:
    count = len(record.windows)
    if count < WINDOWS:
        windows = "only one window" if count == 1 else f"only {count} windows"
        yield Notice(windows, f"the median is meant to be over {WINDOWS}")


def _clock(record: Record, shortest: float) -> Iterator[Notice]:
    step_us = record.board.ticks_step_us
    if step_us is None:
        return
    share = step_us / 1e6 / shortest
    if share > CLOCK_SHARE:
        needed_s = step_us / 1e6 / CLOCK_SHARE
        message = f"the clock's steps of {duration(step_us / 1e6)} are {100 * share:.2g} % of a window"
        yield Notice(message, f"--window {needed_s:.2g} makes them {100 * CLOCK_SHARE:g} %")


def _collections(record: Record) -> Iterator[Notice]:
    inference_bytes = allocated_bytes(record) or 0
    collected = [
        index
        for index, window in enumerate(record.windows, 1)
        if window.heap_free_bytes is not None and inference_bytes * window.n > window.heap_free_bytes
    ]
    if collected:
        which = ", ".join(map(str, collected))
        message = f"memory was collected inside window{'s' * (len(collected) > 1)} {which}"
        yield Notice(message, f"an inference allocates {inference_bytes} bytes; shorter windows need no collection")


def allocated_bytes(record: Record) -> int | None:
    """Bytes that an inference leaves on the heap: of two windows, how much more the longer one took.

    None where no two windows of different lengths tell.

    What a window takes by itself, however long, is left out that way. A window with a collection took less than it
    allocated, so the steepest pair counts.
    """
    taken = {
        window.n: window.heap_free_bytes - window.heap_left_bytes
        for window in (*record.calibration, *record.windows)
        if window.heap_free_bytes is not None and window.heap_left_bytes is not None
    }
    counts = sorted(taken)
    slopes = [(taken[more] - taken[less]) / (more - less) for less, more in itertools.pairwise(counts)]
    return max(0, round(max(slopes))) if slopes else None
