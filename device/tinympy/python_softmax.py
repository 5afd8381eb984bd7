"""SOFTMAX and LOG_SOFTMAX in Python. TFLM: reference_ops::Softmax and LogSoftmax for int8, in gemmlowp's fixed point.

Qm.n is a number in units of 2^-n. An int8 input has at most 256 distances from its row's maximum, and the constants
have the exponential of each.
"""

from struct import pack_into, unpack_from

from .fixed_point import (
    INT32_MAX,
    INT32_MIN,
    clamp,
    doubling_high_multiply,
    int8s,
    int32s,
    multiply_quantised,
    rounding_divide_by_power,
    span,
    wrapped,
)


def saturating_shift_left(x, exponent):
    """x * 2^exponent, as near to it as 32 bits get."""
    return clamp(x << exponent, INT32_MIN, INT32_MAX)


def headroom(x):
    """Leading zero bits of a 32-bit number; 0 of 0."""
    bits = 0
    while x and not x << bits & 0x80000000:
        bits += 1
    return bits


def one_over_one_plus(x):
    """1 / (1 + x) in Q0.31 for x in Q0.31, 0 <= x < 1: three Newton-Raphson steps."""
    half_denominator = wrapped((x + INT32_MAX + 1) >> 1)
    # 48 / 17 - 32 / 17 * half_denominator, in Q2.29
    estimate = 1515870810 + doubling_high_multiply(-1010580540, half_denominator)
    for _ in range(3):
        error = (1 << 29) - doubling_high_multiply(estimate, half_denominator)
        estimate += saturating_shift_left(doubling_high_multiply(error, estimate), 2)
    return saturating_shift_left(estimate, 1)


def sum_of_exponentials(distances, exponential):
    """In Q12.19."""
    return sum([rounding_divide_by_power(exponential[d], 12) for d in distances if d < len(exponential)])


def softmax(op, arena):
    """exp(x - maximum) / the sum of these, row by row, to int8 or int16."""
    rows, depth, exponentials, output_bytes = unpack_from("<4I", op.parameters)
    exponential = int32s(op.constants, 0, exponentials)
    source = span(arena, op.input, rows * depth)
    target = span(arena, op.output, rows * depth * output_bytes)
    bits = 8 * output_bytes
    lowest = -(1 << bits - 1)
    for begin in range(0, rows * depth, depth):
        distances = distances_from_maximum(source[begin : begin + depth])
        total = sum_of_exponentials(distances, exponential)
        zeros = headroom(total)
        # The sum is a power of two times 1 + x.
        reciprocal = one_over_one_plus((total << zeros) & INT32_MAX)
        exponent = 12 - zeros + 31 - bits
        for i, distance in enumerate(distances):
            probability = 0
            if distance < exponentials and 0 <= exponent <= 31:
                product = doubling_high_multiply(exponential[distance], reciprocal)
                probability = rounding_divide_by_power(product, exponent)
            result = clamp(probability + lowest, lowest, -lowest - 1)
            pack_into("<b" if output_bytes == 1 else "<h", target, (begin + i) * output_bytes, result)


def distances_from_maximum(row):
    values = int8s(row)
    maximum = max(values)
    return [maximum - value for value in values]


def log_softmax(op, arena):
    """x - maximum - log(the sum of exponentials), row by row."""
    fields = unpack_from("<4I2i2b", op.parameters)
    rows, depth, exponentials, _, multiplier, inverse_multiplier, shift, inverse_shift = fields
    exponential = int32s(op.constants, 0, exponentials)
    source = span(arena, op.input, rows * depth)
    target = span(arena, op.output, rows * depth)
    for begin in range(0, rows * depth, depth):
        distances = distances_from_maximum(source[begin : begin + depth])
        total = wrapped(sum_of_exponentials(distances, exponential))
        log_sum = logarithm(clamp(total, 1 << 19, INT32_MAX))
        # The farthest distance whose difference from the logarithm is a number that fixed point can hold.
        limit = multiply_quantised(log_sum + INT32_MIN, inverse_multiplier, inverse_shift)
        for i, distance in enumerate(distances):
            result = -128
            if distance < exponentials and -distance > limit:
                scaled = doubling_high_multiply(wrapped(-distance << shift), multiplier)
                result = rounding_divide_by_power(wrapped(scaled - log_sum), 22) + 127
            target[begin + i] = clamp(result, -128, 127) & 0xFF


def logarithm(x):
    """log(x) in Q5.26 for 1 <= x in Q12.19 (gemmlowp's log_x_for_x_greater_than_or_equal_to_1_impl).

    Two ways of splitting off a power of two, half a power apart, the better one of which leaves a factor near
    2^(-1/4) for a rational function.
    """
    multiply = doubling_high_multiply
    log_2, sqrt_half, fourth_root_half = 1488522236, 1518500250, 1805811301
    alpha_n, alpha_d, alpha_i, alpha_f = 117049297, 127690142, 1057819769, 638450708
    quarter, one = 1 << 23, 1 << 25

    zeros = headroom(x)
    factor = saturating_shift_left(multiply(wrapped(x << zeros - 1), sqrt_half), 1)
    power = (12 - zeros) * one + quarter
    zeros = headroom(multiply(x, sqrt_half)) - 1
    factor = min(factor, saturating_shift_left(x, zeros))
    power = max(power, (12 - zeros) * one - quarter)

    p = (factor + fourth_root_half + 1 & 0xFFFFFFFF) >> 1
    q = 2 * (factor - fourth_root_half)
    square = multiply(abs(q), abs(q))
    numerator = multiply(q, factor) + multiply(multiply(q, square), alpha_n)
    denominator = multiply(p, alpha_i + q + multiply(square, alpha_d)) + multiply(q, alpha_f)
    reduced = multiply(rounding_divide_by_power(numerator, 6), one_over_one_plus(denominator))
    return saturating_shift_left(multiply(power, log_2) + reduced, 1)
