"""Which shortcuts are exact for an output channel (native_modules/kernels/packed.h has the proofs).

A kernel for a core with a narrow multiply adds products two at a time where no weight is -128, four at a time where the
weights allow it, and rescales a sum with one short product where that decides. What it may do is worked out here, from
the weights: the bounds of every sum that int8 inputs can give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinympy.reference.arithmetic import multiply_quantised

FRACTIONS = range(9, 23)
DROPS = range(16)
_EDGES = 256
_MAX_EDGE = 96
"""Beyond 96 of 256 undecided cases the short product costs more than it saves."""
_MAX_MULTIPLIER = (1 << 16) - 1
_INT32_MAX = (1 << 31) - 1
_CHANNELS_AT_ONCE = 2048
_LARGEST_OUTPUT = 1 << 16
"""Beyond this a constant channel is left as it is."""
_MAX_SUM = 1 << 29
"""What the exact arithmetic in assembly, of 16-bit halves, takes."""
_REACH = 257.0
"""Outputs lie within this many steps of 0 before the zero point is added, or are clamped."""

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Scaled:
    """Channels that compute the same, and `struct tk_scaling` of each: rows of shift, packing, fraction bits, edge.

    Packing is 16 times the taps whose products are added at a time (0, 2, 4) plus the low bits that are dropped;
    fraction and edge (in 256ths) are 0 where no short product is exact.
    """

    weights: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    multiplier: npt.NDArray[np.int32]
    scaling: Bytes

    @property
    def taps_together(self) -> Bytes:
        """Of each channel: how many taps' products are added at a time."""
        return np.right_shift(self.scaling[:, 1], np.uint8(4))


def _sum_bounds(weights: npt.NDArray[np.int8], bias: Ints) -> tuple[Ints, Ints]:
    """The lowest and the highest sum that int8 inputs can give, for weights of shape (channels, taps)."""
    positive, negative = (limit(weights, np.int8(0)).sum(axis=1, dtype=np.int64) for limit in (np.maximum, np.minimum))
    return bias + 127 * negative - 128 * positive, bias + 127 * positive - 128 * negative


def scaled(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    multiplier: npt.NDArray[np.int32],
    shift: npt.NDArray[np.int8],
    drops: Sequence[int] = DROPS,
) -> Scaled:
    """For `weights` of shape (channels, taps), in the order in which a kernel takes them, and the drops that it knows.

    Channels that give one value for all inputs do so with ordinary numbers: training that lets channels die leaves
    scales near 0 and biases near 2^30, too large for any shortcut.
    """
    lowest, highest = _sum_bounds(weights, bias.astype(np.int64))
    numbers = [multiplier.astype(np.int64), shift.astype(np.int64)]
    inside = (lowest >= -_INT32_MAX) & (highest <= _INT32_MAX) & (shift <= 0)
    ends = [multiply_quantised(np.where(inside, sums, 0), *numbers) for sums in (lowest, highest)]
    constant = inside & (ends[0] == ends[1]) & (np.abs(ends[0]) <= _LARGEST_OUTPUT)
    if constant.any():
        weights = np.where(constant[:, None], np.int8(0), weights)
        bias = np.where(constant, ends[0] << 8, bias).astype(np.int32)
        # Divided by 2^8.
        numbers = [np.where(constant, each, number) for each, number in zip((1 << 30, -7), numbers, strict=True)]
        lowest, highest = _sum_bounds(weights, bias.astype(np.int64))
    channels, taps = weights.shape
    magnitudes = np.abs(weights).view(np.uint8)  # that of -128 is 128
    groups = np.pad(magnitudes, ((0, 0), (0, -taps % 4))).reshape(channels, -1, 4).sum(axis=2, dtype=np.uint16)
    together = np.where(groups.max(axis=1, initial=0) <= 255, 4, 2)
    together[magnitudes.max(axis=1, initial=0) == 128] = 0
    drop, fraction, edge = short_product(lowest, highest, numbers[0], numbers[1], drops)
    shifts = numbers[1].astype(np.int8).view(np.uint8)
    rows = np.stack([shifts, together.astype(np.uint8) * np.uint8(16) + drop, fraction, edge], axis=1)
    return Scaled(weights, bias, numbers[0].astype(np.int32), rows)


def short_product(
    lowest: Ints, highest: Ints, multiplier: Ints, shift: Ints, drops: Sequence[int]
) -> tuple[Bytes, Bytes, Bytes]:
    """Bits dropped, fraction bits and edge of the short product for sums in each range that leaves the least undecided.

    All of them 0 where there is none.
    """
    fractions, choices = (each.reshape(-1) for each in np.meshgrid(FRACTIONS, drops, indexing="ij"))
    found = []
    for begin in range(0, len(lowest), _CHANNELS_AT_ONCE):
        columns = [each[begin : begin + _CHANNELS_AT_ONCE, None] for each in (lowest, highest, multiplier, shift)]
        edges = _edge(fractions, choices, *columns)
        best = edges.argmin(axis=1)
        edge = np.take_along_axis(edges, best[:, None], axis=1)[:, 0]
        found.append(np.where(edge <= _MAX_EDGE, (choices[best], fractions[best], edge), 0).astype(np.uint8))
    drop, fraction, edge = np.concatenate(found, axis=1)
    return drop, fraction, edge


def _edge(fraction: Ints, drop: Ints, lowest: Ints, highest: Ints, multiplier: Ints, shift: Ints) -> Ints:
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
    dropped = np.where(drop > 0, short / 2 + 1, 0)
    error = reach * unit * rounded + dropped + np.ldexp(unit / 2, shift) + 2
    edge = np.ceil(2 * error * _EDGES / unit * (1 + 1e-9))
    return np.where(possible & (edge <= _MAX_EDGE), edge, _EDGES + 1).astype(np.int64)
