"""Recordings whose energies are known: a board that idles, and works in windows, as a meter of a given rate sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinympy.energy.align import BoardWindow
from tinympy.energy.preamble import BARKER_7, LENGTH_S, SLOT_S
from tinympy.energy.trace import MeterSpec, Trace

IDLE_A, ACTIVE_A, VOLTS = 0.020, 0.028, 3.3

# Of a meter with one range of ±1 %, otherwise perfect.
SPEC = MeterSpec("example", "E1", None, (0.01,), clock_limit=0.0)


def windows(durations_s: Sequence[float], gap_s: float = 0.7, n: int = 10, start_s: float = 0.0) -> list[BoardWindow]:
    """What the board says: windows of these lengths, `gap_s` apart, on a clock that begins anywhere."""
    result, at = [], start_s
    for duration in durations_s:
        result.append(BoardWindow(n, duration * 1e6, at * 1e6))
        at += duration + gap_s
    return result


def trace(
    board: Sequence[BoardWindow],
    *,
    rate_hz: float = 10e3,
    lead_s: float = 1.0,
    tail_s: float = 1.0,
    drift: float = 0.0,
    idle_a: float = IDLE_A,
    active_a: float = ACTIVE_A,
    noise_a: float = 0.0,
    sleep_a: float | None = None,
    trigger: bool = True,
    seed: int = 0,
    spec: MeterSpec = SPEC,
) -> Trace:
    """What the meter records: each sample the mean of its time; logic input 0 high in the windows.

    The first window begins `lead_s` into the recording. With `sleep_a` the preamble is played just before, with half a
    slot of idle between. The meter's clock shows (1 + drift) times the board's time.
    """
    begin = [(window.start_us - board[0].start_us) / 1e6 * (1 + drift) + lead_s for window in board]
    end = [at + window.elapsed_us / 1e6 * (1 + drift) for at, window in zip(begin, board, strict=True)]
    count = round((end[-1] + tail_s) * rate_hz)
    at = np.arange(count + 1) / rate_hz
    work = sum(_share(at, *span) for span in zip(begin, end, strict=True))
    i = idle_a + (active_a - idle_a) * work
    if sleep_a is not None:
        first = lead_s - (LENGTH_S + SLOT_S / 2) * (1 + drift)
        for slot, busy in enumerate(BARKER_7):
            span = (first + slot * SLOT_S * (1 + drift), first + (slot + 1) * SLOT_S * (1 + drift))
            i = i + ((active_a if busy else sleep_a) - idle_a) * _share(at, *span)
    i = i + noise_a * np.random.default_rng(seed).standard_normal(count)
    bits = (work >= 0.5).astype(np.uint8) if trigger else None
    return Trace(at[:-1], i, VOLTS, spec, bits)


def preamble_us(board: Sequence[BoardWindow]) -> float:
    """When the preamble of `trace` began, on the board's clock."""
    return board[0].start_us - (LENGTH_S + SLOT_S / 2) * 1e6


def truth_j(window: BoardWindow, drift: float = 0.0, active_a: float = ACTIVE_A) -> float:
    """The energy of a window, on the meter's clock."""
    return active_a * VOLTS * window.elapsed_us / 1e6 * (1 + drift)


def _share(at: np.ndarray, begin: float, end: float) -> np.ndarray:
    """The share of each sample's time that lies in a span."""
    return np.diff(np.clip(at, begin, end)) / np.diff(at)
