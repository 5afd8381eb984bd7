"""Layers of a compiled model: which operations compute which operator of the graph, and where its outputs then lie."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby

from tinympy.compiler import Compiled


@dataclass(frozen=True)
class Placed:
    """An output of an operator in the arena: `tensor` is its index in the graph, `offset` is in bytes."""

    tensor: int
    offset: int


@dataclass(frozen=True)
class Layer:
    """Operations first … last - 1 of a program, one after another, all of the operator `operator` of the graph.

    outputs: what they complete. Empty where the operator changes only state, or goes on in a later layer.
    """

    operator: int
    first: int
    last: int
    outputs: tuple[Placed, ...]


def layers(compiled: Compiled) -> tuple[Layer, ...]:
    """The layers in the order in which they run; operators that only rename a value have none."""
    operations = compiled.lowered.operations
    tensors = _tensors(compiled)
    complete = {each.output.value: index for index, each in enumerate(operations) if each.output.value in tensors}
    inference = range(compiled.lowered.initial_operations, len(operations))
    found = []
    for operator, group in groupby(inference, key=lambda index: operations[index].operator):
        indices = list(group)
        outputs = tuple(
            Placed(tensors[value], compiled.arena.value_offsets[value])
            for value, last in complete.items()
            if indices[0] <= last <= indices[-1]
        )
        found.append(Layer(operator, indices[0], indices[-1] + 1, outputs))
    return tuple(found)


def _tensors(compiled: Compiled) -> dict[int, int]:
    """The tensor that each value is which an operator computes; values that operators keep to themselves are none."""
    lowered = compiled.lowered
    written: dict[int, set[int]] = defaultdict(set)
    readers: dict[int, set[int]] = defaultdict(set)
    for operation in lowered.operations:
        written[operation.operator].add(operation.output.value)
        for span in operation.spans:
            if span is not operation.output:
                readers[span.value].add(operation.operator)
    known = {*lowered.state, *lowered.inputs}
    found: dict[int, int] = {}
    for index, operator in enumerate(compiled.graph.operators):
        own = {value for value in written[index] if readers[value] == {index} and value not in lowered.outputs}
        # Values are numbered as they are made, and an operator makes its outputs in their order.
        values = sorted(written[index] - own - known)
        if len(values) == len(operator.outputs):
            found.update(zip(values, operator.outputs, strict=True))
    return found
