"""SOFTMAX and LOG_SOFTMAX: the exponentials of all distances from a row's maximum, at most 256, are computed here in
fixed point.

Sources: TFLM's reference softmax.h (the distances that count), gemmlowp's fixedpoint.h (exp_on_negative_values).
"""

from __future__ import annotations

import numpy as np

from tinympy.compiler.lower import Lowering
from tinympy.compiler.operation import LOG_SOFTMAX, SOFTMAX, Operation, Span
from tinympy.compiler.parameters import LogSoftmax, Softmax
from tinympy.compiler.quantise import quantise_multiplier, scale_of, zero_point_of

MAX_DEPTH = 4095
_INTEGER_BITS = 5
_FRACTION_BITS = 31 - _INTEGER_BITS
_ONE = (1 << 31) - 1


def lower(lowering: Lowering) -> None:
    tensor, output = lowering.input(0), lowering.output()
    lowering.require_int8(tensor, output)
    zero_point_of(tensor)
    lowering.require(tensor.shape == output.shape and tensor.elements > 0, f"shape {tensor.shape} into {output.shape}")
    lowering.require(
        scale_of(output) == np.float32(1 / 256) and zero_point_of(output) == -128,
        "its output must have scale 1/256 and zero point -128",
    )
    depth = tensor.shape[-1] if tensor.shape else 1
    lowering.require(depth <= MAX_DEPTH, f"{depth} classes, {MAX_DEPTH} at most")
    table = exponentials(float(scale_of(tensor)) * float(np.float32(lowering.operator.options.get("beta", 0.0))))
    lowering.require(len(table) > 0, "the product of beta and the input scale is out of range")
    lowering.emit(
        Operation(
            opcode=SOFTMAX,
            operator=lowering.index,
            input=Span(lowering.input_value(0)),
            output=Span(lowering.output_value()),
            parameters=Softmax(rows=tensor.elements // depth, depth=depth, exponentials=len(table)),
            constants=np.array(table, "<i4").tobytes(),
        )
    )


def exponentials(beta_scale: float) -> list[int]:
    """exp(-d * beta_scale) in Q0.31 for the distances d = 0, 1, … that count; empty when beta_scale is below 2^-26."""
    factor = min(beta_scale * (1 << _FRACTION_BITS), (1 << 31) - 1.0)
    if factor <= 1:
        return []
    multiplier, left_shift = quantise_multiplier(factor)
    farthest = ((1 << _INTEGER_BITS) - 1) * (1 << _FRACTION_BITS) // (1 << left_shift)
    distances = range(min(farthest, 255) + 1)
    return [_exp_on_negative_value(_doubling_high_multiply(-d << left_shift, multiplier)) for d in distances]


def _exp_on_negative_value(x: int) -> int:
    """exp(x) in Q0.31 of x <= 0 in Q5.26: a polynomial on [-1/4, 0), then one factor for each higher bit."""
    if x == 0:
        return _ONE
    quarter = 1 << (_FRACTION_BITS - 2)
    remainder = (x & (quarter - 1)) - quarter
    result = _exp_on_last_quarter(remainder << _INTEGER_BITS)
    whole_quarters = remainder - x
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for bit, factor in enumerate(factors, start=_FRACTION_BITS - 2):
        if whole_quarters >> bit & 1:
            result = _doubling_high_multiply(result, factor)
    return result


def _exp_on_last_quarter(x: int) -> int:
    """exp(x) in Q0.31 for -1/4 <= x < 0: a Taylor polynomial around -1/8."""
    exp_minus_eighth, third = 1895147668, 715827883
    x += 1 << 28
    x2 = _doubling_high_multiply(x, x)
    x3 = _doubling_high_multiply(x2, x)
    x4 = _doubling_high_multiply(x2, x2)
    rest = _rounding_shift_right(_doubling_high_multiply(_rounding_shift_right(x4, 2) + x3, third) + x2, 1)
    return exp_minus_eighth + _doubling_high_multiply(exp_minus_eighth, x + rest)


def _doubling_high_multiply(a: int, b: int) -> int:
    return (a * b + (1 << 30)) >> 31


def _rounding_shift_right(x: int, bits: int) -> int:
    """Halves away from zero."""
    half = 1 << (bits - 1)
    return (x + half) >> bits if x >= 0 else -((-x + half) >> bits)
