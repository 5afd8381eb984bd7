"""Seeded damage to graphs: scales, shapes, dtypes, constants, options and edges that contradict each other.

Files damaged byte by byte seldom get past the reader; these are well-formed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinympy.compiler.operators import LOWERINGS
from tinympy.model.graph import Graph, Operator, Tensor

Random = np.random.Generator

_SCALES = (0.0, -1.0, 1.0, 1e-45, 1e-40, 1e-30, 1e-10, 2.0**-20, 2.0**20, 1e10, 3e38, np.inf, np.nan)
_ZERO_POINTS = (-129, -128, 0, 5, 127, 128)
_SIZES = (0, 1, 2, 3, 5, 7, 100, 255, 256, 1000, 65535, 65536, 1 << 20, 1 << 22, (1 << 31) - 1)
_NUMBERS = (*_SIZES, -1, -2, -(1 << 31))
_FLOATS = (0.0, -1.0, 1e-45, 1e38, -np.inf, np.inf, np.nan)
_DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "float16", "bool")
_LARGEST_CONSTANT = 1 << 16


def damaged_graph(random: Random, graph: Graph) -> Graph:
    """The graph with one to three changes; some of them change nothing."""
    for _ in range(random.integers(1, 4)):
        graph = _pick(random, _CHANGES)(random, graph)
    return graph


def _pick(random: Random, choices: Sequence[Any]) -> Any:
    return choices[random.integers(len(choices))]


def _with_tensor(random: Random, graph: Graph, change: Callable[[Tensor], Tensor]) -> Graph:
    tensors = list(graph.tensors)
    index = random.integers(len(tensors))
    tensors[index] = change(tensors[index])
    return replace(graph, tensors=tuple(tensors))


def _with_operator(random: Random, graph: Graph, change: Callable[[Operator], Operator]) -> Graph:
    operators = list(graph.operators)
    index = random.integers(len(operators))
    operators[index] = change(operators[index])
    return replace(graph, operators=tuple(operators))


def _scale(random: Random, graph: Graph) -> Graph:
    def change(tensor: Tensor) -> Tensor:
        if tensor.quantization is None:
            return tensor
        scale = tensor.quantization.scale.copy()
        scale[random.integers(scale.size)] = _pick(random, _SCALES)
        return replace(tensor, quantization=replace(tensor.quantization, scale=scale))

    return _with_tensor(random, graph, change)


def _quantization(random: Random, graph: Graph) -> Graph:
    def change(tensor: Tensor) -> Tensor:
        if tensor.quantization is None or random.integers(4) == 0:
            return replace(tensor, quantization=None)
        zero_point = np.full_like(tensor.quantization.zero_point, _pick(random, _ZERO_POINTS))
        return replace(tensor, quantization=replace(tensor.quantization, zero_point=zero_point))

    return _with_tensor(random, graph, change)


def _kind(random: Random, graph: Graph) -> Graph:
    def change(tensor: Tensor) -> Tensor:
        if random.integers(2) == 0:
            return replace(tensor, is_variable=not tensor.is_variable)
        if random.integers(4) == 0:
            return replace(tensor, data=None)
        dtype = _pick(random, _DTYPES)
        with np.errstate(all="ignore"):
            return replace(tensor, dtype=dtype, data=None if tensor.data is None else tensor.data.astype(dtype))

    return _with_tensor(random, graph, change)


def _shape(random: Random, graph: Graph) -> Graph:
    def change(tensor: Tensor) -> Tensor:
        shape = [int(size) for size in tensor.shape]
        kind = random.integers(5)
        if kind == 0:
            shape.insert(random.integers(len(shape) + 1), int(_pick(random, (0, 1, 1, 2, 3))))
        elif kind == 1:
            shape = [1] * int(_pick(random, (7, 9, 70))) + shape
        elif shape and kind == 2:
            shape.pop(random.integers(len(shape)))
        elif shape and kind == 3:
            shape[random.integers(len(shape))] = _pick(random, _SIZES)
        else:
            shape = random.permutation(shape).astype(int).tolist()
        if tensor.data is None:
            return replace(tensor, shape=tuple(shape))
        if len(shape) > 32 or np.prod(shape, dtype=object) > _LARGEST_CONSTANT:
            return tensor
        return replace(tensor, shape=tuple(shape), data=np.resize(tensor.data, shape))

    return _with_tensor(random, graph, change)


def _constant(random: Random, graph: Graph) -> Graph:
    constants = [
        i for i, t in enumerate(graph.tensors) if t.data is not None and t.data.dtype.kind in "iu" and t.elements
    ]
    if not constants:
        return graph
    tensors, index = list(graph.tensors), _pick(random, constants)
    data = np.array(tensors[index].data)
    limits = np.iinfo(data.dtype)
    data.reshape(-1)[random.integers(data.size)] = np.clip(_pick(random, _NUMBERS), limits.min, limits.max)
    tensors[index] = replace(tensors[index], data=data)
    return replace(graph, tensors=tuple(tensors))


def _edge(random: Random, graph: Graph) -> Graph:
    def change(operator: Operator) -> Operator:
        name = _pick(random, ("inputs", "inputs", "outputs"))
        indices = list(getattr(operator, name))
        kind, other = random.integers(4), int(random.integers(len(graph.tensors)))
        if kind == 0:
            indices.insert(random.integers(len(indices) + 1), other)
        elif indices and kind == 1:
            indices.pop(random.integers(len(indices)))
        elif indices:
            indices[random.integers(len(indices))] = -1 if kind == 2 and name == "inputs" else other
        return replace(operator, **{name: tuple(indices)})

    return _with_operator(random, graph, change)


def _end(random: Random, graph: Graph) -> Graph:
    """One more of the model's inputs or outputs."""
    index = int(random.integers(len(graph.tensors)))
    if random.integers(2) == 0:
        return replace(graph, inputs=(*graph.inputs, index))
    return replace(graph, outputs=(*graph.outputs, index))


def _option(random: Random, graph: Graph) -> Graph:
    def change(operator: Operator) -> Operator:
        if random.integers(5) == 0:
            return replace(operator, name=_pick(random, sorted(LOWERINGS)), options={})
        options = dict(operator.options)
        numeric = [key for key, value in options.items() if isinstance(value, int | float | np.floating)]
        if not numeric:
            return operator
        key = _pick(random, numeric)
        if isinstance(options[key], bool):
            options[key] = not options[key]
        else:
            options[key] = _pick(random, _NUMBERS if isinstance(options[key], int) else _FLOATS)
        return replace(operator, options=options)

    return _with_operator(random, graph, change)


_CHANGES = (_scale, _quantization, _kind, _shape, _shape, _constant, _edge, _option, _end)
