"""Operators on one 8-bit value: their 256 results, computed by the reference functions, become a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import LOOKUP, Operation, Span
from tinympy.compiler.parameters import Lookup
from tinympy.reference.node import Node
from tinympy.reference.operators import compute


def lower(lowering: Lowering) -> None:
    tensor, output = lowering.input(0), lowering.output()
    for each in (tensor, output):
        lowering.require(each.dtype in ("int8", "uint8"), f"tensor {each.name!r} is {each.dtype}")
    lowering.require(tensor.elements == output.elements, f"shape {tensor.shape} into {output.shape}")
    node = Node(
        name=lowering.operator.name,
        index=lowering.index,
        inputs=[np.arange(256, dtype=np.uint8).view(tensor.dtype)],
        input_tensors=[replace(tensor, shape=(256,))],
        output_tensors=[replace(output, shape=(256,))],
        options=lowering.operator.options,
    )
    [table] = compute(node)
    lowering.emit(
        Operation(
            opcode=LOOKUP,
            operator=lowering.index,
            input=Span(lowering.input_value(0)),
            output=Span(lowering.output_value()),
            parameters=Lookup(tensor.elements),
            constants=table.tobytes(),
        )
    )
