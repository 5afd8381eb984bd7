"""Pass 2, graph → graph: what operators make of constants alone, or of a shape, becomes a constant.

Converters compute the shape for a RESHAPE in this way, and bring weights into another order or another quantisation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator
from tinympy.model.state import Array
from tinympy.reference.node import Node
from tinympy.reference.operators import compute

# What makes no more elements than it is given, or than its output has.
_MOVING = {
    *("CAST", "CONCATENATION", "DEQUANTIZE", "EXPAND_DIMS", "FILL", "PACK", "QUANTIZE", "RESHAPE", "REVERSE_V2"),
    *("SHAPE", "SLICE", "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE", "UNPACK", "ZEROS_LIKE"),
}
# What can make many of few, and is not needed for more than shapes.
_GROWING = {"ADD", "BROADCAST_TO", "GATHER", "MAXIMUM", "MINIMUM", "MUL", "SUB"}
_MAX_SHAPE_ELEMENTS = 1 << 10
_MAX_ELEMENTS_IN_ALL = 1 << 24


def fold(graph: Graph) -> Graph:
    """The graph with the results of its `folded` operators as constants; these stay, so that all keep their indices.

    What cannot be computed here, or is the model's own output, is left to the other passes.
    """
    tensors = list(graph.tensors)
    known = {index: tensor.data for index, tensor in enumerate(tensors) if tensor.data is not None}
    written = Counter(index for operator in graph.operators for index in operator.outputs)
    fixed = {*known, *graph.inputs, *graph.outputs, *(index for index, times in written.items() if times > 1)}
    folded = set()
    elements = 0
    for index, operator in enumerate(graph.operators):
        if not _is_foldable(operator, known) or not fixed.isdisjoint(operator.outputs):
            continue
        given = sum(known[i].size for i in operator.inputs if i in known)
        made = sum(graph.tensors[i].elements for i in operator.outputs)
        if operator.name in _GROWING and given > _MAX_SHAPE_ELEMENTS:
            continue
        elements += given + made
        if elements > _MAX_ELEMENTS_IN_ALL:
            break
        try:
            with np.errstate(all="ignore"):
                results = compute(Node.of(graph, index, known))
        except (ModelError, ArithmeticError):
            continue
        folded.add(index)
        for output, result in zip(operator.outputs, results, strict=True):
            known[output] = result
            tensors[output] = replace(tensors[output], data=result)
    return replace(graph, tensors=tuple(tensors), folded=frozenset(folded))


def _is_foldable(operator: Operator, known: dict[int, Array]) -> bool:
    if operator.name == "SHAPE":
        return True
    return operator.name in _MOVING | _GROWING and all(i in known for i in operator.inputs)
