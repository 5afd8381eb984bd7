"""Float inputs and outputs: an input that is only quantised, or an output that is only dequantised, is left to the
Python at both ends, and the program holds the integer tensor behind it."""

from __future__ import annotations

from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator

_HINT = "give the model one QUANTIZE to int8 behind each float input, one DEQUANTIZE before each float output"


def inner_tensor(graph: Graph, index: int) -> int:
    """The tensor that stands for the model's input or output `index`: itself, unless it is float32.

    Raises ModelError when a float input is not simply quantised to int8, or a float output simply dequantised from it.
    """
    tensor = graph.tensors[index]
    if tensor.dtype != "float32":
        return index
    readers = [operator for operator in graph.remaining.values() if index in operator.inputs]
    writers = [operator for operator in graph.remaining.values() if index in operator.outputs]
    is_input, is_output = index in graph.inputs, index in graph.outputs
    inner: tuple[int, ...] = ()
    if is_input and not is_output and [(each.name, each.inputs) for each in readers] == [("QUANTIZE", (index,))]:
        inner = readers[0].outputs
    elif is_output and not readers and [(each.name, each.outputs) for each in writers] == [("DEQUANTIZE", (index,))]:
        inner = writers[0].inputs
    if len(inner) == 1 and inner[0] >= 0:
        found = graph.tensors[inner[0]]
        if (found.dtype, found.elements) == ("int8", tensor.elements):
            return inner[0]
    raise ModelError(f"the model computes with float32 ({tensor.name!r})", _HINT)


def is_edge(graph: Graph, operator: Operator) -> bool:
    """Whether `operator` is the QUANTIZE or DEQUANTIZE at a float input or output that `inner_tensor` sees through."""
    outside = operator.inputs if operator.name == "QUANTIZE" else operator.outputs
    ends = graph.inputs if operator.name == "QUANTIZE" else graph.outputs
    try:
        return all(i in ends and inner_tensor(graph, i) != i for i in outside)
    except ModelError:
        return False
