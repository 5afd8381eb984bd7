"""How much a graph computes and how much it knows: multiply-accumulates of each operator, and the model's parameters.

Padded taps count like any other, bias and rescaling do not: the convention of MLPerf Tiny's and most other tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tinympy.model.graph import Graph, Operator, Tensor

Shapes = list[tuple[int, ...]]


def _windows(inputs: Shapes, output: tuple[int, ...]) -> int:
    """CONV_2D, FULLY_CONNECTED: each output element takes every weight of its channel, weights (channel, …)."""
    return math.prod(output) * math.prod(inputs[1][1:])


def _depthwise(inputs: Shapes, output: tuple[int, ...]) -> int:
    """Each output element takes one weight for each tap of its window, weights (1, height, width, channel)."""
    return math.prod(output) * math.prod(inputs[1][:-1])


def _transposed(inputs: Shapes, output: tuple[int, ...]) -> int:
    """Each input element meets the weights of its channel: (output channel, height, width, input channel)."""
    return math.prod(inputs[2]) * math.prod(inputs[1][:-1])


def _filters(inputs: Shapes, output: tuple[int, ...]) -> int:
    """SVDF: every filter weighs the input (filters, inputs), then its own past (filters, steps)."""
    return inputs[0][0] * (math.prod(inputs[1]) + math.prod(inputs[2]))


def _recurrent(inputs: Shapes, output: tuple[int, ...]) -> int:
    """UNIDIRECTIONAL_SEQUENCE_LSTM: each step takes every weight of the gates (inputs 1 to 8) once."""
    return math.prod(inputs[0][:-1]) * sum(math.prod(shape) for shape in inputs[1:9] if len(shape) == 2)


def _matrices(inputs: Shapes, output: tuple[int, ...]) -> int:
    """BATCH_MATMUL: each output element is a sum over the inputs' common dimension."""
    return math.prod(output) * inputs[0][-1]


_FORMULAS: dict[str, Callable[[Shapes, tuple[int, ...]], int]] = {
    "BATCH_MATMUL": _matrices,
    "CONV_2D": _windows,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _windows,
    "SVDF": _filters,
    "TRANSPOSE_CONV": _transposed,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent,
}


def macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one inference of `operator`.

    0 for operators that compute no sums of products (poolings and sums without weights, element-wise ones, movements),
    and where the shapes make no sense.
    """
    if operator.name not in _FORMULAS or not operator.outputs:
        return 0
    shapes = [graph.tensors[index].shape if index >= 0 else () for index in operator.inputs]
    try:
        return _FORMULAS[operator.name](shapes, graph.tensors[operator.outputs[0]].shape)
    except IndexError:
        return 0


def total_macs(graph: Graph) -> int:
    """Multiply-accumulates of one inference of the whole graph."""
    return sum(macs(graph, operator) for operator in graph.operators)


@dataclass(frozen=True)
class Parameters:
    """What training found: how many numbers, and their bytes in the model file."""

    weights: int
    biases: int
    bytes: int

    @property
    def count(self) -> int:
        return self.weights + self.biases


def parameters(graph: Graph) -> Parameters:
    """The constants that operators compute with, each once; not those that say how (shapes, axes, paddings)."""
    weights: dict[int, Tensor] = {}
    biases: dict[int, Tensor] = {}
    for operator in graph.operators:
        for position, index in enumerate(operator.inputs):
            if index < 0 or graph.tensors[index].data is None:
                continue
            tensor = graph.tensors[index]
            if tensor.dtype not in ("int32", "int64", "bool"):
                weights[index] = tensor
            elif operator.name in _FORMULAS and position >= 2:
                biases[index] = tensor
    return Parameters(
        sum(tensor.elements for tensor in weights.values()),
        sum(tensor.elements for tensor in biases.values()),
        sum(tensor.data.nbytes for tensor in (*weights.values(), *biases.values()) if tensor.data is not None),
    )
