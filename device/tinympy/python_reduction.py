"""REDUCE and ARG in Python, over the middle of (outer, middle, inner). TFLM: QuantizedMeanOrSum, ReduceGeneric,
arg_min_max.h."""

from struct import pack_into, unpack_from

from .fixed_point import requantise, signed, span

REDUCE = "<3I2ibBh"
SUM, MAX, MIN = range(3)
ARG_MAX = 0


def lines(source, outer, middle, inner):
    """The values along the middle, for each of the others."""
    for begin in range(0, outer * middle * inner, middle * inner):
        for at in range(begin, begin + inner):
            yield [signed(source[at + i * inner]) for i in range(middle)]


def reduce(op, arena):
    """Sums, means (the multiplier has the division in it), largest or smallest values."""
    outer, reduced, inner, offset, multiplier, shift, kind, zero_point = unpack_from(REDUCE, op.parameters)
    source = span(arena, op.input, outer * reduced * inner)
    target = span(arena, op.output, outer * inner)
    for at, values in enumerate(lines(source, outer, reduced, inner)):
        if kind == SUM:
            result = requantise(sum(values) + offset, multiplier, shift, zero_point)
        else:
            result = max(values) if kind == MAX else min(values)
        target[at] = result & 0xFF


def arg(op, arena):
    """Where the greatest or least value stands, the first of equal ones, as int32."""
    outer, depth, inner, kind = unpack_from("<4I", op.parameters)
    source = span(arena, op.input, outer * depth * inner)
    target = span(arena, op.output, 4 * outer * inner)
    at = 0
    for values in lines(source, outer, depth, inner):
        best = max(values) if kind == ARG_MAX else min(values)
        pack_into("<i", target, at, values.index(best))
        at += 4
