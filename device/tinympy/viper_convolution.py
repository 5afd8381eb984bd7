"""CONV_2D and DEPTHWISE_CONV_2D with loops in machine code: python_convolution.py says what they compute."""

from array import array

import micropython

from .fixed_point import Channels
from .python_convolution import Window
from .viper_requantise import requantise_all


@micropython.viper
def read_window(image: ptr8, y: int, x: int, values: ptr8, w: ptr32):  # noqa: F821
    """Gather the window's values at (y, x), padding filled.

    w -- input height, width, channels; kernel height, width; dilation height, width; depth, first input channel; the
    byte that padding counts as
    """
    height = w[0]
    width = w[1]
    channels = w[2]
    depth = w[7]
    first = w[8]
    padding = w[9]
    to = 0
    for ky in range(w[3]):
        iy = y + ky * w[5]
        for kx in range(w[4]):
            ix = x + kx * w[6]
            if iy >= 0 and iy < height and ix >= 0 and ix < width:
                at = (iy * width + ix) * channels + first
                for _ in range(depth):
                    values[to] = image[at]
                    to += 1
                    at += 1
            else:
                for _ in range(depth):
                    values[to] = padding
                    to += 1


@micropython.viper
def dot_all(values: ptr8, taps: int, weights: ptr8, bias: ptr32, totals: ptr32, channels: int):  # noqa: F821
    """The sum of each channel: its bias and the products of its weights with the values."""
    at = 0
    for c in range(channels):
        total = bias[c]
        for i in range(taps):
            total += ((values[i] ^ 128) - 128) * ((weights[at] ^ 128) - 128)
            at += 1
        totals[c] = total


@micropython.viper
def tap_all(values: ptr8, first: int, depth: int, weights: ptr8, taps: int, bias: ptr32, totals: ptr32, w: ptr32):  # noqa: F821
    """The sum of each channel of a depthwise convolution. w -- channels, and the values' bytes for each tap."""
    channels = w[0]
    stride = w[1]
    source = first // depth
    copy = first - source * depth
    for c in range(channels):
        total = bias[c]
        at = c
        place = source
        for _ in range(taps):
            total += ((values[place] ^ 128) - 128) * ((weights[at] ^ 128) - 128)
            at += channels
            place += stride
        totals[c] = total
        copy += 1
        if copy == depth:
            copy = 0
            source += 1


def window_numbers(w, depth, first):
    """What read_window takes, of a Window."""
    sizes = [w.input_height, w.input_width, w.input_channels, w.kernel_height, w.kernel_width]
    sizes += [w.dilation_height, w.dilation_width, depth, first, w.input_zero_point & 0xFF]
    return array("i", sizes)


def output_numbers(w):
    """What requantise_all takes, of a Window."""
    return array("i", (w.channels, w.output_zero_point + 128, w.output_min + 128, w.output_max + 128))


def conv_2d(op, arena):
    w = Window(op, arena)
    taps = w.kernel_height * w.kernel_width * w.depth
    k = Channels(op.constants, w.channels, w.channels * taps)
    numbers = window_numbers(w, w.depth, w.first_input_channel)
    shape = output_numbers(w)
    values = bytearray(taps)
    totals = array("i", bytes(4 * w.channels))
    for at, y, x in w.positions():
        read_window(w.input, y, x, values, numbers)
        dot_all(values, taps, k.weights, k.bias, totals, w.channels)
        requantise_all(totals, k.multiplier, k.scaling, w.output, at, shape)


def depthwise_conv_2d(op, arena):
    w = Window(op, arena)
    taps = w.kernel_height * w.kernel_width
    k = Channels(op.constants, w.channels, taps * w.channels)
    numbers = window_numbers(w, w.input_channels, 0)
    shape = output_numbers(w)
    values = bytearray(taps * w.input_channels)
    totals = array("i", bytes(4 * w.channels))
    strides = array("i", (w.channels, w.input_channels))
    for at, y, x in w.positions():
        read_window(w.input, y, x, values, numbers)
        tap_all(values, w.first_channel, w.depth, k.weights, taps, k.bias, totals, strides)
        requantise_all(totals, k.multiplier, k.scaling, w.output, at, shape)
