"""Operators that move values without changing them, all lowered in one way: the reference function is run on numbered
elements, and where each number ends up says which copies to make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinympy.compiler.graph import Tensor
from tinympy.compiler.loops import Sources, nests
from tinympy.compiler.lower import Lowering
from tinympy.compiler.operation import COPY, FILL, GATHER, NOWHERE, Operation, Span
from tinympy.compiler.parameters import Copy, Fill, Gather
from tinympy.reference.node import Array, Node
from tinympy.reference.operators import OPERATORS

# Elements are numbered from here on; whatever is below is a value that the operator fills in.
_FIRST_NUMBER = 1 << 20
_MAX_ELEMENTS = 1 << 22


def lower(lowering: Lowering) -> None:
    moving = [i for i, tensor in enumerate(lowering.inputs) if tensor is not None and tensor.dtype == "int8"]
    moving = [i for i in moving if lowering.operator.name != "PADV2" or i == 0]
    lowering.require_int8(*lowering.outputs)
    numbered: dict[int, int] = {}
    total = 0
    for position in moving:
        numbered[position] = total
        total += lowering.input(position).elements
    lowering.require(0 < total <= _MAX_ELEMENTS, f"{total} elements to move")
    results = _trace(lowering, numbered)
    values = {position: lowering.input_value(position) for position in moving}
    for output, result in enumerate(results):
        target = lowering.output_value(output)
        _fill(lowering, result, target)
        for position, first in numbered.items():
            elements = lowering.input(position).elements
            sources = result.astype(np.int64) - _FIRST_NUMBER - first
            sources[(sources < 0) | (sources >= elements)] = -1
            _copy(lowering, sources, values[position], target)


def _trace(lowering: Lowering, numbered: dict[int, int]) -> list[Array]:
    """What the reference function makes of inputs whose elements are numbers instead of values."""
    inputs: list[Array | None] = []
    for position, tensor in enumerate(lowering.inputs):
        if position in numbered and tensor is not None:
            numbers = np.arange(tensor.elements, dtype=np.int32) + _FIRST_NUMBER + numbered[position]
            inputs.append(numbers.reshape(tensor.shape))
        else:
            inputs.append(None if tensor is None else tensor.data)
    node = Node(
        name=lowering.operator.name,
        index=lowering.index,
        inputs=inputs,
        input_tensors=[
            _as_numbers(tensor) if i in numbered and tensor is not None else tensor
            for i, tensor in enumerate(lowering.inputs)
        ],
        output_tensors=[_as_numbers(tensor) for tensor in lowering.outputs],
        options=lowering.operator.options,
    )
    results = OPERATORS[lowering.operator.name](node)
    for tensor, result in zip(lowering.outputs, results, strict=True):
        lowering.require(result.size == tensor.elements, f"{result.size} elements into shape {tensor.shape}")
    return results


def _as_numbers(tensor: Tensor) -> Tensor:
    return replace(tensor, dtype="int32")


def _fill(lowering: Lowering, result: Array, target: int) -> None:
    filled = result[result < _FIRST_NUMBER]
    if filled.size == 0:
        return
    lowering.require(bool(np.all(filled == filled.flat[0])), "it fills in different values")
    parameters = Fill(size_bytes=result.size, value=int(filled.flat[0]))
    lowering.emit(Operation(FILL, lowering.index, Span(NOWHERE), Span(target), parameters))


def _copy(lowering: Lowering, sources: Sources, source: int, target: int) -> None:
    found = nests(sources)
    if found is None:
        _gather(lowering, sources, source, target)
        return
    for nest in found:
        lowering.emit(
            Operation(
                COPY,
                lowering.index,
                Span(source, nest.input_offset),
                Span(target, nest.output_offset),
                Copy(len(nest.loops), nest.element_bytes),
                nest.encode(),
            )
        )


def _gather(lowering: Lowering, sources: Sources, source: int, target: int) -> None:
    """Element by element, or block by block where whole blocks move."""
    lowering.require(bool(np.all(sources >= 0)), "its pattern of copies is too irregular")
    flat = sources.reshape(-1)
    breaks = np.flatnonzero(np.diff(flat) != 1) + 1
    starts = np.concatenate([flat[:1], flat[breaks]])
    block = int(np.gcd.reduce(np.concatenate([breaks, starts, [flat.size]])))
    elements = lowering.value_bytes[source]
    block = int(np.gcd(block, elements))
    indices = flat[::block] // block
    lowering.require(elements // block <= 0xFFFF, "its pattern of copies is too irregular")
    lowering.emit(
        Operation(
            GATHER,
            lowering.index,
            Span(source),
            Span(target),
            Gather(outer=1, blocks=elements // block, block_bytes=block, indices=len(indices)),
            indices.astype("<u2").tobytes(),
        )
    )
