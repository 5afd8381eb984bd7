"""Which shortcuts are exact for an output channel (native_modules/kernels/packed.h has the proofs).

A kernel for a core with a narrow multiply adds products two at a time where no weight is -128, four at a time where the
weights allow it, and rescales a sum with one short product where that decides. What it may do is worked out here, from
the weights: the bounds of every sum that int8 inputs can give.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FRACTIONS = range(9, 23)
DROPS = range(16)
_EDGES = 256
_MAX_EDGE = 96
"""Beyond 96 of 256 undecided cases the short product costs more than it saves."""
_MAX_MULTIPLIER = (1 << 16) - 1
_INT32_MAX = (1 << 31) - 1
_MAX_SUM = 1 << 29
"""What the exact arithmetic in assembly, of 16-bit halves, takes."""
_REACH = 257.0
"""Outputs lie within this many steps of 0 before the zero point is added, or are clamped."""

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Scaling:
    """For each channel: taps whose products are added at a time, low bits dropped, fraction bits, edge (in 256ths).

    `fraction` is 0 where no short product is exact.
    """

    taps: Bytes
    drop: npt.NDArray[np.uint8]
    fraction: npt.NDArray[np.uint8]
    edge: npt.NDArray[np.uint8]

    def __getitem__(self, part: slice) -> Scaling:
        return Scaling(self.taps[part], self.drop[part], self.fraction[part], self.edge[part])

    def encode(self, shift: npt.NDArray[np.int8]) -> bytes:
        """`struct tk_scaling` of each channel."""
        packing = self.taps * 16 + self.drop
        return np.stack([shift.view(np.uint8), packing, self.fraction, self.edge], axis=1).tobytes()


def sum_bounds(weights: npt.NDArray[np.int8], bias: Ints) -> tuple[Ints, Ints]:
    """The lowest and the highest sum that int8 inputs can give, for weights of shape (channels, taps)."""
    wide = weights.astype(np.int64)
    positive, negative = np.maximum(wide, 0).sum(axis=1), np.minimum(wide, 0).sum(axis=1)
    return bias + 127 * negative - 128 * positive, bias + 127 * positive - 128 * negative


def scaling(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    multiplier: npt.NDArray[np.int32],
    shift: Ints,
    drops: Iterable[int] = DROPS,
) -> Scaling:
    """For `weights` of shape (channels, taps) in the order in which the kernel takes them, and the drops that it knows."""
    wide = weights.astype(np.int64)
    channels, taps = wide.shape
    lowest, highest = sum_bounds(weights, bias.astype(np.int64))
    groups = np.abs(np.pad(wide, ((0, 0), (0, -taps % 4)))).reshape(channels, -1, 4).sum(axis=2)
    together = np.where(groups.max(axis=1, initial=0) <= 255, 4, 2)
    together[wide.min(axis=1, initial=0) == -128] = 0
    drop, fraction, edge = short_product(lowest, highest, multiplier.astype(np.int64), shift, drops)
    return Scaling(together.astype(np.uint8), drop, fraction, edge)


def short_product(
    lowest: Ints, highest: Ints, multiplier: Ints, shift: Ints, drops: Iterable[int]
) -> tuple[Bytes, Bytes, Bytes]:
    """Bits dropped, fraction bits and edge of the short product for sums in each range that leaves the least undecided.

    All of them 0 where there is none.
    """
    best = np.full(len(lowest), _MAX_EDGE + 1)
    found = [np.zeros(len(lowest), np.int64) for _ in range(2)]
    for fraction in FRACTIONS:
        for drop in drops:
            edge = _edge(fraction, drop, lowest, highest, multiplier, shift)
            better = edge < best
            best[better] = edge[better]
            for values, value in zip(found, (drop, fraction), strict=True):
                values[better] = value
    usable = best <= _MAX_EDGE
    drop_bits, fraction_bits, edges = (np.where(usable, values, 0).astype(np.uint8) for values in (*found, best))
    return drop_bits, fraction_bits, edges


def _edge(fraction: int, drop: int, lowest: Ints, highest: Ints, multiplier: Ints, shift: Ints) -> Ints:
    """In 256ths: how much of the fraction of the short product does not decide; 257 where it must not be used."""
    shortened = 31 - shift - drop - fraction
    possible = (shortened >= 1) & (shift < 0)
    bits = np.clip(shortened, 1, 31)
    # A multiplier too small to be written so is 0.
    short = np.where(shortened > 31, 0, (multiplier + (1 << (bits - 1))) >> bits)
    possible &= short <= _MAX_MULTIPLIER
    # Products and what is added to them stay within 32 bits.
    farthest = np.maximum(np.abs(lowest), np.abs(highest))
    possible &= ((farthest >> drop) + 1) * short + (258 << fraction) <= _INT32_MAX
    possible &= farthest < _MAX_SUM
    # In units of 2^-fraction: the multiplier's rounding, as far out as outputs or sums reach; the dropped bits, between
    # none and all ones, taken as one half; TFLM's first rounding.
    unit = np.ldexp(1.0, fraction)
    rounded = np.abs(short * np.ldexp(1.0, shortened) - multiplier) / np.maximum(multiplier, 1)
    reach = np.minimum(_REACH, farthest * multiplier * np.ldexp(1.0, shift - 31))
    dropped = short / 2 + 1 if drop else np.zeros(len(short))
    error = reach * unit * rounded + dropped + np.ldexp(unit / 2, shift) + 2
    edge = np.ceil(2 * error * _EDGES / unit * (1 + 1e-9))
    return np.where(possible & (edge <= _MAX_EDGE), edge, _EDGES + 1).astype(np.int64)
