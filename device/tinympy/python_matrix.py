"""FULLY_CONNECTED and BATCH_MATMUL in Python.

TFLM: reference_integer_ops::FullyConnected, reference_ops::BatchMatMul.
"""

from struct import unpack_from

from .fixed_point import Channels, int8s, requantise, span

FULLY_CONNECTED = "<5I3h"
BATCH_MATMUL = "<4Ii3hbB"


def fully_connected(op, arena):
    """Each output is the dot product of a row of the input with the output's weights, which have 128 added."""
    batches, inputs, outputs, first, channels, zero_point, low, high = unpack_from(FULLY_CONNECTED, op.parameters)
    k = Channels(op.constants, channels, channels * inputs)
    source = span(arena, op.input, batches * inputs)
    target = span(arena, op.output, batches * outputs)
    for batch in range(batches):
        row = int8s(source[batch * inputs : (batch + 1) * inputs])
        excess = 128 * sum(row)
        for c in range(channels):
            total = k.bias[c] - excess
            at = c * inputs
            for value in row:
                total += value * k.weights[at]
                at += 1
            result = requantise(total, k.multiplier[c], k.shift[c], zero_point, low, high)
            target[batch * outputs + first + c] = result & 0xFF


def batch_matmul(op, arena):
    """One product of two matrices; bits of `transposed` say which of them lie column by column."""
    parameters = unpack_from(BATCH_MATMUL, op.parameters)
    input2, rows, depth, columns, multiplier, zero_point1, zero_point2, zero_point, shift, transposed = parameters
    first = [value - zero_point1 for value in int8s(span(arena, op.input, rows * depth))]
    second = [value - zero_point2 for value in int8s(span(arena, input2, depth * columns))]
    target = span(arena, op.output, rows * columns)
    at = 0
    for row in range(rows):
        left = first[row::rows] if transposed & 1 else first[row * depth : (row + 1) * depth]
        for column in range(columns):
            right = second[column * depth : (column + 1) * depth] if transposed & 2 else second[column::columns]
            total = sum([a * b for a, b in zip(left, right)])
            target[at] = requantise(total, multiplier, shift, zero_point) & 0xFF
            at += 1
