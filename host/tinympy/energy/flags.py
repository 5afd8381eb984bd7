"""What a recording shows that makes its energies doubtful: a clipped range, a second supply, ranges that hunt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinympy.energy.integrate import Idle, WindowEnergy
from tinympy.energy.trace import Floats, Trace

NEAR_SWITCHES = 0.01
"""The share of samples within two of a switch of the range from which on the meter's switching matters."""

_NEAR = 2
_STEP = 0.01
_WITHOUT_CURRENT = 0.01
_CLIPPED = 0.001


def of(
    trace: Trace, spans: Sequence[tuple[float, float]], energies: Sequence[WindowEnergy], idle: Idle | None
) -> tuple[str, ...]:
    """One sentence for each finding."""
    inside = np.zeros(len(trace.t), bool)
    for begin, end in spans:
        first, last = np.searchsorted(trace.t, (begin, end))
        inside[first:last] = True
    i = trace.i[inside]
    i = i[np.isfinite(i)]
    found = []
    if len(i):
        found += [_second_supply(trace, i), _clipped(trace, i)]
    found += [_no_step(energies, idle), _hunting(trace, inside)]
    return tuple(each for each in found if each)


def _second_supply(trace: Trace, i: Floats) -> str | None:
    smallest = max(trace.spec.offset_limit_a, 1e-9)
    without = float(np.mean(i <= smallest))
    if without <= _WITHOUT_CURRENT and i.mean() > smallest:
        return None
    return (
        f"{without:.1%} of the windows' samples show no current or a negative one: "
        "the board has a second supply (cut VBUS of its USB cable), or the meter's leads are swapped"
    )


def _no_step(energies: Sequence[WindowEnergy], idle: Idle | None) -> str | None:
    if idle is None or not energies:
        return None
    active = float(np.median([window.power_w for window in energies]))
    if active <= 0 or abs(active - idle.power_w) >= _STEP * active:
        return None
    return (
        f"the power in the windows is within {_STEP:.0%} of the idle power: "
        "the board has a second supply, or is as busy between windows as in them"
    )


def _clipped(trace: Trace, i: Floats) -> str | None:
    """At the meter's full scale; where that is not known, many samples of one highest value above a varied rest."""
    scale = trace.spec.full_scale_a
    if scale is not None:
        share = float(np.mean(i >= 0.999 * scale))
        if share <= _CLIPPED:
            return None
        return f"{share:.1%} of the windows' samples are at the meter's full scale of {scale:g} A: the rest is cut off"
    values, counts = np.unique(i, return_counts=True)
    if len(values) < 20 or counts[-1] < max(20, 0.01 * len(i)):
        return None
    # A wave dwells at its highest value as long as at its lowest; a range that clips cuts on one side.
    if counts[-1] < 20 * np.median(counts) or counts[-1] < 10 * counts[0]:
        return None
    return f"{counts[-1] / len(i):.1%} of the windows' samples are exactly {values[-1]:g} A and none is above: clipped?"


def _hunting(trace: Trace, inside: np.ndarray) -> str | None:
    if trace.ranges is None or not inside.any():
        return None
    switched = np.flatnonzero(np.diff(trace.ranges.astype(np.int16)) != 0) + 1
    near = np.zeros(len(trace.t) + 1, np.int32)
    np.add.at(near, np.maximum(switched - _NEAR, 0), 1)
    np.add.at(near, np.minimum(switched + _NEAR, len(trace.t)), -1)
    share = float(np.mean(np.cumsum(near[:-1])[inside] > 0))
    if share <= NEAR_SWITCHES:
        return None
    return (
        f"{share:.1%} of the windows' samples are within {_NEAR} of a switch of the meter's range, where it errs most: "
        "a meter with one range for this current is better"
    )
