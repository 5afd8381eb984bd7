"""FULLY_CONNECTED with ulab: python_matrix.py says what it computes."""

from struct import unpack_from

from ulab import numpy as np

from .fixed_point import Channels, int8s, requantise, span
from .python_matrix import FULLY_CONNECTED

# The weights have 128 added: half as many products as of two int8 fit the 24 bits of a float's fraction.
LONGEST = 512


def fully_connected(op, arena):
    """The weights, one output a row, times a row of the input, in parts whose sums are exact."""
    batches, inputs, outputs, first, channels, zero_point, low, high = unpack_from(FULLY_CONNECTED, op.parameters)
    k = Channels(op.constants, channels, channels * inputs)
    weights = np.frombuffer(k.weights, dtype=np.uint8).reshape((channels, inputs))
    source = span(arena, op.input, batches * inputs)
    target = span(arena, op.output, batches * outputs)
    for batch in range(batches):
        # A copy: outputs may be written over it.
        row = bytearray(source[batch * inputs : (batch + 1) * inputs])
        excess = 128 * sum(int8s(row))
        totals = [bias - excess for bias in k.bias]
        values = np.frombuffer(row, dtype=np.int8)
        for begin in range(0, inputs, LONGEST):
            part = np.dot(weights[:, begin : begin + LONGEST], values[begin : begin + LONGEST])
            totals = [total + int(more) for total, more in zip(totals, part)]
        at = batch * outputs + first
        for total, multiplier, shift in zip(totals, k.multiplier, k.shift):
            target[at] = requantise(total, multiplier, shift, zero_point, low, high) & 0xFF
            at += 1
