"""Float inputs and outputs: an input that is only quantised, or an output that is only dequantised, is left to the
Python at both ends, and the program holds the integer tensor behind it."""

from __future__ import annotations

from tinympy.compiler.graph import Graph
from tinympy.errors import ModelError

_HINT = "give the model one QUANTIZE behind each float input and one DEQUANTIZE before each float output"


def inner_tensor(graph: Graph, index: int) -> int:
    """The tensor that stands for the model's input or output `index`: itself, unless it is float32.

    Raises ModelError when a float input is not simply quantised, or a float output not simply dequantised.
    """
    tensor = graph.tensors[index]
    if tensor.dtype != "float32":
        return index
    readers = [operator for operator in graph.operators if index in operator.inputs]
    writers = [operator for operator in graph.operators if index in operator.outputs]
    if index in graph.inputs and len(readers) == 1 and readers[0].name == "QUANTIZE" and index not in graph.outputs:
        return readers[0].outputs[0]
    if index in graph.outputs and not readers and len(writers) == 1 and writers[0].name == "DEQUANTIZE":
        return writers[0].inputs[0]
    raise ModelError(f"the model computes with float32 ({tensor.name!r})", _HINT)
