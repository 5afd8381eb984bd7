"""Plays the board of an emulated meter: its trigger line, with edges exactly where they are said to be."""

from __future__ import annotations

import time
from pathlib import Path

from tinympy.energy.align import BoardWindow


def window(trigger: str, duration_s: float, rest_s: float = 0.3, n: int = 100) -> BoardWindow:
    """A window on the line whose FIFO is at `trigger`, a rest behind it, and what the board says of it.

    The edges bear their times: this process may be held up without moving them.
    """
    begin_us = time.monotonic_ns() // 1000
    _edge(trigger, 1, begin_us)
    time.sleep(duration_s)
    end_us = begin_us + round(duration_s * 1e6)
    _edge(trigger, 0, end_us)
    time.sleep(rest_s)
    return BoardWindow(n, end_us - begin_us, begin_us)


def _edge(trigger: str, level: int, at_us: int) -> None:
    with Path(trigger).open("wb", buffering=0) as fifo:
        fifo.write(b"%d@%d\n" % (level, at_us))
