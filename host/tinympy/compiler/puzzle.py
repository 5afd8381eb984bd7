"""Blocks of bytes, each needed for a time, to be arranged in as few bytes as possible: the heart of the arena plan.

The problem is that of dynamic storage allocation, which is NP-hard: several greedy orders are tried, the best one is
improved by a short search, and a lower bound says how far from the best the result can be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

_NO_END = 1 << 62
# How many blocks may be placed by all orders together, and again by the search for a better one; how often it may try.
_MOST_PLACEMENTS = 20_000
_MOST_TRIES = 200
_LONGEST_CHAIN = 64


@dataclass(frozen=True)
class Block:
    """Bytes that are needed from operation `first` to operation `last`, both included."""

    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Pair:
    """Two blocks that may overlap if `lower` begins at least `distance` bytes before `upper`.

    `upper` ends with the operation with which `lower` begins.
    """

    lower: int
    upper: int
    distance: int


class Puzzle:
    """Blocks to be placed, pairs of which may overlap; sizes and distances in bytes, rounded up to the alignment."""

    def __init__(self, blocks: Sequence[Block], pairs: Sequence[Pair], alignment: int) -> None:
        self.blocks = blocks
        self.alignment = alignment
        # As arrays: a model in many small tiles has thousands of blocks, and each is compared with all others.
        fields = [(self._aligned(block.bytes), block.first, block.last) for block in blocks]
        self.size, self.first, self.last = np.array(fields, np.int64).reshape(-1, 3).T
        self.pairs = [
            Pair(pair.lower, pair.upper, self._aligned(pair.distance))
            for pair in pairs
            if self.size[pair.lower] and self.size[pair.upper]
        ]

    def smallest(self) -> tuple[list[int], int]:
        """Offsets and size of the smallest arena among several placement orders, after a short search from the best."""
        if not len(self.size):
            return [], 0
        plans: list[tuple[int, list[int], bool, list[int]]] = []
        for order in self._orders():
            if len(plans) * len(order) > _MOST_PLACEMENTS:
                break
            for upside_down in (False, True):
                offsets, total = self._plan(order, upside_down)
                plans.append((total, order, upside_down, offsets))
                if total <= self.lower_bound:
                    return offsets, total
        total, order, upside_down, offsets = min(plans, key=lambda plan: plan[0])
        return self._improved(order, upside_down, offsets, total)

    @cached_property
    def lower_bound(self) -> int:
        """No arrangement takes less, as far as two arguments tell; both count with sizes and distances rounded up.

        What is alive during one operation has to lie somewhere, overlapping as far as it may. And where there is no
        room for an output beside its input, it lies below it: in a chain of such operations each value lies farther
        down than the one before, and what is alive throughout lies outside.
        """
        bound = int(self._live.max())
        while True:
            forced = {pair.upper: pair for pair in self.pairs if self._beside[pair] > bound}
            raised = max((self._chain_bound(upper, forced) for upper in forced), default=bound)
            if raised <= bound:
                return bound
            bound = raised

    @cached_property
    def _live(self) -> npt.NDArray[np.int64]:
        """The least bytes that are alive during each operation, from -1 on."""
        live = self._live_apart.copy()
        for output, pairs in self._by_output.items():
            live[self.first[output] + 1] -= self._shared(output, pairs)
        return live

    @cached_property
    def _beside(self) -> dict[Pair, int]:
        """For each pair, the least bytes that are alive during its operation when it does not overlap."""
        found = {}
        for output, pairs in self._by_output.items():
            live = int(self._live_apart[self.first[output] + 1])
            for pair in pairs:
                found[pair] = live - self._shared(output, [each for each in pairs if each is not pair])
        return found

    @cached_property
    def _live_apart(self) -> npt.NDArray[np.int64]:
        """Bytes alive during each operation, from -1 on, when nothing overlaps."""
        live = np.zeros(int(self.last.max()) + 3, np.int64)
        alive = self.first <= self.last
        np.add.at(live, self.first[alive] + 1, self.size[alive])
        np.add.at(live, self.last[alive] + 2, -self.size[alive])
        return np.cumsum(live)

    @cached_property
    def _by_output(self) -> dict[int, list[Pair]]:
        found: dict[int, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.lower, []).append(pair)
        return found

    def _shared(self, output: int, pairs: Sequence[Pair]) -> int:
        """The most that an output and inputs that it may overlap have in common."""
        if not pairs:
            return 0
        size, inputs = int(self.size[output]), sum(int(self.size[pair.upper]) for pair in pairs)
        # The part of the output before the first input that it overlaps is its own.
        own = min(size, max(0, min(pair.distance for pair in pairs)))
        return size + inputs - max(size, own + inputs)

    def _chain_bound(self, upper: int, forced: dict[int, Pair]) -> int:
        """What the chain of forced overlaps from `upper` on takes, unless one of them is none in a larger arena."""
        taken, escape, bound = int(self.size[upper]) + self._permanent_bytes, _NO_END, 0
        for _ in range(_LONGEST_CHAIN):
            if upper not in forced:
                break
            pair = forced[upper]
            taken += pair.distance
            escape = min(escape, self._beside[pair])
            bound = max(bound, min(escape, taken))
            upper = pair.lower
        return bound

    @cached_property
    def _permanent_bytes(self) -> int:
        """Of all that is alive throughout and overlaps nothing."""
        alone = np.ones(len(self.size), np.bool_)
        alone[[index for pair in self.pairs for index in (pair.lower, pair.upper)]] = False
        return int(self.size[alone & (self.first < 0) & (self.last == self.last.max())].sum())

    @cached_property
    def _present(self) -> npt.NDArray[np.int64]:
        """Blocks that are not empty."""
        return np.flatnonzero(self.size > 0)

    def _orders(self) -> list[list[int]]:
        """Placement orders: by size, by time forwards and backwards, by duration, by both, and by time from the peak.

        Each also with those at the end that are there from the beginning and can lie anywhere outside.
        """
        blocks, peak = self.blocks, int(self._live.argmax()) - 1
        keys: tuple[Callable[[int], tuple[int, ...]], ...] = (
            lambda i: (-blocks[i].bytes, blocks[i].first),
            lambda i: (blocks[i].first, -blocks[i].bytes),
            lambda i: (-blocks[i].last, -blocks[i].bytes),
            lambda i: (-blocks[i].first, -blocks[i].bytes),
            lambda i: (blocks[i].first - blocks[i].last, -blocks[i].bytes),
            lambda i: (blocks[i].bytes * (blocks[i].first - blocks[i].last), blocks[i].first),
            lambda i: (max(0, blocks[i].first - peak, peak - blocks[i].last), -blocks[i].bytes),
        )
        orders = [sorted(range(len(blocks)), key=key) for key in keys]
        return orders + [sorted(order, key=lambda i: blocks[i].first < 0) for order in orders]

    def _improved(self, order: list[int], upside_down: bool, offsets: list[int], total: int) -> tuple[list[int], int]:
        """As long as the bound is not reached: what sticks out farthest is placed earlier, or any block elsewhere."""
        generator = np.random.default_rng(0)
        for attempt in range(min(_MOST_TRIES, _MOST_PLACEMENTS // len(order))):
            if total <= self.lower_bound:
                break
            placed = np.array(offsets)
            end = placed if upside_down else total - placed - self.size
            culprit = attempt % 2 == 0
            moved = int(generator.choice(np.flatnonzero((end == 0) & (self.size > 0)) if culprit else self._present))
            at = order.index(moved)
            changed = [*order[:at], *order[at + 1 :]]
            changed.insert(int(generator.integers(0, at + 1 if culprit else len(order))), moved)
            new_offsets, new_total = self._plan(changed, upside_down)
            if new_total <= total:
                order, offsets, total = changed, new_offsets, new_total
        return offsets, total

    def _plan(self, order: Sequence[int], upside_down: bool) -> tuple[list[int], int]:
        """Each block in turn at the lowest offset that those placed before leave it; or at the highest one."""
        size, first, last = self.size, self.first, self.last
        partners = self._partners(upside_down)
        offsets = np.zeros(len(size), np.int64)
        placed = np.zeros(len(size), np.bool_)
        for index in order:
            if size[index] == 0:
                continue
            own_size = int(size[index])
            met = np.flatnonzero(placed & (first <= last[index]) & (first[index] <= last))
            # A block met forbids all offsets between, but not at, `low` and `high`.
            low, high = offsets[met] - own_size, offsets[met] + size[met]
            for other, is_upper, between in partners.get(index, ()):
                at = np.flatnonzero(met == other)
                if is_upper:
                    low[at] = offsets[other] - min(between, own_size)
                else:
                    high[at] = offsets[other] + min(between, int(size[other]))
            some = low < high
            low, high = low[some], high[some]
            by_low = np.argsort(low)
            begins = np.maximum.accumulate(np.append(0, high[by_low]))
            offsets[index] = begins[np.argmax(begins <= np.append(low[by_low], _NO_END))]
            placed[index] = True
        total = int(np.max(offsets + size))
        if upside_down:
            offsets = np.where(size == 0, 0, total - offsets - size)
        return offsets.tolist(), total

    def _partners(self, upside_down: bool) -> dict[int, list[tuple[int, bool, int]]]:
        """For each block: those it may overlap, whether they are the upper one, and the distance."""
        found: dict[int, list[tuple[int, bool, int]]] = {}
        for pair in self.pairs:
            lower, upper, between = pair.lower, pair.upper, pair.distance
            if upside_down:
                lower, upper, between = upper, lower, between + int(self.size[upper] - self.size[lower])
            found.setdefault(lower, []).append((upper, True, between))
            found.setdefault(upper, []).append((lower, False, between))
        return found

    def _aligned(self, offset: int) -> int:
        return -(-offset // self.alignment) * self.alignment
