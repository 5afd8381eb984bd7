"""A recording with an emulated meter, whose board is active for a while."""

from __future__ import annotations

import time

import numpy as np

from tinympy.energy.meters import open_meter
from tinympy.energy.trace import Trace


def record(address: str, active_s: float = 0.3, idle_s: float = 0.1) -> Trace:
    """Idle, active, idle. Options of the address are as `open_meter` has them."""
    with open_meter(address) as meter:
        meter.start()
        time.sleep(idle_s)
        meter.emulator.set_trigger(True)
        time.sleep(active_s)
        meter.emulator.set_trigger(False)
        time.sleep(idle_s)
        return meter.stop()


def window(trace: Trace, which: int = 0) -> slice:
    """The samples of the `which`-th time that input 0 is high."""
    edges = np.flatnonzero(np.diff(trace.bits & 1)) + 1
    return slice(int(edges[2 * which]), int(edges[2 * which + 1]))
