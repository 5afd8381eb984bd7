"""CONV_2D and DEPTHWISE_CONV_2D in Python. TFLM: reference_integer_ops::ConvPerChannel and DepthwiseConvPerChannel.

Padding counts as the input's zero point: the compiler has taken what that contributes off the biases.
"""

from struct import unpack

from .fixed_point import Channels, dot, int8s, requantise, span

WINDOW = "<14H4h4H"


class Window:
    """The parameters of the operators with a window that slides over an image of height x width x channels."""

    def __init__(self, op, arena):
        (
            self.input_height,
            self.input_width,
            self.input_channels,
            self.output_height,
            self.output_width,
            self.output_channels,
            self.kernel_height,
            self.kernel_width,
            self.stride_height,
            self.stride_width,
            self.dilation_height,
            self.dilation_width,
            self.pad_top,
            self.pad_left,
            self.input_zero_point,
            self.output_zero_point,
            self.output_min,
            self.output_max,
            self.first_channel,
            self.channels,
            self.depth,
            self.first_input_channel,
        ) = unpack(WINDOW, op.parameters)
        self.input = span(arena, op.input, self.input_height * self.input_width * self.input_channels)
        self.output = span(arena, op.output, self.output_height * self.output_width * self.output_channels)

    def positions(self):
        """For each output position, row by row: (where its first channel lies, y, x); the window begins at (y, x)."""
        at = self.first_channel
        for row in range(self.output_height):
            for column in range(self.output_width):
                yield at, row * self.stride_height - self.pad_top, column * self.stride_width - self.pad_left
                at += self.output_channels

    def pixels(self, y, x):
        """For each of the kernel's taps, row by row: where the pixel's first channel lies, -1 in the padding."""
        for iy in range(y, y + self.kernel_height * self.dilation_height, self.dilation_height):
            for ix in range(x, x + self.kernel_width * self.dilation_width, self.dilation_width):
                inside = 0 <= iy < self.input_height and 0 <= ix < self.input_width
                yield (iy * self.input_width + ix) * self.input_channels if inside else -1

    def finish(self, totals, k, at):
        """Write the channels' sums, as int8, to the output from `at` on."""
        zero_point, low, high = self.output_zero_point, self.output_min, self.output_max
        for total, multiplier, shift in zip(totals, k.multiplier, k.shift):
            self.output[at] = requantise(total, multiplier, shift, zero_point, low, high) & 0xFF
            at += 1


def conv_2d(op, arena):
    """Each output channel is the dot product of the window's values with the channel's weights."""
    w = Window(op, arena)
    taps = w.kernel_height * w.kernel_width * w.depth
    k = Channels(op.constants, w.channels, w.channels * taps)
    for at, y, x in w.positions():
        values = []
        for pixel in w.pixels(y, x):
            if pixel < 0:
                values += [w.input_zero_point] * w.depth
            else:
                pixel += w.first_input_channel
                values += int8s(w.input[pixel : pixel + w.depth])
        totals = [k.bias[c] + dot(values, k.weights, c * taps) for c in range(w.channels)]
        w.finish(totals, k, at)


def depthwise_conv_2d(op, arena):
    """Output channel c sees input channel c / depth only. The weights lie tap by tap."""
    w = Window(op, arena)
    taps = w.kernel_height * w.kernel_width
    k = Channels(op.constants, w.channels, taps * w.channels)
    rows = [int8s(k.weights[tap * w.channels : (tap + 1) * w.channels]) for tap in range(taps)]
    sources = [(w.first_channel + c) // w.depth for c in range(w.channels)]
    padding = [w.input_zero_point] * w.input_channels
    for at, y, x in w.positions():
        totals = list(k.bias)
        for weights, pixel in zip(rows, w.pixels(y, x)):
            values = padding if pixel < 0 else int8s(w.input[pixel : pixel + w.input_channels])
            for c, source in enumerate(sources):
                totals[c] += values[source] * weights[c]
        w.finish(totals, k, at)
