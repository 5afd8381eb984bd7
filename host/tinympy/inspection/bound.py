"""The least that sums of products can cost on Cortex-M0+, whose one multiply gives 32 bits: a layer's distance from it
says what a better kernel could still gain.

Counted are multiplications, additions and one load for every two weights, in cycles of the core's manual; not the loads
of inputs, the rescaling of outputs and the loops. By how many products are added at a time (packed.h):

* one by one: MULS and ADDS, and a move, for MULS destroys a factor: 3 cycles;
* two: MULS, ASRS, ADCS and a load of two weights: 4 cycles for 2;
* four: twice MULS, ADDS, ASRS, ADCS and two loads: 7 cycles for 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tinympy.compiler.operation import Channels, Operation

_CYCLES = {0: 3.0, 2: 2.0, 4: 1.75}


def bound_cycles(operations: Sequence[Operation], macs: int, arch: str) -> float | None:
    """The least cycles of a layer of `operations` with `macs` multiply-accumulates; None where no bound is known."""
    channels = [each.constants for each in operations if isinstance(each.constants, Channels)]
    if arch != "armv6m" or not macs or not channels:
        return None
    return macs * fmean(_CYCLES[taps] for each in channels for taps in each.scaled().taps_together.tolist())
