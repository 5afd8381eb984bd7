"""BATCH_MATMUL: one operation for each pair of matrices."""

from __future__ import annotations

import math

import numpy as np

from tinympy.compiler.lowering import MAX_OPERATIONS, Lowering
from tinympy.compiler.operation import BATCH_MATMUL, Operation, Span
from tinympy.compiler.parameters import BatchMatmul
from tinympy.model.quantise import quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.matrices import MAX_RANK


def lower(lowering: Lowering) -> None:
    first, second, output = lowering.input(0), lowering.input(1), lowering.output()
    lowering.require_int8(first, second, output)
    for tensor in (first, second):
        lowering.require(
            2 <= len(tensor.shape) <= MAX_RANK and tensor.elements > 0,
            f"tensor {tensor.name!r} has shape {tensor.shape}",
        )
    adjoint = tuple(bool(lowering.operator.options.get(option)) for option in ("adj_x", "adj_y"))
    rows, depth = first.shape[:-3:-1] if adjoint[0] else first.shape[-2:]
    second_depth, columns = second.shape[:-3:-1] if adjoint[1] else second.shape[-2:]
    lowering.require(depth == second_depth, f"shapes {first.shape} and {second.shape}")
    try:
        batches = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    except ValueError as error:
        raise lowering.refuse(str(error)) from error
    count = math.prod(batches)
    lowering.require(count <= MAX_OPERATIONS, f"{count} products, {MAX_OPERATIONS} at most")
    lowering.require(output.elements == count * rows * columns, f"its output has shape {output.shape}")
    multiplier, shift = quantise_multiplier(float(scale_of(first)) * float(scale_of(second)) / float(scale_of(output)))
    lowering.require(shift <= 30, "its output scale is too small for its inputs' scales")
    parameters = BatchMatmul(
        shape=(rows, depth, columns),
        multiplier=multiplier,
        shift=shift,
        zero_points=(zero_point_of(first), zero_point_of(second), zero_point_of(output)),
        adjoint=(adjoint[0], adjoint[1]),
    )
    sources, target = (lowering.input_value(0), lowering.input_value(1)), lowering.output_value()
    numbers = [
        np.broadcast_to(np.arange(math.prod(tensor.shape[:-2])).reshape(tensor.shape[:-2]), batches).reshape(-1)
        for tensor in (first, second)
    ]
    for batch, (one, other) in enumerate(zip(*numbers, strict=True)):
        lowering.emit(
            Operation(
                opcode=BATCH_MATMUL,
                operator=lowering.index,
                input=Span(sources[0], int(one) * rows * depth),
                further=(Span(sources[1], int(other) * depth * columns),),
                output=Span(target, batch * rows * columns),
                parameters=parameters,
            )
        )
