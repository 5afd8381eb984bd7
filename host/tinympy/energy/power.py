"""Power of a trace, cumulated: any stretch of time costs two look-ups, with fractions of the samples at its ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.energy.trace import Floats, Trace


@dataclass(frozen=True)
class Cumulated:
    """Integrals from the first sample to each edge between samples; lost samples add nothing to any of them.

    at -- s, shape (n + 1,): where sample k begins, and where the last one ends
    energy -- J
    known -- s: time of samples that are there
    squared -- W² s
    """

    at: Floats
    energy: Floats
    known: Floats
    squared: Floats

    @classmethod
    def of(cls, trace: Trace) -> Cumulated:
        return cls.samples(edges(trace.t), trace.i * trace.v)

    @classmethod
    def samples(cls, at: npt.NDArray[Any], power: Floats, lasts: Floats | None = None) -> Cumulated:
        """`lasts` -- s of each sample that are known; None: all of it where `power` is finite."""
        finite = np.isfinite(power)
        lasts = np.where(finite, np.diff(at) if lasts is None else lasts, 0.0)
        power = np.where(finite, power, 0.0)
        return cls(at, _cumulated(power * lasts), _cumulated(lasts), _cumulated(power**2 * lasts))

    @property
    def begin(self) -> float:
        return float(self.at[0])

    @property
    def end(self) -> float:
        return float(self.at[-1])

    @property
    def count(self) -> int:
        return len(self.at) - 1

    def between(self, edges: npt.NDArray[Any]) -> tuple[Floats, Floats, Floats]:
        """Energy, known time and squared power between each two of `edges` along the last axis."""
        return tuple(
            np.diff(np.interp(edges, self.at, values), axis=-1) for values in (self.energy, self.known, self.squared)
        )

    def mean(self, begin: float, end: float) -> float:
        """Mean power, W; NaN where nothing is known."""
        energy, known, _ = self.between(np.array([begin, end]))
        return float(energy[0] / known[0]) if known[0] > 0 else float("nan")

    def binned(self, width: float) -> Cumulated:
        """The same in bins of `width` s, each with its mean power."""
        at = self.begin + width * np.arange(max(1, round((self.end - self.begin) / width)) + 1)
        return Cumulated.samples(at, self.means(at), self.between(at)[1])

    def means(self, edges: npt.NDArray[Any]) -> Floats:
        """Mean power between each two of `edges`, W; NaN where nothing is known."""
        energy, known, _ = self.between(edges)
        return np.where(known > 0, energy / np.where(known > 0, known, 1), np.nan)

    def about(self, level: float) -> Cumulated:
        """The same with `level`, W, taken off the power: sums of squares keep their digits."""
        squared = self.squared - 2 * level * self.energy + level**2 * self.known
        return Cumulated(self.at, self.energy - level * self.known, self.known, squared)


def edges(t: Floats) -> Floats:
    """Where samples begin, and where the last one ends: as long after its beginning as the one before."""
    return np.append(t, 2 * t[-1] - t[-2]) if len(t) > 1 else np.append(t, t[-1:])


def _cumulated(values: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(values)))
