"""The current of an emulated board: one level while its trigger line is low, another while it is high.

The true energy of a window is therefore known: active_a * volts * duration, if the ripple has whole periods in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..trace import Bits, Floats


@dataclass(frozen=True)
class Profile:
    """idle, active -- A; ripple -- A, amplitude of a sine of `ripple_hz` on top of both, with a mean of 0."""

    idle: float = 0.010
    active: float = 0.027
    ripple: float = 0.0
    ripple_hz: float = 1000.0

    def current(self, t: Floats, levels: Bits) -> Floats:
        """A at the times t (s), where the trigger line has `levels` (0 or 1)."""
        base = np.where(levels != 0, self.active, self.idle)
        if self.ripple:
            base = base + self.ripple * np.sin(2 * np.pi * self.ripple_hz * t)
        return np.maximum(base, 0.0)

    def energy_j(self, volts: float, duration_s: float) -> float:
        """The true energy of a window."""
        return self.active * volts * duration_s
