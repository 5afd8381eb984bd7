"""Operators that move values without changing them, all lowered in one way: the reference function is run on numbered
elements, and where each number ends up says which copies to make."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinympy.compiler.loops import MAX_ELEMENTS, MAX_RANK, MAX_VALUE_BYTES, Sources, nests
from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import FILL, GATHER, NOWHERE, Operation, Span
from tinympy.compiler.parameters import Fill, Gather
from tinympy.model.graph import Tensor
from tinympy.reference.node import Array, Node
from tinympy.reference.operators import OPERATORS

# Of GATHER: its reference function takes them one by one.
MAX_BATCHES = 1 << 12
# Elements looked at for all inputs: a pass over an output for each of them.
_MAX_COMPARISONS = 1 << 26
# Elements are numbered from here on; whatever is below is a value that the operator fills in.
_FIRST_NUMBER = 1 << 20
_MAX_BLOCKS = 0xFFFF
# What an operation takes in a program, and a loop or an index in its constants.
_OPERATION_BYTES, _LOOP_BYTES, _INDEX_BYTES = 64, 12, 2

# The inputs whose elements move, where it is not the first alone; all others must be constant.
_MOVING = {"CONCATENATION": slice(None), "PACK": slice(None), "SPLIT": slice(1, 2)}


def lower(lowering: Lowering) -> None:
    moving = range(len(lowering.operator.inputs))[_MOVING.get(lowering.operator.name, slice(1))]
    _require_possible(lowering, moving)
    first_numbers: dict[int, int] = {}
    total = 0
    for position in moving:
        first_numbers[position] = _FIRST_NUMBER + total
        total += lowering.input(position).elements
    results = _trace(lowering, first_numbers)
    values = {position: lowering.input_value(position) for position in moving}
    for output, result in enumerate(results):
        target = lowering.output_value(output)
        _fill(lowering, result, target)
        for position, first in first_numbers.items():
            sources = result - first
            sources[(sources < 0) | (sources >= lowering.input(position).elements)] = -1
            _copy(lowering, sources, values[position], target)


def _require_possible(lowering: Lowering, moving: range) -> None:
    """ModelError when the operator cannot be traced, or not at a bounded cost."""
    inputs, outputs = [lowering.input(position) for position in moving], lowering.outputs
    lowering.require(len(inputs) > 0 and len(outputs) > 0, f"{len(inputs)} inputs and {len(outputs)} outputs")
    lowering.require_int8(*inputs, *outputs)
    for position, tensor in enumerate(lowering.inputs):
        if position not in moving and tensor is not None:
            lowering.require(tensor.data is not None, f"input {position} is not constant")
    if lowering.operator.name == "PADV2":
        lowering.require_int8(lowering.input(2))
    require_bounded(lowering, inputs)
    require_bounded(lowering, outputs)
    elements = sum(tensor.elements for tensor in outputs)
    lowering.require(len(inputs) * elements <= _MAX_COMPARISONS, f"{len(inputs)} inputs of so many elements")
    shape = _grown_shape(lowering)
    lowering.require(shape is None or math.prod(shape) == elements, f"shape {shape} into {outputs[0].shape}")


def require_bounded(lowering: Lowering, tensors: Sequence[Tensor]) -> None:
    """ModelError when the search for loops over these tensors would take too long, or has nothing to find."""
    rank, elements = max(len(tensor.shape) for tensor in tensors), sum(tensor.elements for tensor in tensors)
    lowering.require(rank <= MAX_RANK, f"{rank} dimensions, {MAX_RANK} at most")
    lowering.require(0 < elements <= MAX_ELEMENTS, f"{elements} elements, up to {MAX_ELEMENTS} can be moved")
    total = sum(lowering.value_bytes)
    lowering.require(total <= MAX_VALUE_BYTES, f"{total} bytes of values before it, {MAX_VALUE_BYTES} at most")


def _grown_shape(lowering: Lowering) -> list[int] | None:
    """What operators that can make any number of elements from a few will make, to be known before they do."""
    name, shape = lowering.operator.name, list(lowering.input(0).shape)
    if name == "BROADCAST_TO":
        return _numbers(lowering, 1)
    if name == "RESIZE_NEAREST_NEIGHBOR":
        return [*shape[:1], *_numbers(lowering, 1), *shape[3:]]
    if name == "GATHER":
        axis, batches = (lowering.operator.options.get(option, 0) for option in ("axis", "batch_dims"))
        indices = lowering.input(1).shape
        axis += len(shape) if axis < 0 else 0
        batches += len(indices) if batches < 0 else 0
        lowering.require(0 <= batches <= axis and math.prod(indices[:batches]) <= MAX_BATCHES, f"{batches} batch_dims")
        return [*shape[:axis], *indices[batches:], *shape[axis + 1 :]]
    if name in ("MIRROR_PAD", "PAD", "PADV2", "SPACE_TO_BATCH_ND"):
        first, numbers = (1, _numbers(lowering, 2)) if name == "SPACE_TO_BATCH_ND" else (0, _numbers(lowering, 1))
        for axis in range(first, min(len(shape), first + len(numbers) // 2)):
            shape[axis] += sum(numbers[2 * (axis - first) :][:2])
        return shape
    return None


def _numbers(lowering: Lowering, position: int) -> list[int]:
    tensor = lowering.input(position)
    lowering.require(tensor.elements <= 2 * MAX_RANK, f"input {position} has {tensor.elements} numbers")
    return [] if tensor.data is None else [int(number) for number in tensor.data.reshape(-1)]


def _trace(lowering: Lowering, first_numbers: dict[int, int]) -> list[Sources]:
    """What the reference function makes of inputs whose elements are numbers instead of values."""
    inputs: list[Array | None] = []
    for position, tensor in enumerate(lowering.inputs):
        if position in first_numbers and tensor is not None:
            numbers = np.arange(tensor.elements, dtype=np.int32) + np.int32(first_numbers[position])
            inputs.append(numbers.reshape(tensor.shape))
        else:
            inputs.append(None if tensor is None else tensor.data)
    node = Node(
        name=lowering.operator.name,
        index=lowering.index,
        inputs=inputs,
        input_tensors=lowering.inputs,
        output_tensors=lowering.outputs,
        options=lowering.operator.options,
    )
    try:
        results = OPERATORS[lowering.operator.name](node)
    except (ValueError, IndexError) as error:
        # What numpy says of shapes and axes that contradict each other.
        raise lowering.refuse(str(error)) from error
    lowering.require(len(results) == len(lowering.outputs), f"{len(lowering.outputs)} outputs, not {len(results)}")
    for tensor, result in zip(lowering.outputs, results, strict=True):
        lowering.require(result.size == tensor.elements, f"{result.size} elements into shape {tensor.shape}")
    return [np.atleast_1d(result) for result in results]


def _fill(lowering: Lowering, result: Sources, target: int) -> None:
    filled = result[result < _FIRST_NUMBER]
    if filled.size == 0:
        return
    lowering.require(bool(np.all(filled == filled[0])), "it fills in different values")
    parameters = Fill(size_bytes=result.size, value=int(filled[0]))
    lowering.emit(Operation(FILL, lowering.index, Span(NOWHERE), Span(target), parameters))


def _copy(lowering: Lowering, sources: Sources, source: int, target: int) -> None:
    """As loops, or by a table of blocks, whichever is smaller."""
    found = nests(sources)
    table = _table(sources, lowering.value_bytes[source]) if found is None or len(found) > 1 else None
    if table is not None:
        block_bytes, indices = table
        loops_bytes = sum(_OPERATION_BYTES + _LOOP_BYTES * len(nest.loops) for nest in found or ())
        if found is None or _OPERATION_BYTES + _INDEX_BYTES * indices.size < loops_bytes:
            parameters = Gather(1, lowering.value_bytes[source] // block_bytes, block_bytes, indices.size)
            constants = indices.astype("<u2").tobytes()
            lowering.emit(Operation(GATHER, lowering.index, Span(source), Span(target), parameters, constants))
            return
    if found is None:
        raise lowering.refuse("its pattern of copies is too irregular")
    for nest in found:
        lowering.copy(nest, source, target)


def _table(sources: Sources, source_bytes: int) -> tuple[int, Sources] | None:
    """The size of the largest blocks that move as a whole, and the index of each; None when a table cannot say it."""
    flat = sources.reshape(-1)
    if flat.min() < 0:
        return None
    breaks = np.flatnonzero(np.diff(flat) != 1) + 1
    starts = np.concatenate([flat[:1], flat[breaks]])
    block_bytes = int(np.gcd.reduce(np.concatenate([breaks, starts, [flat.size, source_bytes]])))
    if source_bytes // block_bytes > _MAX_BLOCKS:
        return None
    return block_bytes, flat[::block_bytes] // block_bytes
