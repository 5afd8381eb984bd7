"""Operators on one input, value by value: of an int8 input's 256 values the compiler makes a table of results.

Sources: TFLM's activations_common.cc, leaky_relu_common.cc, hard_swish_common.cc, logistic_common.cc, tanh.cc, elu.cc,
elementwise.cc, neg.cc and the reference headers that they call.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinympy.model.quantise import activation_range, quantise_multiplier, scale_of, zero_point_of
from tinympy.reference import arithmetic
from tinympy.reference.arithmetic import Int64s, multiply_quantised, rounding_divide_by_power
from tinympy.reference.node import Array, Node

_INT16_MIN, _INT16_MAX = -(1 << 15), (1 << 15) - 1
# Integer bits of the fixed-point input of LOGISTIC and TANH.
_INPUT_BITS = 4


def relu(node: Node) -> list[Array]:
    node.require_dtype("int8", 0)
    scaled = multiply_quantised(node.centred(0), *quantise_multiplier(_scale_ratio(node)))
    return [node.quantised(np.maximum(scaled, 0))]


def relu6(node: Node) -> list[Array]:
    """The integers are clamped as they stand: the output's scale is taken to be the input's."""
    node.require_dtype("int8", 0)
    return [np.clip(node.input(0), *activation_range("RELU6", node.tensor(0))).astype(np.int8)]


def leaky_relu(node: Node) -> list[Array]:
    node.require_dtype("int8", 0)
    x = node.centred(0)
    alpha = float(np.float32(node.options.get("alpha", 0.0)))
    slope = float(scale_of(node.tensor(0))) * alpha / float(scale_of(node.output))
    positive = multiply_quantised(x, *quantise_multiplier(_scale_ratio(node)))
    negative = multiply_quantised(x, *quantise_multiplier(abs(slope)))
    return [node.quantised(np.where(x >= 0, positive, negative if slope >= 0 else -negative))]


def absolute(node: Node) -> list[Array]:
    node.require_dtype("int8", 0)
    return [node.quantised(multiply_quantised(np.abs(node.centred(0)), *quantise_multiplier(_scale_ratio(node))))]


def neg(node: Node) -> list[Array]:
    """Of float32 alone, as in TFLM: for constants."""
    node.require_dtype("float32", 0)
    return [-node.input(0)]


def _scale_ratio(node: Node) -> float:
    return float(scale_of(node.tensor(0))) / float(scale_of(node.output))


def hard_swish(node: Node) -> list[Array]:
    """x * clamp(x + 3, 0, 6) / 6 in 16-bit fixed point."""
    node.require_dtype("int8", 0)
    multiplier, exponent = _quantise_multiplier_16(_scale_ratio(node) / 128)
    node.require(exponent <= 0, "its output scale is below 1/128 of its input scale")
    gate_multiplier, gate_exponent = _quantise_multiplier_16(float(scale_of(node.tensor(0))) / 128 / (3 / 32768))
    fine = node.centred(0) << 7
    # The gate in [-1, 1] for an input in [-3, 3]: the left shift saturates only at its last bit.
    gate = _saturate_16(fine << max(gate_exponent - 1, 0))
    gate = _doubling_high_multiply_16(gate, gate_multiplier)
    if gate_exponent > 0:
        gate = _saturate_16(gate << 1)
    elif gate_exponent < 0:
        gate = _rounding_divide_by_power_16(gate, -gate_exponent)
    gate = (gate + (1 << 15)) >> 1
    product = gate * _doubling_high_multiply_16(fine, multiplier)
    truncated = np.sign(product) * (np.abs(product) >> 15)
    return [node.quantised(_rounding_divide_by_power_16(truncated, -exponent))]


def _quantise_multiplier_16(real: float) -> tuple[int, int]:
    multiplier, exponent = quantise_multiplier(real)
    return min((multiplier + (1 << 15)) >> 16, _INT16_MAX), exponent


def _saturate_16(x: Int64s) -> Int64s:
    return np.clip(x, _INT16_MIN, _INT16_MAX)


def _doubling_high_multiply_16(a: Int64s, b: int) -> Int64s:
    return (a * b + (1 << 14)) >> 15


def _rounding_divide_by_power_16(x: Int64s, exponent: int) -> Int64s:
    """Halves away from zero; where the exponent is beyond 16 bits, gemmlowp's mask is not: 0 and more become 1."""
    if exponent < 16:
        return rounding_divide_by_power(x, exponent)
    return np.where(x >= 0, 1, -1)


def logistic(node: Node) -> list[Array]:
    """The output has scale 1/256, whatever its tensor says."""
    node.require_dtype("int8", 0)
    node.require(zero_point_of(node.output) == -128, "its output must have zero point -128")
    return [_saturating(node, arithmetic.logistic, fraction_bits=8, offset=-128)]


def tanh(node: Node) -> list[Array]:
    """The output has scale 1/128 and zero point 0, whatever its tensor says."""
    node.require_dtype("int8", 0)
    return [_saturating(node, arithmetic.tanh, fraction_bits=7, offset=0)]


def _saturating(node: Node, function: Callable[[Int64s, int], Int64s], fraction_bits: int, offset: int) -> Array:
    x = node.centred(0)
    multiplier, shift = quantise_multiplier(float(scale_of(node.tensor(0))) * (1 << (31 - _INPUT_BITS)))
    node.require(0 <= shift < 63, f"its input scale is {scale_of(node.tensor(0))}")
    radius = ((1 << _INPUT_BITS) - 1 << (31 - _INPUT_BITS)) >> shift
    inside = np.abs(x) < radius
    result = function(multiply_quantised(np.where(inside, x, 0), multiplier, min(shift, 30)), _INPUT_BITS)
    rounded = rounding_divide_by_power(result, 31 - fraction_bits) + offset
    extreme = np.where(x >= radius, 127, -128) if radius > 0 else np.where(x > 0, 127, -128)
    return np.clip(np.where(inside, rounded, extreme), -128, 127).astype(np.int8)


def elu(node: Node) -> list[Array]:
    """In single precision, as TFLM fills its own table."""
    node.require_dtype("int8", 0)
    real = scale_of(node.tensor(0)) * node.centred(0).astype(np.float32)
    exponential = np.exp(np.minimum(real, 0).astype(np.float64)).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        inverse_scale = np.float32(1) / scale_of(node.output)
        scaled = np.where(real < 0, exponential - np.float32(1), real) * inverse_scale
        rounded = np.sign(scaled) * np.floor(np.abs(scaled.astype(np.float64)) + 0.5)
        return [node.quantised(np.clip(rounded, -(1 << 30), 1 << 30).astype(np.int64))]
