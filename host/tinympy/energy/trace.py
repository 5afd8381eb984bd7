"""What every meter and every importer gives: current and voltage over time, in SI units, on the meter's own clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]

VoltageBasis = Literal["measured", "set", "assumed"]
"""Where a voltage is from: a voltmeter, the meter's own supply as it was set, or what the user said."""


@dataclass(frozen=True)
class MeterSpec:
    """Which meter, and the limits that its maker states; none of them is a standard deviation.

    name -- of the kind: ppk2, lpm01a, joulescope, otii, ina228, eembc, csv, …
    serial -- of this instrument; None where it has none or the file does not say
    rate_hz -- samples per second; None where they are not evenly spaced
    gain_limits -- relative error of the current, for each range; one for a meter without ranges; empty: unknown
    offset_limit_a -- A
    voltage_limit -- relative error of the voltage
    clock_limit -- relative error of the meter's clock
    full_scale_a -- A: what reads this much was more; None: unknown
    """

    name: str
    serial: str | None = None
    rate_hz: float | None = None
    gain_limits: tuple[float, ...] = ()
    offset_limit_a: float = 0.0
    voltage_limit: float = 0.0
    voltage_basis: VoltageBasis = "assumed"
    clock_limit: float = 50e-6
    emulated: bool = False
    full_scale_a: float | None = None


@dataclass(frozen=True)
class Trace:
    """A recording. Sample k holds from t[k] to t[k + 1]; the last one as long as the one before.

    t -- s on the meter's clock, float64, increasing, shape (n,)
    i -- A, float64, shape (n,); NaN where a sample was lost
    v -- V, for each sample or one for all
    bits -- uint8, shape (n,): logic inputs, input 0 in bit 0; None for a meter without any
    ranges -- uint8, shape (n,): index into `spec.gain_limits`; None where the meter does not say
    edges -- s: rising and falling edges that the meter itself stamped, in order, where it does so instead of `bits`
    notes -- what happened while recording that a reader of the result has to know (lost samples, overcurrent, …)
    """

    t: Floats
    i: Floats
    v: Floats | float
    spec: MeterSpec
    bits: Bits | None = None
    ranges: Bits | None = None
    edges: tuple[float, ...] = ()
    notes: tuple[str, ...] = field(default=())
