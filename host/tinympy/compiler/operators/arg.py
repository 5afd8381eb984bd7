"""ARG_MAX and ARG_MIN: where along one axis the greatest or least element stands, as int32."""

from __future__ import annotations

import math

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import ARG, Operation, Span
from tinympy.compiler.parameters import Arg


def lower(lowering: Lowering) -> None:
    tensor, axis, output = lowering.input(0), lowering.input(1), lowering.output()
    lowering.require_int8(tensor)
    lowering.require(output.dtype == "int32", f"its output is {output.dtype}, int32 is known")
    if axis.data is None or axis.dtype != "int32" or axis.elements != 1:
        raise lowering.refuse("its axis is not one constant int32")
    rank, at = len(tensor.shape), int(axis.data.reshape(-1)[0])
    lowering.require(-rank <= at < rank, f"axis {at} of shape {tensor.shape}")
    at %= rank
    outer, depth, inner = math.prod(tensor.shape[:at]), tensor.shape[at], math.prod(tensor.shape[at + 1 :])
    lowering.require(
        tensor.elements > 0 and output.elements == outer * inner, f"shape {tensor.shape} into {output.shape}"
    )
    kind = Arg.MAX if lowering.operator.name == "ARG_MAX" else Arg.MIN
    lowering.emit(
        Operation(
            opcode=ARG,
            operator=lowering.index,
            input=Span(lowering.input_value(0)),
            output=Span(lowering.output_value()),
            parameters=Arg(kind, outer, depth, inner),
        )
    )
