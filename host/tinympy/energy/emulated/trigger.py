"""The trigger line between whoever plays the board and an emulated meter: a FIFO.

The byte `1` raises the line, `0` lowers it. A byte may say when, as `1@MICROSECONDS` and a line feed, on the clock
CLOCK_MONOTONIC (`time.monotonic_ns` of CPython, `time.ticks_us` of MicroPython's Unix port); otherwise it counts from
when it is read, which on a busy computer is milliseconds later.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

import numpy as np

from ..trace import Bits, Floats

HOLD_S = 0.1
"""An emulator sends samples this long after their time: an edge that says when it was is then where it belongs."""

_EDGE = re.compile(rb"([01])(?:@(\d+)\n)?")


def set_level(path: str, level: bool) -> float:
    """Raise or lower the line whose FIFO is at `path`; when that was, in s of `time.monotonic`."""
    with Path(path).open("wb", buffering=0) as fifo:
        now_us = time.monotonic_ns() // 1000
        fifo.write(b"%d@%d\n" % (level, now_us))
    return now_us / 1e6


class TriggerLine:
    """The line as the meter sees it. Times are s of CLOCK_MONOTONIC, what `time.monotonic` returns."""

    def __init__(self, path: str) -> None:
        # Read and write: without a writer of its own, it would end when the board closes its end.
        self._fifo = os.open(path, os.O_RDWR)
        self._times: list[float] = []
        self._levels: list[int] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def levels(self, t: Floats) -> Bits:
        """0 or 1 at the times t (s, increasing), as far as it is known by now."""
        with self._lock:
            times, levels = np.array(self._times), np.array([0, *self._levels], np.uint8)
        return levels[np.searchsorted(times, t, side="right")]

    def between_falls(self, t: Floats) -> Bits:
        """1 at the times t (s, increasing) that have an odd number of falling edges before them, else 0."""
        falls = np.array([at for at, level in self.edges() if not level])
        return (np.searchsorted(falls, t, side="right") & 1).astype(np.uint8)

    def edges(self) -> list[tuple[float, int]]:
        """Every edge so far: when, and the level from then on."""
        with self._lock:
            return list(zip(self._times, self._levels, strict=True))

    def _read(self) -> None:
        while data := os.read(self._fifo, 4096):
            now = time.monotonic()
            with self._lock:
                for level, stamp in _EDGE.findall(data):
                    if int(level) == (self._levels[-1] if self._levels else 0):
                        continue
                    before = self._times[-1] if self._times else 0.0
                    self._times.append(max(before, int(stamp) / 1e6 if stamp else now))
                    self._levels.append(int(level))
