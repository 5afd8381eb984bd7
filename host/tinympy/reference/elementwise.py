"""Operators on two inputs of equal or broadcastable shapes.

Sources: TFLM's add_common.cc, sub_common.cc, mul_common.cc, maximum_minimum.cc, prelu_common.cc and the reference
headers that they call.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinympy.model.quantise import quantise_multiplier, scale_of
from tinympy.reference.arithmetic import Int64s, multiply_quantised, wrap
from tinympy.reference.node import Array, Node

# Bits that both inputs are shifted up by, so that bringing them to one scale loses little.
HEADROOM_BITS = 20

_INT32_ACTIVATIONS = {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}


def add(node: Node) -> list[Array]:
    if node.output.dtype == "int32":
        return _int32(node, lambda a, b: a + b)
    return [_on_one_scale(node, 1)]


def sub(node: Node) -> list[Array]:
    if node.output.dtype == "int32":
        return _int32(node, lambda a, b: a - b)
    return [_on_one_scale(node, -1)]


def addition_factors(first: np.float32, second: np.float32, output: np.float32) -> tuple[float, float, float]:
    """What ADD and SUB multiply with: their inputs, shifted up by HEADROOM_BITS, and the sum; from the three scales."""
    twice = 2 * max(float(first), float(second))
    return float(first) / twice, float(second) / twice, twice / ((1 << HEADROOM_BITS) * float(output))


def _on_one_scale(node: Node, sign: int) -> Array:
    node.require_dtype("int8", 0, 1)
    scales = (scale_of(node.tensor(0)), scale_of(node.tensor(1)), scale_of(node.output))
    first, second, output = addition_factors(*scales)
    # TFLM aborts on such a model.
    node.require(0 < output < 1, "its output scale is too small for its inputs' scales")
    scaled = [
        multiply_quantised(node.centred(position) << HEADROOM_BITS, *quantise_multiplier(real))
        for position, real in enumerate((first, second))
    ]
    return node.quantised(multiply_quantised(scaled[0] + sign * scaled[1], *quantise_multiplier(output)))


def mul(node: Node) -> list[Array]:
    if node.output.dtype == "int32":
        return _int32(node, lambda a, b: a * b)
    node.require_dtype("int8", 0, 1)
    real = float(scale_of(node.tensor(0))) * float(scale_of(node.tensor(1))) / float(scale_of(node.output))
    return [node.quantised(multiply_quantised(node.centred(0) * node.centred(1), *quantise_multiplier(real)))]


def _int32(node: Node, function: Callable[[Int64s, Int64s], Int64s]) -> list[Array]:
    """Plain integers, as graphs use to compute shapes."""
    node.require_dtype("int32", 0, 1)
    result = wrap(function(node.input(0).astype(np.int64), node.input(1).astype(np.int64)))
    activation = node.options.get("fused_activation_function", "NONE")
    node.require(activation in _INT32_ACTIVATIONS, f"fused activation {activation}")
    # ADD forgets the activation.
    low, high = _INT32_ACTIVATIONS[activation] if node.name != "ADD" else (None, None)
    return [np.clip(result, low, high).astype(np.int32)]


def maximum(node: Node) -> list[Array]:
    """Integers are compared as they stand: input and output share their quantisation, or TFLM errs in the same way."""
    return [_compared(node, np.maximum)]


def minimum(node: Node) -> list[Array]:
    """As MAXIMUM."""
    return [_compared(node, np.minimum)]


def _compared(node: Node, function: Callable[[Array, Array], Array]) -> Array:
    node.require_dtype(node.output.dtype, 0, 1)
    node.require(node.output.dtype in ("int8", "int16", "int32", "int64", "float32"), f"dtype {node.output.dtype}")
    return function(node.input(0), node.input(1))


def prelu(node: Node) -> list[Array]:
    node.require_dtype("int8", 0, 1)
    x, slope = node.centred(0), node.centred(1)
    source, alpha, output = (float(scale_of(t)) for t in (node.tensor(0), node.tensor(1), node.output))
    positive = multiply_quantised(x, *quantise_multiplier(source / output))
    negative = multiply_quantised(x * slope, *quantise_multiplier(source * alpha / output))
    return [node.quantised(np.where(x >= 0, positive, negative))]
