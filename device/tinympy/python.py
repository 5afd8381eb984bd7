"""The Python engine: what the C kernels compute, bit for bit, one short function each. It is read more than it is run.

An operator's function takes an operation, that is one entry of the program's table (docs/program-format.md), and the
arena. tk.h says in which order it has to read and write where its output lies over its input ("In place").
"""

from struct import unpack_from

from .program import (
    HEADER_BYTES,
    OPERATION,
    OPERATION_BYTES,
    TENSOR_BYTES,
    TILE,
    TILE_BYTES,
    TILE_ENTRY,
    TILE_ENTRY_BYTES,
    Head,
)

# Where the function of each opcode is. A module is imported where a program has operations for it.
OPERATORS = {
    1: ("python_convolution", "conv_2d"),
    2: ("python_convolution", "depthwise_conv_2d"),
    3: ("python_matrix", "fully_connected"),
    4: ("python_pooling", "average_pool_2d"),
    5: ("python_softmax", "softmax"),
    6: ("python_pooling", "max_pool_2d"),
    7: ("python_elements", "elementwise"),
    8: ("python_elements", "lookup"),
    9: ("python_reduction", "reduce"),
    10: ("python_movement", "copy"),
    11: ("python_movement", "fill"),
    12: ("python_movement", "gather"),
    13: ("python_softmax", "log_softmax"),
    14: ("python_sequence", "svdf"),
    15: ("python_sequence", "lstm"),
    16: ("python_resize", "resize_bilinear"),
    17: ("python_elements", "quantise"),
    18: ("python_reduction", "arg"),
    19: ("python_matrix", "batch_matmul"),
}
NO_TILE = 0xFFFF


class Operation:
    """One call of an operator's function.

    input, output -- where their first bytes lie in the arena
    parameters -- 44 bytes, whose meaning depends on the operator
    constants -- a view from the operation's first constant to the end of its tile; None without constants
    """

    def __init__(self, program, at, tiles):
        fields = unpack_from(OPERATION, program, at)
        self.opcode, _, tile, constants, self.input, self.output, _, self.parameters = fields
        self.constants = None if tile == NO_TILE else tiles[tile][constants:]


class PythonEngine:
    """Runs a program's operations on an arena. ValueError when the program is not one that it knows.

    addresses -- a machine word for each tile of the program, where it lies; or FileTiles, which are read when they are
        needed; None when it is within `program`
    """

    name = "python"
    # What an engine made of this one has in place of some of OPERATORS.
    faster = {}

    def __init__(self, program, addresses):
        head = Head(program)
        if head.layout:
            raise ValueError("the program's constants are in layout %d, this is for 0" % head.layout)
        self._program = program
        self._count = head.operation_count
        self._arena_bytes = head.arena_bytes
        self._first_at = HEADER_BYTES + TENSOR_BYTES * (len(head.inputs) + len(head.outputs))
        if hasattr(addresses, "check"):
            self._tiles = addresses
        else:
            self._tiles = [self._tile(head, index, addresses) for index in range(head.tile_count)]
        self._functions = {}
        for index in range(self._count):
            opcode = program[self._first_at + OPERATION_BYTES * index]
            if opcode not in self._functions:
                self._functions[opcode] = self._function(opcode)

    def run(self, arena, first, last):
        """Run operations first … last - 1. `arena`: a bytearray of at least the program's arena_bytes."""
        if len(arena) < self._arena_bytes:
            raise ValueError("the arena is too small")
        if not 0 <= first <= last <= self._count:
            raise ValueError("there are fewer operations")
        for index in range(first, last):
            operation = Operation(self._program, self._first_at + OPERATION_BYTES * index, self._tiles)
            self._functions[operation.opcode](operation, arena)

    def _function(self, opcode):
        if opcode not in OPERATORS:
            raise ValueError("the program has operations of the unknown kind %d" % opcode)
        module, name = self.faster.get(opcode) or OPERATORS[opcode]
        package = __name__.rsplit(".", 1)[0]
        return getattr(__import__(package + "." + module, None, None, (name,)), name)

    def _tile(self, head, index, addresses):
        """The constants of a tile, behind its header."""
        at, count = unpack_from(TILE_ENTRY, self._program, head.tiles_at + TILE_ENTRY_BYTES * index)
        if addresses:
            from uctypes import bytearray_at

            tile = memoryview(bytearray_at(addresses[index], TILE_BYTES + count))
        else:
            tile = memoryview(self._program)[at : at + TILE_BYTES + count]
        if len(tile) != TILE_BYTES + count or unpack_from(TILE, tile)[:3] != (head.program_id, index, count):
            raise ValueError("tile %d is not where it should be" % index)
        return tile[TILE_BYTES:]
