"""Seeded damage to files: truncations, bit flips, stomped bytes and words, pieces copied elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Where comparisons and sums go wrong: ends of ranges, counts of one too many, signs.
_STOMPS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_NUDGES = (-4, -1, 1, 4)


def damaged(random: np.random.Generator, content: bytes, regions: Sequence[Sequence[int]]) -> bytes:
    """`content` with one to four changes, each at a position of one of `regions`, all regions equally likely.

    One result in eight is cut short as well.
    """
    out = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        _change(random, out, _position(random, regions))
    if random.integers(8) == 0:
        del out[_position(random, regions) :]
    return bytes(out)


def _position(random: np.random.Generator, regions: Sequence[Sequence[int]]) -> int:
    region = regions[random.integers(len(regions))]
    return int(region[random.integers(len(region))])


def _change(random: np.random.Generator, out: bytearray, at: int) -> None:
    kind = random.integers(6)
    if kind <= 1:
        out[at] ^= 1 << random.integers(8)
    elif kind == 2:
        out[at] = random.integers(256)
    elif kind == 3:
        width = min(int(random.choice((1, 2, 4))), len(out) - at)
        value = _STOMPS[random.integers(len(_STOMPS))] % (1 << 8 * width)
        out[at : at + width] = value.to_bytes(width, "little")
    elif kind == 4:
        width = min(int(random.choice((2, 4))), len(out) - at)
        value = int.from_bytes(out[at : at + width], "little") + _NUDGES[random.integers(len(_NUDGES))]
        out[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
    else:
        length = int(random.integers(1, 65))
        source = int(random.integers(max(1, len(out) - length)))
        piece = out[source : source + length][: len(out) - at]
        out[at : at + len(piece)] = piece
