"""The memory map of a compiled model: what lies where in the arena during each operation, and what makes the peak."""

from __future__ import annotations

from dataclasses import dataclass

from tinympy.compiler import Compiled
from tinympy.compiler.operation import NO_OPERATOR


@dataclass(frozen=True)
class Value:
    """Bytes of the arena that are taken during the operations `first` to `last`, both included.

    name is "input", "state", "scratch", or the index of the operation that writes it; what says the same in words.
    """

    name: str
    what: str
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Use:
    """A value during one operation: "read", "written", "read and written", or "kept" for later."""

    value: Value
    role: str


@dataclass(frozen=True)
class Row:
    """One operation: its index, the operator it comes from (its index and name), and the values alive meanwhile."""

    index: int
    operator: int | None
    name: str
    uses: tuple[Use, ...]

    @property
    def live_bytes(self) -> int:
        """Bytes of the arena that hold something, each counted once."""
        return sum(use.value.bytes for use in self.uses) - self.shared_bytes

    @property
    def shared_bytes(self) -> int:
        """Bytes that are written in the place of what has been read."""
        return sum(end - begin for begin, end in self.shared)

    @property
    def shared(self) -> tuple[tuple[int, int], ...]:
        """From where to where in the arena two values lie: what is written, and what has been read there."""
        found = []
        end = 0
        for value in sorted((use.value for use in self.uses), key=lambda value: value.offset):
            behind = value.offset + value.bytes
            if value.offset < min(end, behind):
                found.append((value.offset, min(end, behind)))
            end = max(end, behind)
        return tuple(found)


@dataclass(frozen=True)
class MemoryMap:
    """All rows in the order in which the operations run; `peak` is the one with the most live bytes.

    lower_bound_bytes: no plan takes less, as far as the compiler can tell.
    """

    arena_bytes: int
    lower_bound_bytes: int
    rows: tuple[Row, ...]

    @property
    def peak(self) -> Row:
        return max(self.rows, key=lambda row: row.live_bytes)


def memory_map(compiled: Compiled) -> MemoryMap:
    """The map of a compiled model."""
    values = _values(compiled)
    rows = []
    for index, operation in enumerate(compiled.lowered.operations):
        read = {span.value for span in operation.spans if span is not operation.output}
        uses = []
        for number, value in values:
            if value.bytes == 0 or not value.first <= index <= value.last:
                continue
            roles = [*(["read"] if number in read else []), *(["written"] if number == operation.output.value else [])]
            uses.append(Use(value, " and ".join(roles) or ("written" if number is None else "kept")))
        operator = None if operation.operator == NO_OPERATOR else operation.operator
        name = "initial state" if operator is None else compiled.graph.operators[operator].name
        rows.append(Row(index, operator, name, tuple(uses)))
    return MemoryMap(compiled.arena.bytes, compiled.arena.lower_bound_bytes, tuple(rows))


def _values(compiled: Compiled) -> list[tuple[int | None, Value]]:
    """Every value with its number (None: scratch)."""
    lowered, arena = compiled.lowered, compiled.arena
    found: list[tuple[int | None, Value]] = []
    for number, block in enumerate(arena.values):
        name, what = str(block.first), _what(compiled, number, block.first)
        if number in lowered.inputs:
            name, what = "input", "the model's input, kept so that an inference can be repeated"
            if not arena.keeps_input:
                what = "the model's input, given up when it has been read"
        elif number in lowered.state:
            name, what = "state", "state, kept for the next inference"
        first = max(0, block.first)
        found.append((number, Value(name, what, arena.value_offsets[number], block.bytes, first, block.last)))
    for index, operation in enumerate(lowered.operations):
        if operation.scratch_bytes:
            offset = arena.scratch_offsets[index]
            what = "scratch of the kernel"
            found.append((None, Value("scratch", what, offset, operation.scratch_bytes, index, index)))
    return found


def _what(compiled: Compiled, number: int, first: int) -> str:
    """A value in words: whose output it is, and of what shape."""
    if not 0 <= first < len(compiled.lowered.operations):
        return "not used"
    operation = compiled.lowered.operations[first]
    operator = compiled.graph.operators[operation.operator]
    tensors = [compiled.graph.tensors[index] for index in operator.outputs]
    size = compiled.lowered.value_bytes[number]
    shape = next((tensor.shape for tensor in tensors if tensor.elements == size), None)
    if shape is None or operation.output.value != number:
        return f"temporary of operation {first}, {operator.name}"
    return f"output of operation {first}, {operator.name}, {' × '.join(map(str, shape))}"
