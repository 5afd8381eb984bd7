"""SOFTMAX and LOG_SOFTMAX: the exponentials of all distances from a row's maximum, at most 256, are a table."""

from __future__ import annotations

import numpy as np

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import LOG_SOFTMAX, SOFTMAX, Operation, Span
from tinympy.compiler.parameters import LogSoftmax, Softmax
from tinympy.model.quantise import quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.arithmetic import INT32_MAX, Int64s, doubling_high_multiply, exp_on_negative_values
from tinympy.reference.softmax import WIDE_TOLERANCE

MAX_DEPTH = 4095
# Of a distance in fixed point.
_INTEGER_BITS = 5
_FRACTION_BITS = 31 - _INTEGER_BITS


def lower_softmax(lowering: Lowering) -> None:
    wide = lowering.output().dtype == "int16"
    rows, depth = _rows(lowering, "int16", 1 / 65536, -32768) if wide else _rows(lowering, "int8", 1 / 256, -128)
    _, table = _exponentials(lowering, float(np.float32(lowering.operator.options.get("beta", 0.0))))
    _emit(lowering, SOFTMAX, Softmax(rows, depth, len(table), output_bytes=2 if wide else 1), table)


def lower_log_softmax(lowering: Lowering) -> None:
    rows, depth = _rows(lowering, "int8", 1 / 16, 127)
    (multiplier, shift), table = _exponentials(lowering, 1.0)
    inverse = (1 << (31 - shift)) / multiplier
    lowering.require(inverse < 1, "the input scale is out of range")
    parameters = LogSoftmax(rows, depth, len(table), (multiplier, shift), quantise_multiplier(inverse))
    _emit(lowering, LOG_SOFTMAX, parameters, table)


def _rows(lowering: Lowering, dtype: str, scale: float, zero_point: int) -> tuple[int, int]:
    """How many rows, and how long they are; ModelError unless the output is quantised as TFLM wants it."""
    tensor, output = lowering.input(0), lowering.output()
    lowering.require_int8(tensor)
    lowering.require(output.dtype == dtype, f"its output is {output.dtype}, {dtype} is known")
    zero_point_of(tensor)
    lowering.require(tensor.shape == output.shape and tensor.elements > 0, f"shape {tensor.shape} into {output.shape}")
    tolerance = WIDE_TOLERANCE * scale if dtype == "int16" else 0.0
    lowering.require(
        abs(float(scale_of(output)) - scale) <= tolerance and zero_point_of(output) == zero_point,
        f"its output must have scale {scale} and zero point {zero_point}",
    )
    depth = tensor.shape[-1] if tensor.shape else 1
    lowering.require(depth <= MAX_DEPTH, f"{depth} classes, {MAX_DEPTH} at most")
    return tensor.elements // depth, depth


def _exponentials(lowering: Lowering, beta: float) -> tuple[tuple[int, int], Int64s]:
    """The factor from a distance to fixed point, and exp(-d * beta * scale) in Q0.31 of the distances d = 0, 1, … that
    count."""
    real = min(beta * float(scale_of(lowering.input(0))) * (1 << _FRACTION_BITS), INT32_MAX)
    if real <= 1:
        raise lowering.refuse("the product of beta and the input scale is out of range")
    multiplier, shift = quantise_multiplier(real)
    farthest = ((1 << _INTEGER_BITS) - 1 << _FRACTION_BITS) >> shift
    distances = np.arange(min(farthest, 255) + 1, dtype=np.int64)
    scaled = doubling_high_multiply(-distances << shift, multiplier)
    return (multiplier, shift), exp_on_negative_values(scaled, _INTEGER_BITS)


def _emit(lowering: Lowering, opcode: int, parameters: Softmax | LogSoftmax, table: Int64s) -> None:
    lowering.emit(
        Operation(
            opcode=opcode,
            operator=lowering.index,
            input=Span(lowering.input_value(0)),
            output=Span(lowering.output_value()),
            parameters=parameters,
            constants=table.astype("<i4").tobytes(),
        )
    )
