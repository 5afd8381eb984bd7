"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN over any axes: moved together first where they do not stand together."""

from __future__ import annotations

import math

import numpy as np

from tinympy.compiler.loops import MAX_RANK, nests
from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import REDUCE, Operation, Span
from tinympy.compiler.operators.movement import require_bounded
from tinympy.compiler.parameters import Reduce
from tinympy.model.quantise import quantise_multiplier, scale_of, zero_point_of

_KINDS = {"MEAN": Reduce.SUM, "SUM": Reduce.SUM, "REDUCE_MAX": Reduce.MAX, "REDUCE_MIN": Reduce.MIN}
MAX_REDUCED = 1 << 23


def lower(lowering: Lowering) -> None:
    tensor, output = lowering.input(0), lowering.output()
    lowering.require_int8(tensor, output)
    axes = _axes(lowering)
    reduced = math.prod(tensor.shape[axis] for axis in axes)
    lowering.require(0 < reduced <= MAX_REDUCED and tensor.elements > 0, f"{reduced} elements into one")
    lowering.require(output.elements * reduced == tensor.elements, f"shape {tensor.shape} into {output.shape}")
    kind = _KINDS[lowering.operator.name]
    source = lowering.input_value(0)
    if axes and axes != list(range(axes[0], axes[-1] + 1)):
        source = _moved_together(lowering, source, axes)
        outer, inner = output.elements, 1
    else:
        outer = math.prod(tensor.shape[: axes[0]]) if axes else tensor.elements
        inner = math.prod(tensor.shape[axes[-1] + 1 :]) if axes else 1
    multiplier, shift, offset = 0, 0, 0
    if kind == Reduce.SUM:
        multiplier, shift = quantise_multiplier(float(scale_of(tensor)) / float(scale_of(output)))
        if lowering.operator.name == "MEAN":
            multiplier, shift = _divided(multiplier, shift, reduced)
        lowering.require(-31 <= shift <= 30, "its output scale is out of all proportion to its input scale")
        offset = -zero_point_of(tensor) * reduced
    else:
        lowering.require(
            scale_of(tensor) == scale_of(output) and zero_point_of(tensor) == zero_point_of(output),
            "input and output must share their quantisation",
        )
    lowering.emit(
        Operation(
            opcode=REDUCE,
            operator=lowering.index,
            input=Span(source),
            output=Span(lowering.output_value()),
            parameters=Reduce(kind, outer, reduced, inner, offset, multiplier, shift, zero_point_of(output)),
        )
    )


def _axes(lowering: Lowering) -> list[int]:
    tensor, axes = lowering.input(0), lowering.input(1)
    if axes.data is None or axes.dtype != "int32":
        raise lowering.refuse("its axes are not a constant int32 tensor")
    rank = len(tensor.shape)
    lowering.require(axes.elements <= 2 * MAX_RANK, f"{axes.elements} axes")
    resolved = sorted({int(axis) + rank if axis < 0 else int(axis) for axis in axes.data.reshape(-1)})
    lowering.require(all(0 <= axis < rank for axis in resolved), f"axes {axes.data.tolist()} of shape {tensor.shape}")
    return resolved


def _divided(multiplier: int, shift: int, count: int) -> tuple[int, int]:
    """The factor of a sum as that of a mean (TFLM's QuantizedMeanOrSum)."""
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    if bits < 0:
        return 0, shift
    return (multiplier << bits) // count, shift - bits


def _moved_together(lowering: Lowering, source: int, axes: list[int]) -> int:
    tensor = lowering.input(0)
    require_bounded(lowering, [tensor])
    kept = [axis for axis in range(len(tensor.shape)) if axis not in axes]
    numbers = np.arange(tensor.elements).reshape(tensor.shape).transpose(*kept, *axes)
    target = lowering.temporary_value(tensor.elements)
    found = nests(numbers)
    if found is None:
        raise lowering.refuse(f"axes {axes} of shape {tensor.shape}")
    for nest in found:
        lowering.copy(nest, source, target)
    return target
