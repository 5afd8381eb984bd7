"""ELEMENTWISE's addition and LOOKUP with their loops in machine code: python_elements.py says what they compute."""

from array import array
from struct import unpack_from

import micropython

from .fixed_point import int32s, span
from .python_elements import ADD, ELEMENTWISE
from .python_elements import elementwise as in_python
from .viper_requantise import requantise_all

BLOCK = 64


@micropython.viper
def add_all(first: ptr8, second: ptr8, at: int, count: int, table: ptr32, totals: ptr32):  # noqa: F821
    """What the tables say of the values from `at` on, added up."""
    for i in range(count):
        totals[i] = table[first[at + i] ^ 128] + table[256 + (second[at + i] ^ 128)]


@micropython.viper
def look_up(source: ptr8, target: ptr8, table: ptr8, count: int):  # noqa: F821
    for i in range(count):
        target[i] = table[source[i]]


def elementwise(op, arena):
    """An addition of inputs of the same shape; everything else is left to Python."""
    fields = unpack_from(ELEMENTWISE, op.parameters)
    input2, shape, (broadcast1, broadcast2, kind) = fields[0], fields[1:7], fields[7:10]
    if kind != ADD or broadcast1 or broadcast2:
        in_python(op, arena)
        return
    zero_point, low, high, shift, _, multiplier, _ = fields[13:]
    count = 1
    for side in shape:
        count *= side
    table = int32s(op.constants, 0, 512)
    first = span(arena, op.input, count)
    second = span(arena, input2, count)
    target = span(arena, op.output, count)
    # One multiplier for all, where a convolution has one for each channel.
    multipliers = array("i", [multiplier] * BLOCK)
    scaling = bytes([shift & 0xFF, 0, 0, 0] * BLOCK)
    totals = array("i", bytes(4 * BLOCK))
    for at in range(0, count, BLOCK):
        block = min(BLOCK, count - at)
        numbers = array("i", (block, zero_point + 128, low + 128, high + 128))
        add_all(first, second, at, block, table, totals)
        requantise_all(totals, multipliers, scaling, target, at, numbers)


def lookup(op, arena):
    [count] = unpack_from("<I", op.parameters)
    look_up(span(arena, op.input, count), span(arena, op.output, count), span(op.constants, 0, 256), count)
