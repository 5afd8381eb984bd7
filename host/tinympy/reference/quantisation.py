"""QUANTIZE, DEQUANTIZE and CAST: from float to integers and back, and between integers.

Sources: TFLM's quantize_common.cc, dequantize.cc, cast.cc and the reference headers quantize.h,
requantize.h and dequantize.h.
"""

from __future__ import annotations

import numpy as np

from tinympy.model.quantise import integer_range, quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.arithmetic import Int64s, multiply_quantised, wrap
from tinympy.reference.node import Array, Node

INTEGER_PAIRS = {
    "int8": ("int8", "uint8", "int16", "int32"),
    "uint8": ("int8",),
    "int16": ("int8", "int16", "int32"),
    "int32": ("int8", "int16"),
}


def quantize(node: Node) -> list[Array]:
    """From float32 to int8 or int16, or from one integer to another."""
    source, target = node.tensor(0), node.output
    if source.dtype == "float32" and target.dtype in ("int8", "int16"):
        return [node.quantised(_rounded(node.input(0) / scale_of(target)))]
    node.require(target.dtype in INTEGER_PAIRS.get(source.dtype, ()), f"{source.dtype} to {target.dtype}")
    multiplier, shift = quantise_multiplier(float(scale_of(source)) / float(scale_of(target)))
    node.require(shift <= 30, "an output scale below 2^-30 of the input's")
    low, high = integer_range(target)
    x = wrap(node.input(0).astype(np.int64) - zero_point_of(source))
    result = wrap(multiply_quantised(x, multiplier, shift) + zero_point_of(target))
    return [np.clip(result, low, high).astype(target.dtype)]


def _rounded(x: Array) -> Int64s:
    """Halves away from zero; what 32 bits do not hold (there TFLM's result is undefined) saturates."""
    double = np.nan_to_num(x.astype(np.float64), nan=0.0, posinf=1e30, neginf=-1e30)
    rounded = np.sign(double) * np.floor(np.abs(double) + 0.5)
    limited: Int64s = np.clip(rounded, -(1 << 31), (1 << 31) - 1).astype(np.int64)
    return limited


def dequantize(node: Node) -> list[Array]:
    """From int8, uint8 or int16 to float32; the product is taken in double precision."""
    source = node.tensor(0)
    node.require(source.dtype in ("int8", "uint8", "int16"), f"{source.dtype} to {node.output.dtype}")
    return [(float(scale_of(source)) * node.centred(0)).astype(np.float32)]


def cast(node: Node) -> list[Array]:
    """The same numbers, as far as the other dtype holds them, whatever the quantisation says."""
    return [node.input(0).astype(node.output.dtype)]
