"""TensorFlow Lite Micro's integer arithmetic on whole arrays: 32-bit numbers in int64, the products exact.

Sources: TFLM's `common.cc` (double rounding, the default), gemmlowp's fixedpoint.h. A number "in Q`i`" has `i` integer
bits and 31 - `i` fraction bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Multiplier = int | npt.NDArray[np.int64]

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def wrap(x: Int64s) -> Int64s:
    """What a 32-bit register holds of `x`."""
    return x.astype(np.int32).astype(np.int64)


def saturate(x: Int64s) -> Int64s:
    return np.clip(x, INT32_MIN, INT32_MAX)


def doubling_high_multiply(a: Int64s, b: Multiplier) -> Int64s:
    """round(a * b / 2^31), halves upwards; only the product of the two least numbers saturates."""
    rounded: Int64s = (a * b + (1 << 30)) >> 31
    return np.minimum(rounded, INT32_MAX)


def rounding_divide_by_power(x: Int64s, exponent: Multiplier) -> Int64s:
    """round(x / 2^exponent), halves away from zero."""
    mask = (np.int64(1) << np.asarray(exponent, np.int64)) - 1
    remainder = x & mask
    rounded: Int64s = (x >> exponent) + (remainder > (mask >> 1) + (x < 0))
    return rounded


def multiply_quantised(x: Int64s, multiplier: Multiplier, shift: Multiplier) -> Int64s:
    """x * multiplier * 2^(shift - 31), rounded twice; arrays of multipliers and shifts go along the last axis."""
    shifts = np.asarray(shift, np.int64)
    raised = wrap(x * (np.int64(1) << np.maximum(shifts, 0)))
    return rounding_divide_by_power(doubling_high_multiply(raised, multiplier), np.maximum(-shifts, 0))


def multiply_quantised_wide(x: Int64s, multiplier: Multiplier, shift: Multiplier) -> Int64s:
    """The same for accumulators of 48 bits: a multiplier of 16 bits, rounded once, halves upwards."""
    multipliers = np.asarray(multiplier, np.int64)
    reduced = np.where(multipliers < 0x7FFF0000, (multipliers + (1 << 15)) >> 16, 0x7FFF)
    total = 15 - np.asarray(shift, np.int64)
    return wrap((x * reduced + (np.int64(1) << (total - 1))) >> total)


def saturating_left_shift(x: Int64s, bits: int) -> Int64s:
    return saturate(x << bits)


def rounding_half_sum(a: Int64s, b: int) -> Int64s:
    """(a + b) / 2, halves away from zero."""
    total = a + b
    return np.where(total >= 0, (total + 1) >> 1, -((1 - total) >> 1))


def exp_on_negative_values(x: Int64s, integer_bits: int) -> Int64s:
    """exp(x) in Q0 for x <= 0 in Q`integer_bits`: a polynomial on [-1/4, 0), then one factor for each higher bit."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    remainder = (x & (quarter - 1)) - quarter
    result = _exp_on_last_quarter(remainder << integer_bits)
    whole_quarters = remainder - x
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for bit, factor in enumerate(factors[: integer_bits + 2], start=fraction_bits - 2):
        result = np.where(whole_quarters >> bit & 1, doubling_high_multiply(result, factor), result)
    if integer_bits > 5:
        result = np.where(x < -(1 << (fraction_bits + 5)), 0, result)
    return np.where(x == 0, INT32_MAX, result)


def _exp_on_last_quarter(x: Int64s) -> Int64s:
    """exp(x) in Q0 for -1/4 <= x < 0 in Q0: a Taylor polynomial around -1/8."""
    exp_minus_eighth, third = 1895147668, 715827883
    x = x + (1 << 28)
    x2 = doubling_high_multiply(x, x)
    x3 = doubling_high_multiply(x2, x)
    x4 = doubling_high_multiply(x2, x2)
    rest = doubling_high_multiply(rounding_divide_by_power(x4, 2) + x3, third) + x2
    return exp_minus_eighth + doubling_high_multiply(x + rounding_divide_by_power(rest, 1), exp_minus_eighth)


def _half_reciprocal(x: Int64s) -> Int64s:
    """1 / ((1 + x) / 2) in Q2 for x in [0, 1] in Q0, by three steps of Newton's method."""
    half_denominator = rounding_half_sum(x, INT32_MAX)
    result = 1515870810 + doubling_high_multiply(half_denominator, -1010580540)  # 48/17 and -32/17, the best line
    for _ in range(3):
        error = (1 << 29) - doubling_high_multiply(half_denominator, result)
        result = wrap(result + saturating_left_shift(doubling_high_multiply(result, error), 2))
    return result


def one_over_one_plus(x: Int64s) -> Int64s:
    """1 / (1 + x) in Q0 for x in [0, 1] in Q0."""
    return saturating_left_shift(_half_reciprocal(x), 1)


def logistic(x: Int64s, integer_bits: int) -> Int64s:
    """1 / (1 + exp(-x)) in Q0 for x in Q`integer_bits`."""
    positive = one_over_one_plus(exp_on_negative_values(-np.abs(x), integer_bits))
    return np.where(x == 0, 1 << 30, np.where(x > 0, positive, INT32_MAX - positive))


def tanh(x: Int64s, integer_bits: int) -> Int64s:
    """tanh(x) in Q0 for x in Q`integer_bits`."""
    # exp(-2 |x|): the same bits, read with one more integer bit.
    exponential = exp_on_negative_values(-np.abs(x), integer_bits + 1)
    magnitude = saturating_left_shift(_half_reciprocal(exponential) - (1 << 29), 2)
    return np.where(x == 0, 0, np.where(x > 0, magnitude, -magnitude))
