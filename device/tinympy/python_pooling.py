"""AVERAGE_POOL_2D and MAX_POOL_2D in Python. TFLM: reference_integer_ops::AveragePool and MaxPool.

Padding is left out: a window has as many pixels as it covers of the input.
"""

from .fixed_point import clamp, signed
from .python_convolution import Window


def rounded_mean(values):
    """The mean, rounded to nearest, halves away from zero; 0 of no values."""
    total, count = sum(values), len(values)
    if not count:
        return 0
    mean = (abs(total) + count // 2) // count
    return -mean if total < 0 else mean


def largest(values):
    """The largest value; -128 of none."""
    return max(values) if values else -128


def average_pool_2d(op, arena):
    pool(op, arena, rounded_mean)


def max_pool_2d(op, arena):
    pool(op, arena, largest)


def pool(op, arena, function):
    """Each output is `function` of what the window covers of its channel, clamped."""
    w = Window(op, arena)
    for at, y, x in w.positions():
        pixels = [pixel for pixel in w.pixels(y, x) if pixel >= 0]
        for c in range(w.first_channel, w.first_channel + w.channels):
            values = [signed(w.input[pixel + c]) for pixel in pixels]
            w.output[at] = clamp(function(values), w.output_min, w.output_max) & 0xFF
            at += 1
