"""AVERAGE_POOL_2D and MAX_POOL_2D with their loops in machine code: python_pooling.py says what they compute."""

from array import array

import micropython

from .python_convolution import Window


@micropython.viper
def average(image: ptr8, output: ptr8, at: int, begin: int, rows: int, columns: int, w: ptr32):  # noqa: F821
    """The rounded means of all channels over rows x columns pixels, the first channel of which is at `begin`.

    w -- channels, bytes of a pixel and of a row, the clamp with 128 added
    """
    low = w[3] - 128
    high = w[4] - 128
    count = rows * columns
    for c in range(w[0]):
        total = 0
        row = begin + c
        for _ in range(rows):
            place = row
            for __ in range(columns):
                total += (image[place] ^ 128) - 128
                place += w[1]
            row += w[2]
        mean = 0
        if total < 0:
            mean = 0 - (0 - total + (count >> 1)) // count
        elif count:
            mean = (total + (count >> 1)) // count
        if mean < low:
            mean = low
        if mean > high:
            mean = high
        output[at + c] = mean


@micropython.viper
def largest(image: ptr8, output: ptr8, at: int, begin: int, rows: int, columns: int, w: ptr32):  # noqa: F821
    """The largest values of all channels, as `average`."""
    low = w[3] - 128
    high = w[4] - 128
    for c in range(w[0]):
        found = -128
        row = begin + c
        for _ in range(rows):
            place = row
            for __ in range(columns):
                value = (image[place] ^ 128) - 128
                if value > found:
                    found = value
                place += w[1]
            row += w[2]
        if found < low:
            found = low
        if found > high:
            found = high
        output[at + c] = found


def average_pool_2d(op, arena):
    pool(op, arena, average)


def max_pool_2d(op, arena):
    pool(op, arena, largest)


def pool(op, arena, function):
    w = Window(op, arena)
    row_bytes = w.input_width * w.input_channels
    numbers = array("i", (w.channels, w.input_channels, row_bytes, w.output_min + 128, w.output_max + 128))
    for at, y, x in w.positions():
        top = max(y, 0)
        left = max(x, 0)
        rows = max(0, min(y + w.kernel_height, w.input_height) - top)
        columns = max(0, min(x + w.kernel_width, w.input_width) - left)
        begin = top * row_bytes + left * w.input_channels + w.first_channel
        function(w.input, w.output, at, begin, rows, columns, numbers)
