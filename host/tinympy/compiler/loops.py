"""Nested copy loops for values that only move, found from where each output element comes from."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Sources = npt.NDArray[np.signedinteger[Any]]

# What the search for loops may be asked: its time grows with an operator's elements and rank, and with all of a model's
# values.
MAX_ELEMENTS = 1 << 22
MAX_RANK = 8
MAX_VALUE_BYTES = 1 << 26
MAX_LOOPS = 8
LOOP = struct.Struct("<Iii")
MAX_ELEMENT_BYTES = 0xFFFF
_MAX_NESTS = 256


@dataclass(frozen=True)
class Loop:
    """One loop: how often, and how far input and output go on each time, in bytes."""

    count: int
    input_stride: int
    output_stride: int


@dataclass(frozen=True)
class Nest:
    """Loops, the outermost first, around the copy of `element_bytes`; beginning at these offsets."""

    loops: tuple[Loop, ...]
    element_bytes: int
    input_offset: int
    output_offset: int

    def encode(self) -> bytes:
        return b"".join(LOOP.pack(loop.count, loop.input_stride, loop.output_stride) for loop in self.loops)


def nests(sources: Sources, item_bytes: int = 1) -> list[Nest] | None:
    """Nests that copy element sources[i] to element i (of the flattened array); -1 is left as it is.

    `sources` has the output's shape. None when the pattern is not made of a few loops.
    """
    sides = [size for size in sources.shape if size != 1] or [1]
    strides = [int(stride) for stride in np.cumprod((1, *sides[:0:-1]))[::-1]]
    return _nests(sources.reshape(sides), strides, 0, item_bytes)


def _nests(sources: Sources, strides: list[int], begin: int, item_bytes: int) -> list[Nest] | None:
    """Those of a part of the output, which begins at element `begin` and goes on by `strides`."""
    used = sources >= 0
    if not np.any(used):
        return []
    box = _bounding_box(used)
    sources, used = sources[box], used[box]
    begin += sum(side.start * stride for side, stride in zip(box, strides, strict=True))
    nest = _nest(sources, strides, begin, item_bytes) if np.all(used) else None
    if nest is not None:
        return [nest]
    axis, parts = _parts(sources, used)
    if len(parts) > 2 * _MAX_NESTS:
        return None
    found: list[Nest] = []
    for part in parts:
        cut = sources[(*[slice(None)] * axis, part)]
        nests_of_part = _nests(cut, strides, begin + part.start * strides[axis], item_bytes)
        if nests_of_part is None or len(found) + len(nests_of_part) > _MAX_NESTS:
            return None
        found += nests_of_part
    return found


def _bounding_box(mask: npt.NDArray[np.bool_]) -> tuple[slice, ...]:
    box = []
    for axis in range(mask.ndim):
        along = np.flatnonzero(mask.any(axis=tuple(i for i in range(mask.ndim) if i != axis)))
        box.append(slice(int(along[0]), int(along[-1]) + 1))
    return tuple(box)


def _parts(sources: Sources, used: npt.NDArray[np.bool_]) -> tuple[int, list[slice]]:
    """Where to cut what is not one nest: along an axis whose positions are not loops, else row by row."""
    for axis in range(sources.ndim):
        along = _along(sources, axis)
        if _factor(along - along[0], 1) is None:
            return axis, _runs(along)
    outermost = next(axis for axis, size in enumerate(sources.shape) if size > 1)
    others = tuple(axis for axis in range(sources.ndim) if axis != outermost)
    return outermost, [slice(i, i + 1) for i in np.flatnonzero(used.any(axis=others)).tolist()]


def _along(sources: Sources, axis: int) -> Sources:
    return sources[tuple(slice(None) if i == axis else 0 for i in range(sources.ndim))]


def _runs(along: Sources) -> list[slice]:
    """Runs of one stride, what is left as it is apart; no more of them than tell that they are too many."""
    steps = np.diff(along)
    bends = np.flatnonzero(np.diff(steps)) + 2
    edges = np.flatnonzero(np.diff(along >= 0)) + 1
    runs: list[slice] = []
    end = 0
    while end < len(along) and len(runs) <= 2 * _MAX_NESTS:
        begin, end = end, len(along)
        for breaks, shortest in ((bends, 2), (edges, 1)):
            at = np.searchsorted(breaks, begin + shortest)
            end = min(end, int(breaks[at])) if at < len(breaks) else end
        runs.append(slice(begin, end))
    return runs


def _nest(sources: Sources, strides: list[int], begin: int, item_bytes: int) -> Nest | None:
    loops: list[Loop] = []
    for axis, stride in enumerate(strides):
        along = _along(sources, axis)
        factors = _factor(along - along[0], stride)
        if factors is None:
            return None
        loops += factors
    first = int(sources.flat[0])
    if not np.array_equal(_expand(loops), (sources - first).reshape(-1)):
        return None
    loops = [Loop(each.count, each.input_stride * item_bytes, each.output_stride * item_bytes) for each in loops]
    merged, element_bytes = _merge(loops, item_bytes)
    if len(merged) > MAX_LOOPS:
        return None
    return Nest(tuple(merged), element_bytes, first * item_bytes, begin * item_bytes)


def _factor(along: Sources, output_stride: int) -> list[Loop] | None:
    """Loops whose positions are `along`, which begins with 0: runs of one stride, and runs of such runs."""
    loops: list[Loop] = []
    while len(along) > 1:
        step = int(along[1] - along[0])
        breaks = np.flatnonzero(np.diff(along) != step)
        run = int(breaks[0]) + 1 if breaks.size else len(along)
        if len(along) % run or run == 1:
            return None
        heads = along[::run]
        if not np.array_equal(heads[:, None] + step * np.arange(run), along.reshape(-1, run)):
            return None
        loops.insert(0, Loop(run, step, output_stride))
        output_stride *= run
        along = heads
    return loops


def _expand(loops: list[Loop]) -> Sources:
    positions = np.zeros(1, np.int64)
    for loop in loops:
        positions = (positions[:, None] + loop.input_stride * np.arange(loop.count)).reshape(-1)
    return positions


def _merge(loops: list[Loop], item_bytes: int) -> tuple[list[Loop], int]:
    """The fewest loops that do the same, and as large an element as they allow."""
    merged: list[Loop] = []
    for loop in (each for each in loops if each.count > 1):
        if merged:
            outer = merged[-1]
            whole = (loop.count * loop.input_stride, loop.count * loop.output_stride)
            if whole == (outer.input_stride, outer.output_stride):
                merged[-1] = Loop(outer.count * loop.count, loop.input_stride, loop.output_stride)
                continue
        merged.append(loop)
    element_bytes = item_bytes
    while merged:
        last = merged[-1]
        contiguous = last.input_stride == last.output_stride == element_bytes
        if not contiguous or element_bytes * last.count > MAX_ELEMENT_BYTES:
            break
        element_bytes *= merged.pop().count
    return merged or [Loop(1, 0, 0)], element_bytes


def straight(size_bytes: int) -> Nest:
    """All bytes as they lie."""
    merged, element_bytes = _merge([Loop(size_bytes, 1, 1)], 1)
    return Nest(tuple(merged), element_bytes, 0, 0)
