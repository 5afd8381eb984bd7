"""Fixed-point arithmetic of TensorFlow Lite Micro (double rounding), in wrapping 32-bit integers.

native_modules/kernels/arithmetic.h is the same in C. Python's integers do not wrap and never overflow, so what is a
trick there is a formula here. On boards, numbers beyond 30 bits take memory; most sums are smaller.
"""

from array import array
from struct import unpack_from

INT32_MIN = -0x80000000
INT32_MAX = 0x7FFFFFFF


def wrapped(x):
    """x modulo 2^32, as a signed 32-bit integer."""
    if -0x40000000 <= x < 0x40000000:
        return x
    return (x + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def doubling_high_multiply(a, b):
    """round(a * b / 2^31), halves upwards. TFLM's SaturatingRoundingDoublingHighMul where b is not negative."""
    return (a * b + 0x40000000) >> 31


def rounding_divide_by_power(x, exponent):
    """x / 2^exponent, rounded to nearest, halves away from zero. TFLM's RoundingDivideByPOT."""
    mask = (1 << exponent) - 1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))


def multiply_quantised(x, multiplier, shift):
    """x * multiplier * 2^(shift - 31). TFLM's MultiplyByQuantizedMultiplier."""
    if shift > 0:
        return doubling_high_multiply(wrapped(x << shift), multiplier)
    return rounding_divide_by_power(doubling_high_multiply(x, multiplier), -shift)


def clamp(x, low, high):
    """x, but at least `low` and at most `high`."""
    return low if x < low else high if x > high else x


def requantise(total, multiplier, shift, zero_point, low=-128, high=127):
    """An accumulator as an int8 activation."""
    return clamp(wrapped(multiply_quantised(wrapped(total), multiplier, shift) + zero_point), low, high)


def signed(byte):
    """The int8 that an unsigned byte stands for."""
    return (byte ^ 128) - 128


def int8s(view):
    """The list of the int8 that bytes stand for."""
    return [(byte ^ 128) - 128 for byte in view]


def dot(values, weights, at):
    """The sum of values[i] * weights[at + i]; `weights` are int8 as unsigned bytes.

    A byte with its highest bit flipped is its number plus 128.
    """
    total = 0
    for value in values:
        total += value * (weights[at] ^ 128)
        at += 1
    return total - 128 * sum(values)


def span(buffer, offset, count):
    """The `count` bytes of `buffer` at `offset`. ValueError where they are not all within it."""
    view = memoryview(buffer)[offset : offset + count]
    if len(view) != count:
        raise ValueError("the program reaches beyond its memory")
    return view


def int32s(constants, offset, count):
    """The array of `count` int32 at the byte `offset` of the constants."""
    return array("i", bytes(span(constants, offset, 4 * count)))


class Channels:
    """The constants of an operation with weights: bias, multiplier and shift of each channel, then the weights.

    weights -- their bytes, `weights_bytes` of them
    """

    def __init__(self, constants, count, weights_bytes):
        self.bias = int32s(constants, 0, count)
        self.multiplier = int32s(constants, 4 * count, count)
        # Of the four bytes of each, the other three are short cuts of the C kernels.
        self.scaling = span(constants, 8 * count, 4 * count)
        self.shift = [unpack_from("<b", self.scaling, 4 * c)[0] for c in range(count)]
        self.weights = span(constants, 12 * count, weights_bytes)
