"""Operators that go element by element, in Python: ELEMENTWISE, LOOKUP and QUANTISE.

TFLM: ADD, SUB, MUL, MAXIMUM, MINIMUM and PRELU of its reference integer operators; requantize.h.
"""

from struct import pack_into, unpack, unpack_from

from .fixed_point import clamp, int32s, multiply_quantised, requantise, signed, span, wrapped

ELEMENTWISE = "<I6H4B5h2b2i"
ADD, MUL, MAXIMUM, MINIMUM, PRELU = range(5)
QUANTISE = "<I3ib2B"
FORMATS = {1: "<b", 2: "<h", 4: "<i"}


def elementwise(op, arena):
    """Two inputs in the output's shape, or with one element along some of its six dimensions."""
    fields = unpack_from(ELEMENTWISE, op.parameters)
    input2, shape, (broadcast1, broadcast2, kind) = fields[0], fields[1:7], fields[7:10]
    zero_point1, zero_point2, zero_point, low, high, shift1, shift2, multiplier1, multiplier2 = fields[11:]

    if kind == ADD:
        # What each value of the first input adds, and of the second.
        table = int32s(op.constants, 0, 512)

    def combine(a, b):
        if kind == MAXIMUM:
            return max(a, b)
        if kind == MINIMUM:
            return min(a, b)
        if kind == ADD:
            total = table[a + 128] + table[256 + b + 128]
        elif kind == PRELU and a >= zero_point1:
            total = a - zero_point1
        else:
            total = (a - zero_point1) * (b - zero_point2)
            if kind == PRELU:
                return requantise(total, multiplier2, shift2, zero_point, low, high)
        return requantise(total, multiplier1, shift1, zero_point, low, high)

    strides1, count1 = strides(shape, broadcast1)
    strides2, count2 = strides(shape, broadcast2)
    first = span(arena, op.input, count1)
    second = span(arena, input2, count2)
    output = span(arena, op.output, strides(shape, 0)[1])
    for at, (at1, at2) in enumerate(places(shape, strides1, strides2)):
        output[at] = combine(signed(first[at1]), signed(second[at2])) & 0xFF


def strides(shape, broadcast):
    """(From one element to the next along each dimension, how many there are) of an input; 0 where it has only one."""
    found = []
    count = 1
    for dimension in range(len(shape) - 1, -1, -1):
        once = broadcast >> dimension & 1
        found.insert(0, 0 if once else count)
        count *= 1 if once else shape[dimension]
    return found, count


def places(shape, strides1, strides2, dimension=0, at1=0, at2=0):
    """Where the elements of both inputs lie, in the order of the output's."""
    for _ in range(shape[dimension]):
        if dimension == len(shape) - 1:
            yield at1, at2
        else:
            yield from places(shape, strides1, strides2, dimension + 1, at1, at2)
        at1 += strides1[dimension]
        at2 += strides2[dimension]


def lookup(op, arena):
    """A function of one 8-bit value, as the table of its results."""
    [count] = unpack_from("<I", op.parameters)
    table = span(op.constants, 0, 256)
    source = span(arena, op.input, count)
    target = span(arena, op.output, count)
    for i in range(count):
        target[i] = table[source[i]]


def quantise(op, arena):
    """Integers of 8, 16 or 32 bits in another quantisation."""
    elements, zero_point1, zero_point, multiplier, shift, input_bytes, output_bytes = unpack_from(
        QUANTISE, op.parameters
    )
    source = span(arena, op.input, elements * input_bytes)
    target = span(arena, op.output, elements * output_bytes)
    greatest = (1 << 8 * output_bytes - 1) - 1
    for i in range(elements):
        [value] = unpack(FORMATS[input_bytes], source[i * input_bytes : (i + 1) * input_bytes])
        scaled = multiply_quantised(wrapped(value - zero_point1), multiplier, shift)
        result = clamp(wrapped(scaled + zero_point), -greatest - 1, greatest)
        pack_into(FORMATS[output_bytes], target, i * output_bytes, result)
