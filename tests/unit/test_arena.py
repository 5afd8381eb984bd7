"""The arena plan: how small it is, that what must not overlap does not, and that the lower bound is one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinympy import generated
from tinympy.compiler import Compiled, compile_model
from tinympy.compiler.operation import LOOKUP, NOWHERE, Lowered, Operation, Span
from tinympy.compiler.parameters import Lookup
from tinympy.compiler.place import ALIGNMENT, place
from tinympy.compiler.puzzle import Block, Pair, Puzzle

# Bytes: the bars of activations, also with the input given up, and TFLM's whole arena.
BARS = {
    "kws01": (16_600, None, 24_300),
    "ad01": (1_500, None, 4_600),
    "ic01": (36_864, 36_000, 56_000),
    "ic02": (127_000, None, 133_700),
    "vww01": (84_000, 56_000, 103_700),
    "sww01": (9_000, None, 16_600),
}

NEVER = 1 << 20


@st.composite
def puzzles(draw: st.DrawFn) -> Puzzle:
    """Up to five blocks of up to 4 bytes, some of which end where another one begins and may lie under it."""
    blocks = []
    for _ in range(draw(st.integers(1, 5))):
        first = draw(st.integers(-1, 4))
        blocks.append(Block(draw(st.integers(0, 4)), first, draw(st.integers(first, 5))))
    pairs = []
    # As among operations: each has one output.
    outputs = {block.first: index for index, block in enumerate(blocks) if block.first >= 0}
    for upper, block in enumerate(blocks):
        lower = outputs.get(block.last)
        if lower is not None and lower != upper and block.first < block.last and draw(st.booleans()):
            pairs.append(Pair(lower, upper, draw(st.integers(-4, 5))))
    return Puzzle(blocks, pairs, 1)


def is_possible(puzzle: Puzzle, offsets: list[int]) -> bool:
    """Whether blocks at these offsets keep to the rules; `offsets` may be of the first blocks only."""
    allowed = {(pair.lower, pair.upper): pair.distance for pair in puzzle.pairs}
    for i, j in itertools.permutations(range(len(offsets)), 2):
        one, other = puzzle.blocks[i], puzzle.blocks[j]
        together = one.first <= other.last and other.first <= one.last
        apart = offsets[i] + one.bytes <= offsets[j] or offsets[j] + other.bytes <= offsets[i]
        if not (one.bytes and other.bytes) or not together or apart:
            continue
        if not any(offsets[a] + allowed.get((a, b), NEVER) <= offsets[b] for a, b in ((i, j), (j, i))):
            return False
    return True


def smallest_of_all(puzzle: Puzzle) -> int:
    """The size of the best arrangement there is, by trying all."""

    def can_be_completed(offsets: list[int], size: int) -> bool:
        if not is_possible(puzzle, offsets):
            return False
        if len(offsets) == len(puzzle.blocks):
            return True
        room = size - puzzle.blocks[len(offsets)].bytes
        return any(can_be_completed([*offsets, at], size) for at in range(room + 1))

    return next(size for size in itertools.count() if can_be_completed([], size))


@settings(deadline=None, max_examples=300)
@given(puzzles())
def test_arrangements_keep_to_the_rules_and_to_the_bound(puzzle: Puzzle) -> None:
    offsets, total = puzzle.smallest()
    assert is_possible(puzzle, offsets)
    assert total == max(at + block.bytes for at, block in zip(offsets, puzzle.blocks, strict=True))
    assert puzzle.lower_bound <= smallest_of_all(puzzle) <= total, (puzzle.blocks, puzzle.pairs)


def test_a_chain_in_place_descends_and_the_bound_knows() -> None:
    blocks = [Block(10, i - 1, i) for i in range(5)]
    puzzle = Puzzle(blocks, [Pair(i + 1, i, 2) for i in range(4)], 1)
    assert puzzle.lower_bound == puzzle.smallest()[1] == 10 + 4 * 2


@pytest.mark.parametrize("name", BARS)
def test_official_networks_keep_to_their_bars(name: str) -> None:
    activations, reused, whole = BARS[name]
    kept = compile_model(generated.build(name)).arena
    assert kept.activation_bytes <= activations and kept.bytes <= whole
    given_up = compile_model(generated.build(name), reuse_input=True).arena
    assert given_up.bytes <= kept.bytes and (reused is None or given_up.activation_bytes <= reused)
    assert max(kept.bytes - kept.lower_bound_bytes, given_up.bytes - given_up.lower_bound_bytes) <= 128


def wake_words() -> list[Path]:
    found = find_spec("pymicro_wakeword")
    folder = None if found is None or found.origin is None else Path(found.origin).parent / "models"
    return [] if folder is None else sorted(folder.glob("*.tflite"))


@pytest.mark.parametrize("file", wake_words(), ids=lambda file: file.stem)
def test_plans_of_streaming_models_reach_the_bound(file: Path) -> None:
    arena = compile_model(file.read_bytes()).arena
    assert arena.bytes == arena.lower_bound_bytes


@pytest.mark.parametrize("alignment", [4, 16])
@pytest.mark.parametrize("reuse_input", [False, True])
@pytest.mark.parametrize("name", BARS)
def test_everything_in_the_arena_is_aligned(name: str, reuse_input: bool, alignment: int) -> None:
    compiled = compile_model(generated.build(name), reuse_input=reuse_input, alignment=alignment)
    places = (*compiled.arena.value_offsets, *compiled.arena.scratch_offsets)
    assert all(offset % alignment == 0 for offset in places)
    assert nothing_is_lost(compiled)


def nothing_is_lost(compiled: Compiled) -> bool:
    """Whether what is kept, state and outputs included, is overlapped by nothing that is written later."""
    arena, lowered = compiled.arena, compiled.lowered
    for index, operation in enumerate(lowered.operations):
        output = operation.output.value
        written = (arena.value_offsets[output], arena.values[output].bytes)
        scratch = (arena.scratch_offsets[index], operation.scratch_bytes)
        for value, block in enumerate(arena.values):
            if value != output and block.first < index < block.last:
                for begin, size in (written, scratch):
                    if begin < arena.value_offsets[value] + block.bytes and arena.value_offsets[value] < begin + size:
                        return False
    return True


def lookup(operator: int, source: int, target: int, size: int) -> Operation:
    return Operation(LOOKUP, operator, Span(source), Span(target), Lookup(size), bytes(256))


def test_an_input_that_is_kept_is_never_overwritten_and_one_that_is_given_up_is() -> None:
    lowered = Lowered((lookup(0, 0, 1, 8), lookup(1, 1, 2, 8)), (8, 8, 8), (0,), (2,))
    kept, given_up = place(lowered), place(lowered, reuse_input=True)
    assert (kept.bytes, given_up.bytes) == (16, 8)
    assert kept.keeps_input and not given_up.keeps_input
    assert kept.value_offsets[0] not in kept.value_offsets[1:]


def test_an_input_that_is_an_output_as_well_stays() -> None:
    lowered = Lowered((lookup(0, 0, 1, 8),), (8, 8), (0,), (0, 1))
    assert place(lowered, reuse_input=True).bytes == 16


def test_state_is_never_overwritten() -> None:
    first = Operation(LOOKUP, -1, Span(NOWHERE), Span(0), Lookup(8), bytes(256))
    lowered = Lowered((first, lookup(0, 0, 1, 8), lookup(1, 1, 2, 8)), (8, 8, 8), (), (2,), (0,), 1)
    assert place(lowered).bytes == 16 and place(lowered).value_offsets[0] not in place(lowered).value_offsets[1:]


def test_what_nothing_reads_stays_until_its_operator_is_done() -> None:
    # Two outputs of operator 1, of which the first is of no use to anybody but `tinympy verify`.
    lowered = Lowered((lookup(0, 0, 1, 8), lookup(1, 1, 2, 8), lookup(1, 1, 3, 8)), (8,) * 4, (0,), (3,))
    arena = place(lowered)
    assert arena.values[2].last == 2 and arena.value_offsets[2] != arena.value_offsets[3]
    apart = replace(lowered, operations=(*lowered.operations[:2], lookup(2, 1, 3, 8)))
    assert place(apart).values[2].last == 1


def test_the_default_alignment_suits_every_kernel() -> None:
    # 32-bit accumulators of DEPTHWISE_CONV_2D, the 16-bit cell state of LSTM.
    assert ALIGNMENT % 4 == 0
