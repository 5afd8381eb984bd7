"""What both formats of the Power Profiler share: its mark of a lost sample, and the PPK2's stated accuracy."""

from __future__ import annotations

import numpy as np

from tinympy.energy.trace import Bits, Floats

OFFSET_A = 0.2e-6
"""The smallest current that it resolves."""

_TOP_RANGE_A = 50e-3
_GAIN, _TOP_GAIN = 0.10, 0.15
_RUNNING_A = 100e-6


def without_lost(i: Floats, marked: np.ndarray, bits: Bits | None) -> tuple[Floats, tuple[str, ...]]:
    """The currents with NaN where a sample was lost, and a note of how many.

    marked -- samples of exactly 0.200 µA. They are lost where all logic inputs are 0 as well. Without inputs, they are
        in the recording of a board that runs, which never draws so little.
    """
    known = i[np.isfinite(i) & ~marked]
    if bits is not None:
        lost = marked & (bits == 0)
    else:
        lost = marked if len(known) and np.median(known) > _RUNNING_A else np.zeros(len(i), bool)
    if not lost.any():
        return i, ()
    return np.where(lost, np.nan, i), (f"{np.count_nonzero(lost)} samples were lost while recording",)


def gain_limits(i: Floats) -> tuple[float, ...]:
    """±10 %, ±15 % above 50 mA (Nordic, PPK2 user guide); the file does not say which range measured a sample."""
    known = i[np.isfinite(i)]
    return (_TOP_GAIN if len(known) and np.mean(known > _TOP_RANGE_A) > 1e-3 else _GAIN,)
