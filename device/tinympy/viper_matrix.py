"""FULLY_CONNECTED with its loops in machine code: python_matrix.py says what it computes."""

from array import array
from struct import unpack_from

import micropython

from .fixed_point import Channels, span
from .python_matrix import FULLY_CONNECTED
from .viper_requantise import requantise_all


@micropython.viper
def dot_all(values: ptr8, count: int, weights: ptr8, bias: ptr32, totals: ptr32, channels: int):  # noqa: F821
    """The sum of each channel: its bias and the products of its weights, which have 128 added, with the values."""
    at = 0
    for c in range(channels):
        total = bias[c]
        for i in range(count):
            total += ((values[i] ^ 128) - 128) * (weights[at] - 128)
            at += 1
        totals[c] = total


def fully_connected(op, arena):
    batches, inputs, outputs, first, channels, zero_point, low, high = unpack_from(FULLY_CONNECTED, op.parameters)
    k = Channels(op.constants, channels, channels * inputs)
    source = span(arena, op.input, batches * inputs)
    target = span(arena, op.output, batches * outputs)
    shape = array("i", (channels, zero_point + 128, low + 128, high + 128))
    totals = array("i", bytes(4 * channels))
    for batch in range(batches):
        dot_all(source[batch * inputs : (batch + 1) * inputs], inputs, k.weights, k.bias, totals, channels)
        requantise_all(totals, k.multiplier, k.scaling, target, batch * outputs + first, shape)
