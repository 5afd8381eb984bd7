"""Where the board's windows are when no trigger is wired: the board draws a pattern that the current shows.

Before the first window the board is busy and asleep by turns, one slot of 100 ms for each element of the Barker code of
length 7 (R. H. Barker, Group synchronizing of binary digital systems, 1953), whose shifted copies resemble it least. A
matched filter finds the pattern; windows follow at the times that the board's clock gives. That clock's drift is then
fitted, with the offset, to the current in and around the windows.

How well a place fits is the ratio of what the pattern explains of the power's variation there to what it leaves: the
standard deviation between the pattern's levels over that within them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinympy.device import marks as played
from tinympy.energy.align import MAX_DRIFT, Alignment, BoardWindow
from tinympy.energy.marks import sample_period
from tinympy.energy.power import Cumulated
from tinympy.energy.trace import Floats, Trace
from tinympy.errors import MeterError

BARKER_7 = tuple(map(bool, played.PATTERN))
"""Busy or asleep, slot by slot: what the board plays."""

SLOT_S = played.SLOT_US / 1e6
LENGTH_S = SLOT_S * len(BARKER_7)

MIN_PEAK = 3.0
"""The best fit over the best one elsewhere, at least."""

_STEPS_A_SLOT = 80
_SAMPLES_A_SLOT = 10
_BIN_S = 1e-3
_COARSE_BIN_S = 5e-3
_IDLE_S = 1.0


@dataclass(frozen=True)
class _Levels:
    """Stretches of the board's time, s: `edges` in order, `classes[k]` between edges k and k + 1, -1 for any level."""

    edges: Floats
    classes: tuple[int, ...]


def align(trace: Trace, windows: Sequence[BoardWindow], preamble_us: float) -> Alignment:
    """The windows on the meter's clock.

    windows -- with `start_us`
    preamble_us -- when the board began the pattern, on the same clock

    Raises:
        MeterError: no pattern, or another place that fits nearly as well; a meter that is too slow for it.
    """
    if not windows or any(window.start_us is None for window in windows):
        raise MeterError("the board did not say when its windows began", "run with a preamble, or wire the trigger")
    period = sample_period(trace)
    if period > SLOT_S / _SAMPLES_A_SLOT * (1 + 1e-6):
        raise MeterError(
            f"{1 / period:.3g} samples per second do not show the preamble's slots of {SLOT_S * 1e3:.0f} ms",
            "use a faster meter, or one with a trigger input",
        )
    binned = _centred(trace, max(_BIN_S, period))
    offset, peak = _coarse(_centred(trace, max(_COARSE_BIN_S, period)))
    if peak < MIN_PEAK:
        raise MeterError(
            f"the preamble is not in the recording: its best place fits {peak:.1f} times as well as the next, "
            f"not {MIN_PEAK:.0f}",
            "start recording before the run; let the board sleep deeper or work harder in the preamble, or wire the "
            "trigger",
        )
    levels = _session(windows, preamble_us)
    offset, drift = _fine(binned, levels, offset)
    edge = max(_BIN_S, period)
    spans = []
    for window in windows:
        assert window.start_us is not None
        begin = offset + (1 + drift) * (window.start_us - preamble_us) / 1e6
        spans.append((begin, begin + (1 + drift) * window.elapsed_us / 1e6))
    note = f"no trigger: windows placed by the preamble, which fits {peak:.1f} times as well as any other place"
    return Alignment(tuple(spans), drift, 0.0, edge, "preamble", (note,))


def _coarse(binned: Cumulated) -> tuple[float, float]:
    """Where the pattern begins, s, and how much better it fits there than anywhere else a slot or more away."""
    pattern = _Levels(np.arange(len(BARKER_7) + 1, dtype=np.float64) * SLOT_S, tuple(int(busy) for busy in BARKER_7))
    step = SLOT_S / _STEPS_A_SLOT
    last = binned.end - LENGTH_S
    offsets = np.arange(binned.begin, last, step)
    if not len(offsets):
        return 0.0, 0.0
    fits = np.concatenate([_fit(binned, pattern, part) for part in np.array_split(offsets, 64)])
    best = int(np.argmax(fits))
    elsewhere = np.abs(offsets - offsets[best]) >= SLOT_S * (1 - 1e-9)
    rival = float(fits[elsewhere].max()) if elsewhere.any() else 0.0
    return float(offsets[best]), float(fits[best] / rival) if rival > 0 else float("inf") if fits[best] > 0 else 0.0


def _session(windows: Sequence[BoardWindow], preamble_us: float) -> _Levels:
    """The levels of the whole run: asleep, busy, in a window, and idle up to a second before and after each window."""
    stretches = [(at * SLOT_S, (at + 1) * SLOT_S, int(busy)) for at, busy in enumerate(BARKER_7)]
    spans = [
        ((window.start_us - preamble_us) / 1e6, window.elapsed_us / 1e6)
        for window in windows
        if window.start_us is not None
    ]
    for at, (begin, length) in enumerate(spans):
        before = spans[at - 1][0] + spans[at - 1][1] if at else LENGTH_S
        after = spans[at + 1][0] if at + 1 < len(spans) else begin + length + _IDLE_S
        half_before, half_after = (begin - before) / 2, (after - begin - length) / 2
        stretches.append((begin - min(_IDLE_S, half_before), begin, 3))
        stretches.append((begin, begin + length, 2))
        stretches.append((begin + length, begin + length + min(_IDLE_S, half_after), 3))
    edges, classes = [stretches[0][0]], []
    for begin, end, level in stretches:
        if begin > edges[-1]:
            edges.append(begin)
            classes.append(-1)
        edges.append(end)
        classes.append(level)
    return _Levels(np.array(edges, np.float64), tuple(classes))


def _fine(binned: Cumulated, levels: _Levels, offset: float) -> tuple[float, float]:
    """Offset, s, and drift that fit the whole run best; the smallest drift that fits as well as the best one."""
    span = float(levels.edges[-1])
    offsets = offset + np.linspace(-1, 1, 41) * SLOT_S / _STEPS_A_SLOT * 2
    drifts = np.linspace(-1, 1, 2 * max(50, int(np.ceil(MAX_DRIFT * span / _BIN_S))) + 1) * MAX_DRIFT
    for _ in range(5):
        fits = np.stack([_variation(binned, levels, offsets, float(drift))[1] for drift in drifts], axis=1)
        # An F test at the 0.1 % level, roughly: a better fit than this is more than chance.
        good = np.flatnonzero(fits.min(axis=0) <= fits.min() * (1 + 20 / max(binned.count, 100)))
        best = int(good[np.argmin(np.abs(drifts[good]))])
        at = int(np.argmin(fits[:, best]))
        width = offsets[1] - offsets[0], drifts[1] - drifts[0]
        offsets = offsets[at] + np.linspace(-1, 1, 21) * width[0]
        drifts = np.clip(drifts[best] + np.linspace(-1, 1, 21) * width[1], -MAX_DRIFT, MAX_DRIFT)
    return float(offsets[10]), float(drifts[10])


def _fit(binned: Cumulated, levels: _Levels, offsets: Floats) -> Floats:
    """Standard deviation between the levels over that within, for each offset; 0 where busy draws less than asleep."""
    between, within, rises = _variation(binned, levels, offsets, 0.0)
    # Below a millionth of the recording's own variation, differences are rounding.
    floor = 1e-6 * binned.squared[-1] / max(binned.known[-1], np.finfo(float).tiny)
    return np.where(rises, np.sqrt(between / np.maximum(within, floor + np.finfo(float).tiny)), 0.0)


def _variation(binned: Cumulated, levels: _Levels, offsets: Floats, drift: float) -> tuple[Floats, Floats, Floats]:
    """Variance of the power between the levels and within them, W², and whether busy (1) draws more than asleep (0)."""
    energy, known, squared = binned.between(offsets[:, None] + (1 + drift) * levels.edges)
    classes = np.array(levels.classes)
    within = np.zeros(len(offsets))
    between = np.zeros(len(offsets))
    means = {}
    total_energy, total_known = np.zeros(len(offsets)), np.full(len(offsets), np.finfo(float).tiny)
    for level in sorted(set(levels.classes) - {-1}):
        mine = classes == level
        energy_s, known_s = energy[:, mine].sum(axis=1), known[:, mine].sum(axis=1) + np.finfo(float).tiny
        means[level] = energy_s / known_s
        within += squared[:, mine].sum(axis=1) - energy_s * means[level]
        between += energy_s * means[level]
        total_energy += energy_s
        total_known += known_s
    between -= total_energy**2 / total_known
    return np.maximum(between, 0) / total_known, np.maximum(within, 0) / total_known, means[1] > means[0]


def _centred(trace: Trace, width: float) -> Cumulated:
    cumulated = Cumulated.of(trace)
    mean = cumulated.mean(cumulated.begin, cumulated.end)
    return cumulated.binned(width).about(mean) if np.isfinite(mean) else cumulated.binned(width)
