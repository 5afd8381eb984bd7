"""Pass 7, the arena plan: which value lies where.

Values alive at the same time never overlap, but for an operation's output over an input that nobody reads afterwards,
as far as the kernel's order allows it (overlap.py). The model's inputs stay alive to the end, so that an inference can
be repeated, and timed, on the same input; unless they are given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinympy.compiler.blocking import SHARES, blocked, grown
from tinympy.compiler.operation import Lowered
from tinympy.compiler.overlap import distance
from tinympy.compiler.puzzle import Block, Pair, Puzzle

ALIGNMENT = 4
"""Words: what 32-bit cores read at once, and the most that a kernel asks for (32-bit accumulators)."""

_TOLERATED = 0.01
"""A plan that is so much larger than its lower bound is not worth smaller blocks."""


@dataclass(frozen=True)
class Arena:
    """The plan: an offset for each value and for each operation's scratch (0 where it has none).

    values: for each value its size, and between which operations it is needed; -1 is before the first one.
    """

    value_offsets: tuple[int, ...]
    scratch_offsets: tuple[int, ...]
    bytes: int
    activation_bytes: int
    """What a plan without scratch takes: the part that the model itself asks for."""
    lower_bound_bytes: int
    """No plan with this alignment takes less: the largest sum over what is alive during one operation."""
    values: tuple[Block, ...]
    keeps_input: bool
    alignment: int


def place(lowered: Lowered, reuse_input: bool = False, alignment: int = ALIGNMENT) -> Arena:
    """The smallest arena found. `alignment` of every value and scratch: a power of two, ALIGNMENT or more.

    reuse_input: the inputs' places may be given to other values once all of their readers have run.
    """
    values = _value_blocks(lowered, reuse_input)
    scratch = [Block(operation.scratch_bytes, i, i) for i, operation in enumerate(lowered.operations)]
    pairs = _pairs(lowered, values)
    whole = Puzzle(values + scratch, pairs, alignment)
    offsets, total = whole.smallest()
    _, activation_bytes = Puzzle(values, pairs, alignment).smallest()
    return Arena(
        value_offsets=tuple(offsets[: len(values)]),
        scratch_offsets=tuple(offsets[len(values) :]),
        bytes=total,
        activation_bytes=activation_bytes,
        lower_bound_bytes=whole.lower_bound,
        values=tuple(values),
        keeps_input=not reuse_input,
        alignment=alignment,
    )


def place_blocks(
    lowered: Lowered, reuse_input: bool = False, alignment: int = ALIGNMENT, shares: Sequence[int] = SHARES
) -> tuple[Lowered, Arena]:
    """The same operations with blocks (blocking.py) that suit the arena, and the arena.

    Of the plans with larger and with smaller first blocks it is the first that loses hardly anything to gaps, or the
    one that loses least; then each block grows into what lies free during its operation, up to the lower bound.

    shares: which first blocks to try; the last one of SHARES makes the smallest arena
    """
    best: tuple[int, Lowered, Arena] | None = None
    for share in shares:
        candidate = replace(lowered, operations=tuple(blocked(each, share) for each in lowered.operations))
        arena = place(candidate, reuse_input, alignment)
        lost = arena.bytes - arena.lower_bound_bytes
        if best is None or lost < best[0]:
            best = lost, candidate, arena
        if lost <= arena.lower_bound_bytes * _TOLERATED:
            break
    assert best is not None
    _, lowered, arena = best
    operations, scratch_offsets = [], []
    for index, operation in enumerate(lowered.operations):
        begin, end = _free(arena, index)
        larger = grown(operation, end - begin)
        moves = 0 < larger.scratch_bytes <= end - begin
        operations.append(larger if moves else operation)
        scratch_offsets.append(begin if moves else arena.scratch_offsets[index])
    return replace(lowered, operations=tuple(operations)), replace(arena, scratch_offsets=tuple(scratch_offsets))


def _free(arena: Arena, operation: int) -> tuple[int, int]:
    """Begin and end of the largest part of the arena where no value lies during an operation, as far as its lower bound
    leaves room."""
    taken = [
        (offset, offset + value.bytes)
        for offset, value in zip(arena.value_offsets, arena.values, strict=True)
        if value.first <= operation <= value.last
    ]
    gaps, begin, alive = [], 0, 0
    for offset, end in [*sorted(taken), (arena.bytes, arena.bytes)]:
        gaps.append((begin, offset))
        alive += max(0, end - max(begin, offset))
        begin = max(begin, -(-end // arena.alignment) * arena.alignment)
    first, last = max(gaps, key=lambda gap: gap[1] - gap[0])
    return first, min(last, first + max(0, arena.lower_bound_bytes - alive))


def _value_blocks(lowered: Lowered, reuse_input: bool) -> list[Block]:
    end = len(lowered.operations)
    first = [end] * len(lowered.value_bytes)
    last = [-1] * len(lowered.value_bytes)
    for value in (*lowered.inputs, *lowered.state):
        first[value] = -1
    for value in (*lowered.outputs, *lowered.state, *(() if reuse_input else lowered.inputs)):
        last[value] = end
    operator_ends = {operation.operator: index for index, operation in enumerate(lowered.operations)}
    read = {span.value for each in lowered.operations for span in each.spans if span is not each.output}
    for index, operation in enumerate(lowered.operations):
        for span in operation.spans:
            first[span.value] = min(first[span.value], index)
            last[span.value] = max(last[span.value], index)
        if operation.output.value not in read:
            # What nothing reads is there to be looked at when its operator is done.
            last[operation.output.value] = max(last[operation.output.value], operator_ends[operation.operator])
    return [Block(*fields) for fields in zip(lowered.value_bytes, first, last, strict=True)]


def _pairs(lowered: Lowered, values: Sequence[Block]) -> list[Pair]:
    """Outputs with the inputs whose last reader makes them."""
    found = []
    for index, operation in enumerate(lowered.operations):
        output = operation.output.value
        if values[output].first != index:
            continue
        for value in {span.value for span in operation.spans} - {output}:
            bytes_between = distance(operation, value) if values[value].last == index else None
            if bytes_between is not None:
                found.append(Pair(output, value, bytes_between))
    return found
