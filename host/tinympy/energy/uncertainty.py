"""How wrong an energy may be, as two figures that are never merged.

**Repeatability** says how far chance moves the median of the windows: a 95 % interval. **The meter's limit** says how
far the meter may be off within what its maker states: the same for every window, so no number of windows makes it
smaller, and its parts are added, not squared. A meter of ±10 % whose windows agree to 0.1 % is still one of ±10 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinympy.energy.trace import MeterSpec

# q(n): 95 % of samples of n values of a normal distribution have |median - mean| <= q s / sqrt(n), s their standard
# deviation. From 6 million samples each, good to 0.1 % (n = 2, where the median is the mean: Student's t).
# tests/unit/test_energy_uncertainty.py repeats it. It takes the place of t(n - 1) * 1.25 in the project's method, where
# 1.25 is the loss of the median of many values: with five that interval holds the truth in 96.8 % of runs, not 95 %.
_MEDIAN_QUANTILES = (
    12.706, 4.410, 3.274, 3.025, 2.759, 2.767, 2.613, 2.666, 2.554,
    2.614, 2.521, 2.584, 2.504, 2.560, 2.491, 2.547, 2.484, 2.537, 2.478,
)  # fmt: skip
LEAST_SHARE = 0.01
"""Of the energy, from which on a range of the meter counts as used."""

_MANY = math.sqrt(math.pi / 2)


@dataclass(frozen=True)
class Repeatability:
    """Of the median of n windows; plain numbers.

    half_width -- half of the 95 % interval about the median, in the unit of the values
    relative -- the same as a share of the median, None where that is 0
    repeat_limit -- what the medians of two such runs differ by at most, 95 % of the time (ISO 5725 calls it that)
    spread -- largest less smallest value
    """

    n: int
    half_width: float
    relative: float | None
    repeat_limit: float
    spread: float


@dataclass(frozen=True)
class MeterLimit:
    """How far the meter may be off, in J and as a share, and what that is made of, in J; plain numbers."""

    limit_j: float
    relative: float | None
    gain_j: float
    offset_j: float
    voltage_j: float
    clock_j: float
    edges_j: float


def repeatability(values: Sequence[float]) -> Repeatability | None:
    """Of the median of `values`, one for each window, all of which measure the same; None for fewer than two.

    Assumes that windows differ by chance alone, independently and about normally. A drift from window to window, of
    temperature for instance, is no chance: the spread shows it.
    """
    n = len(values)
    if n < 2:
        return None
    half = _quantile(n) * float(np.std(values, ddof=1)) / math.sqrt(n)
    middle = abs(float(np.median(values)))
    return Repeatability(
        n, half, half / middle if middle else None, math.sqrt(2) * half, float(max(values) - min(values))
    )


def meter_limit(
    spec: MeterSpec,
    *,
    energy_j: float,
    duration_s: float,
    volts: float,
    shares: Sequence[float] = (),
    edge_s: float = 0.0,
    step_w: float = 0.0,
    idle_j: float | None = None,
) -> MeterLimit | None:
    """The limit of one window's energy, or of anything that is proportional to it; None where the gain is not known.

    gain·E + offset·V·T + voltage·E + clock·E + 2·edge·|P_active − P_idle|, each as the maker states it. The gain counts
    range by range, with the share of the energy that was measured there. All windows err alike, so the limit for one
    inference is this divided by the inferences.

    E is what was read. A meter that is off by a relative g reads (1 + g) times the truth, so with a meter at its lower
    end the truth is E / (1 − g): gain, voltage and clock count as g / (1 − g), one after the other. ±10 % are 11.1 % of
    a reading.

    energy_j -- gross; shares -- of it in each range, the largest gain error counts for all of it where they are missing
    edge_s -- how far a window's end may be from its place; step_w -- what the power changes by there
    idle_j -- for the limit of a net energy: what was subtracted. The meter errs by the same factor in both where it has
        one range; with several, each counts for itself. The offset is the same in both and drops out with one range.
    """
    gains = spec.gain_limits
    if not gains:
        return None
    weights = list(shares) if len(shares) == len(gains) else [float(gain == max(gains)) for gain in gains]
    gain = sum(each * weight for each, weight in zip(gains, weights, strict=True)) / (sum(weights) or 1.0)
    offset_j = spec.offset_limit_a * abs(volts) * duration_s
    result_j = energy_j
    gain_j = _of_reading(gain) * abs(energy_j)
    if idle_j is not None:
        result_j = energy_j - idle_j
        if len(gains) == 1:
            gain_j, offset_j = _of_reading(gain) * abs(result_j), 0.0
        else:
            gain_j += _of_reading(max(gains)) * abs(idle_j)
            offset_j *= 2
    voltage_j = _of_reading(spec.voltage_limit) * (abs(result_j) + gain_j)
    clock_j = _of_reading(spec.clock_limit) * (abs(result_j) + gain_j + voltage_j)
    edges_j = 2 * edge_s * abs(step_w)
    total = gain_j + offset_j + voltage_j + clock_j + edges_j
    relative = total / abs(result_j) if result_j else None
    return MeterLimit(total, relative, gain_j, offset_j, voltage_j, clock_j, edges_j)


@dataclass(frozen=True)
class Cancelling:
    """Whether the errors of two measurements' meters are the same, and why or why not."""

    cancels: bool
    reason: str


def same_meter(
    one: MeterSpec, other: MeterSpec, shares: Sequence[float] = (), other_shares: Sequence[float] = ()
) -> Cancelling:
    """Whether the meter's gain drops out of the ratio of two energies: the same instrument, in the same ranges.

    shares, other_shares -- of the energy in each range of the meter; a range counts with 1 % or more
    """
    if one.name != other.name:
        return Cancelling(False, f"two kinds of meter, {one.name} and {other.name}")
    if one.serial is None or other.serial is None:
        return Cancelling(False, "a meter without a serial number may be another one")
    if one.serial != other.serial:
        return Cancelling(False, f"two meters, {one.serial} and {other.serial}")
    if one.voltage_basis != other.voltage_basis:
        return Cancelling(False, f"the voltage was {one.voltage_basis} once and {other.voltage_basis} once")
    if len(one.gain_limits) > 1:
        ranges, others = (
            {index for index, share in enumerate(each) if share >= LEAST_SHARE} for each in (shares, other_shares)
        )
        if not ranges or not others:
            return Cancelling(False, f"the ranges of {one.name} that were used are not known")
        if ranges != others:
            return Cancelling(False, "the same meter in different ranges, which have gains of their own")
    return Cancelling(True, f"the same meter, {one.serial}, in the same ranges")


def differ(
    one: float,
    other: float,
    repeatabilities: tuple[Repeatability | None, Repeatability | None],
    limits: tuple[float | None, float | None],
    cancelling: Cancelling,
) -> bool | None:
    """Whether two energies, in one unit, differ by more than their uncertainty; None where that is not known.

    With the same meter repeatability alone decides, as the root of the squares; otherwise both meters may be off as far
    as they can in opposite directions as well.

    limits -- relative, of both meters
    """
    first, second = repeatabilities
    if first is None or second is None:
        return None
    allowed = math.hypot(first.half_width, second.half_width)
    if not cancelling.cancels:
        if limits[0] is None or limits[1] is None:
            return None
        allowed += limits[0] * abs(one) + limits[1] * abs(other)
    return abs(one - other) > allowed


def _of_reading(limit: float) -> float:
    """How far the truth may be from a reading, as a share of the reading, with a relative error of up to `limit`."""
    return limit / (1 - limit) if limit < 1 else math.inf


def _quantile(n: int) -> float:
    """q(n); for many values t is near 2 and the median's loss near its limit, 1.2533."""
    if n - 2 < len(_MEDIAN_QUANTILES):
        return _MEDIAN_QUANTILES[n - 2]
    # Student's t at 0.975, Cornish and Fisher's expansion, good to 0.01 % from 20 degrees of freedom on.
    z, nu = 1.959964, n - 1
    t = z + (z**3 + z) / (4 * nu) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * nu**2)
    return t * _MANY
