"""Edges of the board's trigger line, on the meter's clock: out of a logic input, or as the meter stamped them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinympy.energy.trace import Floats, Trace

MIN_HOLD_S = 50e-6
"""A level that lasts less is a bounce or a glitch; the public runner ignores the same."""


@dataclass(frozen=True)
class Marks:
    """Edges in order.

    at -- s, shape (n,)
    rising -- bool for each edge; None where the meter stamps edges without their direction
    uncertainty_s -- s, shape (n,): how far an edge may be from where it is put: a sample, more where samples were lost
    """

    at: Floats
    rising: tuple[bool, ...] | None
    uncertainty_s: Floats


def find(trace: Trace, trigger: int | None = 0) -> Marks:
    """The edges of logic input `trigger`, or those that the meter stamped where it has no logic inputs.

    None as `trigger`, and a trace with neither, give no edges.
    """
    if trigger is None:
        return _none()
    if trace.bits is not None:
        return _of_levels(trace, (trace.bits >> np.uint8(trigger)) & np.uint8(1))
    period = sample_period(trace)
    return Marks(np.asarray(trace.edges, np.float64), None, np.full(len(trace.edges), period))


def sample_period(trace: Trace) -> float:
    """The usual time between two samples, s."""
    if trace.spec.rate_hz:
        return 1 / trace.spec.rate_hz
    return float(np.median(np.diff(trace.t))) if len(trace.t) > 1 else 0.0


def in_pairs(at: Sequence[float]) -> list[tuple[float, float]]:
    """Each two edges the two ends of a window; an edge that is left over has none."""
    return list(zip(at[0::2], at[1::2], strict=False))


def _of_levels(trace: Trace, levels: np.ndarray) -> Marks:
    """Runs of one level that hold long enough; where samples were lost around an edge, it is put in their middle."""
    known = np.flatnonzero(np.isfinite(trace.i))
    if len(known) < 2:
        return _none()
    period = sample_period(trace)
    levels = levels[known]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(levels)) + 1))
    begins = trace.t[known[starts]]
    ends = np.concatenate((begins[1:], [trace.t[known[-1]] + period]))
    # A hair less than the limit: times are sums of periods that binary fractions do not hold exactly.
    held = ends - begins > MIN_HOLD_S * (1 - 1e-6)
    held[0] = True
    starts = starts[held]
    starts = starts[np.concatenate(([True], np.diff(levels[starts]) != 0))][1:]
    before = trace.t[known[starts - 1]] + period
    after = trace.t[known[starts]]
    lost = np.maximum(after - before, 0.0)
    return Marks(after - lost / 2, tuple(bool(levels[start]) for start in starts), period + lost / 2)


def _none() -> Marks:
    return Marks(np.empty(0), None, np.empty(0))
