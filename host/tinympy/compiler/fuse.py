"""Pass 4, graph → graph: a PAD becomes part of the convolutions behind it, whose windows then begin further outside.

Exact, because what it pads with is what a convolution's own padding stands for: the zero point of its input. The padded
image needs no place in the arena, and no time to be written and read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from tinympy.compiler.window import PADDED, Pads
from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator
from tinympy.model.quantise import scale_of, zero_point_of
from tinympy.reference.window import Axis

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def fuse(graph: Graph) -> Graph:
    """The graph whose `folded` has the PADs and PADV2s that convolutions take over as well; all indices stay.

    What is not as it should be stays as it is, for the next pass to refuse.
    """
    readers: dict[int, list[int]] = defaultdict(list)
    for index, operator in graph.remaining.items():
        for tensor in operator.inputs:
            readers[tensor].append(index)
    operators, fused, computed = list(graph.operators), set(graph.folded), set(graph.inputs)
    for index, operator in graph.remaining.items():
        pads = _pads(graph, operator)
        if pads is not None and operator.inputs[0] in computed and operator.outputs[0] not in graph.outputs:
            behind = readers[operator.outputs[0]]
            if behind and all(each > index and _takes(graph, operators[each], operator, pads) for each in behind):
                fused.add(index)
                for each in behind:
                    inputs = (operator.inputs[0], *operators[each].inputs[1:])
                    options = {**operators[each].options, PADDED: pads}
                    operators[each] = replace(operators[each], inputs=inputs, options=options)
        computed.update(operator.outputs)
    return replace(graph, operators=tuple(operators), folded=frozenset(fused))


def _pads(graph: Graph, operator: Operator) -> Pads | None:
    """What a PAD adds to height and width; None where it does anything else, or pads with anything but 0."""
    if operator.name not in ("PAD", "PADV2") or len(operator.outputs) != 1:
        return None
    if len(operator.inputs) < 2 or min(operator.inputs) < 0:
        return None
    source, widths, *value = [graph.tensors[each] for each in operator.inputs]
    output = graph.tensors[operator.outputs[0]]
    if source.is_variable or len(source.shape) != 4 or widths.data is None or widths.data.shape != (4, 2):
        return None
    if widths.dtype not in ("int32", "int64") or widths.data.min() < 0 or widths.data[[0, 3]].any():
        return None
    if output.shape != tuple(np.add(source.shape, widths.data.sum(axis=1))):
        return None
    try:
        quantised = {(each.dtype, scale_of(each), zero_point_of(each)) for each in (source, output, *value)}
    except ModelError:
        return None
    if len(quantised) != 1 or source.dtype != "int8":
        return None
    if any(each.data is None or each.data.tolist() != [zero_point_of(output)] for each in value):
        return None
    height, width = widths.data[1:3].tolist()
    return (height[0], height[1]), (width[0], width[1])


def _takes(graph: Graph, operator: Operator, pad: Operator, pads: Pads) -> bool:
    """Whether an operator is a convolution of what `pad` makes, and none of its windows misses the image altogether."""
    if operator.name not in _CONVOLUTIONS or len(operator.inputs) < 2 or operator.inputs[0] != pad.outputs[0]:
        return False
    padded, weights = (graph.tensors[each] for each in operator.inputs[:2])
    if operator.inputs.count(pad.outputs[0]) != 1 or len(weights.shape) != 4:
        return False
    options = operator.options
    for side, (before, behind) in enumerate(pads):
        axis = Axis(
            size=padded.shape[1 + side],
            kernel=weights.shape[1 + side],
            stride=options.get(("stride_h", "stride_w")[side], 0),
            dilation=options.get(("dilation_h_factor", "dilation_w_factor")[side], 1),
            same=options.get("padding") == "SAME",
        )
        if min(axis.kernel, axis.stride, axis.dilation) < 1:
            return False
        outside = before + axis.padding[0]
        if outside >= axis.reach or (axis.outputs - 1) * axis.stride - outside >= axis.size - before - behind:
            return False
    return True
