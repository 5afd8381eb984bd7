"""FULLY_CONNECTED with ulab: python_matrix.py says what it computes."""

from struct import unpack_from

from ulab import numpy as np

from .fixed_point import Channels, int8s, span
from .python_matrix import FULLY_CONNECTED
from .ulab_requantise import Outputs

# The weights have 128 added: half as many products as of two int8 fit the 24 bits of a float.
LONGEST = 512


def fully_connected(op, arena):
    """A row of the input times the weights, one output a column, in parts whose sums are exact."""
    batches, inputs, outputs, first, channels, zero_point, low, high = unpack_from(FULLY_CONNECTED, op.parameters)
    k = Channels(op.constants, channels, channels * inputs)
    weights = np.frombuffer(k.weights, dtype=np.uint8).reshape((channels, inputs)).transpose()
    made = Outputs(k, zero_point, low, high, inputs << 14)
    source = span(arena, op.input, batches * inputs)
    target = span(arena, op.output, batches * outputs)
    for batch in range(batches):
        # A copy: outputs may be written over it.
        row = bytearray(source[batch * inputs : (batch + 1) * inputs])
        values = np.frombuffer(row, dtype=np.int8).reshape((1, inputs))
        parts = []
        for begin in range(0, inputs, LONGEST):
            end = min(begin + LONGEST, inputs)
            part = np.dot(values[:, begin:end], weights[begin:end, :])
            part -= 128 * sum(int8s(row[begin:end]))
            parts.append(part)
        made.write(target, [batch * outputs + first], parts)
