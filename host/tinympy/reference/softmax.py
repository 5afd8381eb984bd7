"""SOFTMAX and LOG_SOFTMAX over the last axis, in fixed point.

Sources: TFLM's softmax_common.cc, log_softmax.cc, the reference headers softmax.h and log_softmax.h, and `common.h`.
"""

from __future__ import annotations

import numpy as np

from tinympy.model.quantise import quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.arithmetic import (
    INT32_MAX,
    INT32_MIN,
    Int64s,
    doubling_high_multiply,
    exp_on_negative_values,
    multiply_quantised,
    one_over_one_plus,
    rounding_divide_by_power,
    rounding_half_sum,
    saturating_left_shift,
    wrap,
)
from tinympy.reference.node import Array, Node

# How far from 1/65536 the scale of an int16 output may be, as a share of it.
WIDE_TOLERANCE = 0.001
# Integer bits of a scaled distance from the row's maximum, and of the sum of exponentials.
_DISTANCE_BITS, _SUM_BITS = 5, 12
_MAX_DEPTH = (1 << _SUM_BITS) - 1


def softmax(node: Node) -> list[Array]:
    """Output int8 (scale 1/256, zero point -128) or int16 (scale 1/65536, zero point -32768)."""
    output = node.output
    bits = {"int8": 8, "int16": 16}.get(output.dtype)
    if bits is None or node.tensor(0).dtype != "int8":
        raise node.refuse(f"{node.tensor(0).dtype} to {output.dtype}", "quantise the model to full int8")
    least = -(1 << (bits - 1))
    node.require(
        abs(float(scale_of(output)) - 2.0**-bits) <= (0 if bits == 8 else WIDE_TOLERANCE * 2.0**-bits)
        and zero_point_of(output) == least,
        f"its output must have scale 1/{1 << bits} and zero point {least}",
    )
    multiplier, shift = _multiplier(node, float(np.float32(node.options.get("beta", 0.0))))
    distance = _distances(node)
    counts = distance >= -_radius(shift)
    exponentials = exp_on_negative_values(_scaled(np.where(counts, distance, 0), multiplier, shift), _DISTANCE_BITS)
    total = _sum(exponentials, counts)
    headroom = 32 - _bit_length(total)
    reciprocal = one_over_one_plus(wrap((total << headroom) - (1 << 31)))
    exponent = _SUM_BITS - headroom + 31 - bits
    quotient = rounding_divide_by_power(doubling_high_multiply(reciprocal, exponentials), exponent)
    return [np.where(counts, np.clip(quotient + least, least, -least - 1), least).astype(output.dtype)]


def log_softmax(node: Node) -> list[Array]:
    """Output scale 1/16, zero point 127."""
    node.require_dtype("int8", 0)
    node.require(
        scale_of(node.output) == np.float32(1 / 16) and zero_point_of(node.output) == 127,
        "its output must have scale 1/16 and zero point 127",
    )
    multiplier, shift = _multiplier(node, 1.0)
    inverse = (1 << (31 - shift)) / multiplier
    node.require(inverse < 1, "the input scale is out of range")
    distance = _distances(node)
    counts = distance >= -_radius(shift)
    scaled = _scaled(np.where(counts, distance, 0), multiplier, shift)
    log_total = _log(_sum(exp_on_negative_values(scaled, _DISTANCE_BITS), counts))
    # The farthest distance whose difference from the logarithm is a number that fixed point can hold.
    limit = multiply_quantised(log_total + INT32_MIN, *quantise_multiplier(inverse))
    shown = distance > np.maximum(-_radius(shift) - 1, limit)
    result = rounding_divide_by_power(wrap(scaled - log_total), 31 - _DISTANCE_BITS - 4) + 127
    return [np.where(shown, np.clip(result, -128, 127), -128).astype(np.int8)]


def _distances(node: Node) -> Int64s:
    """Each value less its row's maximum."""
    values = node.input(0).astype(np.int64)
    node.require(values.ndim > 0 and values.size > 0, f"shape {values.shape}")
    node.require(values.shape[-1] <= _MAX_DEPTH, f"{values.shape[-1]} classes, {_MAX_DEPTH} at most")
    distance: Int64s = values - values.max(axis=-1, keepdims=True)
    return distance


def _multiplier(node: Node, beta: float) -> tuple[int, int]:
    """From a distance to fixed point: a multiplier above 1 and its left shift."""
    real = min(beta * float(scale_of(node.tensor(0))) * (1 << (31 - _DISTANCE_BITS)), INT32_MAX)
    # TFLM aborts on such a model.
    node.require(real > 1, "the product of beta and the input scale is out of range")
    return quantise_multiplier(real)


def _radius(shift: int) -> int:
    """Distances that do not overflow the fixed point."""
    return ((1 << _DISTANCE_BITS) - 1 << (31 - _DISTANCE_BITS)) >> shift


def _scaled(distance: Int64s, multiplier: int, shift: int) -> Int64s:
    return doubling_high_multiply(wrap(distance << shift), multiplier)


def _sum(exponentials: Int64s, counts: Array) -> Int64s:
    total: Int64s = np.where(counts, rounding_divide_by_power(exponentials, _SUM_BITS), 0).sum(axis=-1, keepdims=True)
    return total


def _bit_length(x: Int64s) -> Int64s:
    return np.frexp(x.astype(np.float64))[1].astype(np.int64)


def _log(x: Int64s) -> Int64s:
    """log(x) in Q5 of x >= 1 in Q12: by one of two ways of splitting off a power of two, then a rational function."""
    accumulator_bits = _DISTANCE_BITS + 1
    log_2, sqrt_half, fourth_root_half = 1488522236, 1518500250, 1805811301
    alpha_n, alpha_d, alpha_i, alpha_f = 117049297, 127690142, 1057819769, 638450708
    quarter = 1 << (29 - accumulator_bits)

    headroom = 32 - _bit_length(x)
    first = doubling_high_multiply(x << (headroom - 1), sqrt_half) << 1
    first_power = ((_SUM_BITS - headroom) << (31 - accumulator_bits)) + quarter
    headroom = 31 - _bit_length(doubling_high_multiply(x, sqrt_half))
    second = np.minimum(x << headroom, INT32_MAX)
    second_power = ((_SUM_BITS - headroom) << (31 - accumulator_bits)) - quarter

    r = np.minimum(np.minimum(first, INT32_MAX), second)
    power = np.maximum(first_power, second_power)
    p = rounding_half_sum(r, fourth_root_half)
    q = 2 * (r - fourth_root_half)
    square = doubling_high_multiply(q, q)
    numerator = doubling_high_multiply(q, r) + doubling_high_multiply(doubling_high_multiply(q, square), alpha_n)
    inner = alpha_i + q + doubling_high_multiply(square, alpha_d)
    denominator = doubling_high_multiply(p, inner) + doubling_high_multiply(q, alpha_f)
    reduced = rounding_divide_by_power(numerator, accumulator_bits)
    result = doubling_high_multiply(power, log_2) + doubling_high_multiply(reduced, one_over_one_plus(denominator))
    return saturating_left_shift(result, 1)
