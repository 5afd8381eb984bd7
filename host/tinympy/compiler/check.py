"""Pass 3, graph → graph: refuse what cannot run at all before any operator is looked at in detail."""

from __future__ import annotations

from tinympy.compiler.operators import LOWERINGS
from tinympy.errors import ModelError
from tinympy.model.edges import inner_tensor
from tinympy.model.graph import Graph
from tinympy.model.quantise import zero_point_of


def check(graph: Graph) -> Graph:
    """The same graph; ModelError names every operator that is not supported, with its indices."""
    unknown: dict[str, list[int]] = {}
    for index, operator in graph.remaining.items():
        if operator.name not in LOWERINGS:
            unknown.setdefault(operator.name, []).append(index)
    if unknown:
        names = ", ".join(f"{name} (operator {', '.join(map(str, at))})" for name, at in sorted(unknown.items()))
        raise ModelError(f"not supported: {names}", "replace these operators in the model before converting it")
    if not graph.inputs or not graph.outputs:
        raise ModelError("the model has no input or no output", "export the model again")
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[inner_tensor(graph, index)]
        if tensor.dtype not in ("int8", "uint8"):
            raise ModelError(
                f"the model's input or output {tensor.name!r} is {tensor.dtype}",
                "convert with inference_input_type and inference_output_type int8",
            )
        zero_point_of(tensor)
        if len(tensor.shape) > 6 or tensor.elements == 0 or any(size > 0xFFFF for size in tensor.shape):
            raise ModelError(
                f"the model's input or output {tensor.name!r} has shape {tensor.shape}",
                "up to six dimensions of 1 to 65535 elements",
            )
    return graph
