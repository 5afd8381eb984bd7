"""Pass 6, the arena plan: which value lies where, so that values alive at the same time never overlap.

The model's inputs stay alive to the end: an inference can be repeated, and timed, on the same input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinympy.compiler.operation import Lowered

ALIGNMENT = 8
_NO_END = 1 << 62


@dataclass(frozen=True)
class Block:
    """Bytes that are needed from operation `first` to operation `last`, both included."""

    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Arena:
    """The plan: an offset for each value and for each operation's scratch (0 where it has none)."""

    value_offsets: tuple[int, ...]
    scratch_offsets: tuple[int, ...]
    bytes: int
    activation_bytes: int
    """What a plan without scratch takes: the part that the model itself asks for."""


def place(lowered: Lowered) -> Arena:
    """The smallest arena among several placement orders."""
    values = _value_blocks(lowered)
    scratch = [Block(operation.scratch_bytes, i, i) for i, operation in enumerate(lowered.operations)]
    offsets, total = _smallest_plan(values + scratch)
    _, activation_bytes = _smallest_plan(values)
    return Arena(tuple(offsets[: len(values)]), tuple(offsets[len(values) :]), total, activation_bytes)


def _value_blocks(lowered: Lowered) -> list[Block]:
    end = len(lowered.operations)
    first = [end] * len(lowered.value_bytes)
    last = [-1] * len(lowered.value_bytes)
    for value in (*lowered.inputs, *lowered.state):
        first[value] = -1
        last[value] = end
    for value in lowered.outputs:
        last[value] = end
    for index, operation in enumerate(lowered.operations):
        for span in operation.spans:
            first[span.value] = min(first[span.value], index)
            last[span.value] = max(last[span.value], index)
    return [Block(*fields) for fields in zip(lowered.value_bytes, first, last, strict=True)]


def _smallest_plan(blocks: Sequence[Block]) -> tuple[list[int], int]:
    orders: tuple[Callable[[Block], tuple[int, ...]], ...] = (
        lambda block: (-block.bytes, block.first),
        lambda block: (block.first, -block.bytes),
        lambda block: (-block.last, -block.bytes),
        lambda block: (block.first - block.last, -block.bytes),
        lambda block: (block.bytes * (block.first - block.last), block.first),
    )
    plans = [_plan(blocks, sorted(range(len(blocks)), key=lambda i: order(blocks[i]))) for order in orders]
    return min(plans, key=lambda plan: plan[1])


def _plan(blocks: Sequence[Block], order: Sequence[int]) -> tuple[list[int], int]:
    """Each block in turn at the lowest offset where it meets no block placed before it."""
    # As arrays: a model in many small tiles has thousands of blocks, and each is compared with all others.
    size, first, last = np.array([(_aligned(b.bytes), b.first, b.last) for b in blocks], np.int64).T
    offsets = np.zeros(len(blocks), np.int64)
    placed = np.zeros(len(blocks), np.bool_)
    for index in order:
        if size[index] == 0:
            continue
        met = np.flatnonzero(placed & (first <= last[index]) & (first[index] <= last))
        met = met[np.argsort(offsets[met])]
        # What is free begins at 0 and behind each block met so far, and ends where the next one begins.
        begins = np.maximum.accumulate(np.append(0, offsets[met] + size[met]))
        ends = np.append(offsets[met], _NO_END)
        offsets[index] = begins[np.argmax(begins + size[index] <= ends)]
        placed[index] = True
    return offsets.tolist(), int(np.max(offsets + size))


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
