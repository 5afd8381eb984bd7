"""Energy of each window of a trace: cumulative sums with fractions of a sample at both ends.

Lost samples count by coverage: the window's mean power is that of the samples that are there, and holds for all of it.
Gross energy is what flowed, as MLPerf Tiny defines it; net energy is what is left after the idle power, taken from the
stretches around the windows, is subtracted for the same time. They are two figures and never mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinympy.energy.power import Cumulated
from tinympy.energy.trace import Trace

MIN_COVERAGE = 0.95
"""Below, what was lost may have been anything: the window is refused."""

FULL_COVERAGE = 0.999
"""Below, the result carries a warning; MLPerf Tiny's runner refuses such a recording."""

MIN_IDLE_S = 1.0

_MARGIN_S = 10e-3
_NEAR_S = 5.0
_SLOT_S = 50e-3
_THERE = 0.9


@dataclass(frozen=True)
class WindowEnergy:
    """One window; plain numbers, so that it can be put into a record as it is.

    begin_s, duration_s -- on the meter's clock
    energy_j, power_w -- gross
    net_j -- gross energy less the idle power's over the same time; None without a second of idle
    coverage -- share of the window's time whose samples are there
    shares -- share of the energy that was measured in each range of the meter; empty where it does not say
    refused -- why this window must not be used; None where it may
    """

    begin_s: float
    duration_s: float
    energy_j: float
    power_w: float
    net_j: float | None
    coverage: float
    shares: tuple[float, ...]
    refused: str | None = None


@dataclass(frozen=True)
class Idle:
    """The board between its windows.

    power_w -- median over slots of 50 ms
    seconds -- how much there is of it
    """

    power_w: float
    seconds: float


def windows(
    trace: Trace,
    spans: Sequence[tuple[float, float]],
    idle: Idle | None,
    lengths_s: Sequence[float] | None = None,
) -> tuple[WindowEnergy, ...]:
    """Energy between each begin and end, s on the meter's clock; `lengths_s` is how long that really was, if not so."""
    cumulated = Cumulated.of(trace)
    by_range = _by_range(trace)
    lengths = lengths_s or [end - begin for begin, end in spans]
    return tuple(
        _window(cumulated, by_range, begin, end, length, idle)
        for (begin, end), length in zip(spans, lengths, strict=True)
    )


def idle(trace: Trace, spans: Sequence[tuple[float, float]], taken: Sequence[tuple[float, float]] = ()) -> Idle | None:
    """What the board drew next to its windows; None where there is less than a second of it.

    The stretches between the windows and up to 5 s before the first and after the last one, 10 ms off the windows'
    ends, in slots of 50 ms most of whose samples are there, of which the median is taken: a message on the serial line
    or a lost stretch does not move it. `taken` are spans that are no idle either, such as a preamble.
    """
    cumulated = Cumulated.of(trace)
    busy = sorted((*spans, *taken))
    if not busy:
        return None
    free = []
    for begin, end in zip(
        (max(cumulated.begin, busy[0][0] - _NEAR_S), *(end for _, end in busy)),
        (*(begin for begin, _ in busy), min(cumulated.end, busy[-1][1] + _NEAR_S)),
        strict=True,
    ):
        count = int((end - begin - 2 * _MARGIN_S) / _SLOT_S)
        free.append(begin + _MARGIN_S + _SLOT_S * np.arange(max(0, count) + 1))
    powers = []
    for edges in free:
        energy, known, _ = cumulated.between(edges)
        there = known > _SLOT_S * _THERE
        powers += list(energy[there] / known[there])
    seconds = len(powers) * _SLOT_S
    return Idle(float(np.median(powers)), seconds) if seconds >= MIN_IDLE_S - 1e-9 else None


def _window(
    cumulated: Cumulated, by_range: Sequence[Cumulated], begin: float, end: float, length: float, idle: Idle | None
) -> WindowEnergy:
    edges = np.array([begin, end])
    energy, known, _ = (float(values[0]) for values in cumulated.between(edges))
    coverage = known / (end - begin) if end > begin else 0.0
    power = energy / known if known > 0 else 0.0
    shares = tuple(float(each.between(edges)[0][0]) / energy if energy else 0.0 for each in by_range)
    refused = None
    if end <= begin:
        refused = "the window has no length"
    elif begin < cumulated.begin - 1e-9 or end > cumulated.end + 1e-9:
        refused = (
            f"the window, {begin:.3f} to {end:.3f} s, is not in the recording, "
            f"{cumulated.begin:.3f} to {cumulated.end:.3f} s"
        )
    elif coverage < MIN_COVERAGE:
        refused = f"only {coverage:.1%} of the window's samples are there, {MIN_COVERAGE:.0%} are needed"
    gross = power * length
    net = None if idle is None else gross - idle.power_w * length
    return WindowEnergy(begin, length, gross, power, net, min(coverage, 1.0), shares, refused)


def _by_range(trace: Trace) -> list[Cumulated]:
    if trace.ranges is None:
        return []
    power = trace.i * trace.v
    count = max(int(trace.ranges.max(initial=0)) + 1, len(trace.spec.gain_limits))
    at = Cumulated.of(trace).at
    return [Cumulated.samples(at, np.where(trace.ranges == index, power, np.nan)) for index in range(count)]
