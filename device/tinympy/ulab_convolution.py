"""CONV_2D and DEPTHWISE_CONV_2D with ulab: python_convolution.py says what they compute."""

from ulab import numpy as np

from .fixed_point import Channels
from .python_convolution import Window
from .python_convolution import depthwise_conv_2d as in_python
from .ulab_requantise import Outputs

# The largest product of two int8.
LARGEST = 1 << 14
# The sum of so many of them fits the 24 bits of a float.
LONGEST = 1024
# Of each array of a block, of which there are five at a time.
BLOCK_BYTES = 2048


def gather(w, y, x, first, depth, padding, values, at):
    """Copy `depth` channels of each of the window's pixels to the bytearray `values`, from `at` on."""
    for pixel in w.pixels(y, x):
        pixel += first
        values[at : at + depth] = w.input[pixel : pixel + depth] if pixel >= first else padding
        at += depth


def conv_2d(op, arena):
    """The windows of a block of output positions, one a row, times the weights, one channel a column."""
    w = Window(op, arena)
    taps = w.kernel_height * w.kernel_width * w.depth
    k = Channels(op.constants, w.channels, w.channels * taps)
    weights = np.frombuffer(k.weights, dtype=np.int8).reshape((w.channels, taps)).transpose()
    outputs = Outputs(k, w.output_zero_point, w.output_min, w.output_max, taps * LARGEST)
    padding = bytes([w.input_zero_point & 0xFF] * w.depth)
    # Bytes go in, floats come out.
    rows = max(1, BLOCK_BYTES // max(taps, 4 * w.channels))
    values = bytearray(rows * taps)
    places = []
    for at, y, x in w.positions():
        gather(w, y, x, w.first_input_channel, w.depth, padding, values, len(places) * taps)
        places.append(at)
        if len(places) == rows:
            outputs.write(w.output, places, products(values, weights, taps, rows))
            places = []
    if places:
        outputs.write(w.output, places, products(values, weights, taps, len(places)))


def products(values, weights, taps, rows):
    """The products of `rows` windows in `values` and the weights, in parts whose sums are exact."""
    windows = np.frombuffer(values, dtype=np.int8, count=rows * taps).reshape((rows, taps))
    return [
        np.dot(windows[:, begin : begin + LONGEST], weights[begin : begin + LONGEST, :])
        for begin in range(0, taps, LONGEST)
    ]


def depthwise_conv_2d(op, arena):
    """A window's values times the weights, one tap a row, and the sum of each column.

    The sum is a product with ones: ulab's own `sum` is the mean times the number of rows, which is not exact.
    """
    w = Window(op, arena)
    taps = w.kernel_height * w.kernel_width
    if w.depth > 1 or taps > LONGEST:
        in_python(op, arena)
        return
    k = Channels(op.constants, w.channels, taps * w.channels)
    weights = np.frombuffer(k.weights, dtype=np.int8).reshape((taps, w.channels))
    outputs = Outputs(k, w.output_zero_point, w.output_min, w.output_max, taps * LARGEST)
    padding = bytes([w.input_zero_point & 0xFF] * w.channels)
    values = bytearray(taps * w.channels)
    windows = np.frombuffer(values, dtype=np.int8).reshape((taps, w.channels))
    ones = np.array([[1] * taps])
    together = max(1, BLOCK_BYTES // (2 * taps))
    for at, y, x in w.positions():
        gather(w, y, x, w.first_channel, w.channels, padding, values, 0)
        for first in range(0, w.channels, together):
            # Floats, since the product of two int8 would be one as well.
            window = np.array(windows[:, first : first + together], dtype=np.float)
            sums = np.dot(ones, window * weights[:, first : first + together])
            outputs.write(w.output, [at + first], [sums], first)
