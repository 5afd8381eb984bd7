"""Pass 3, graph → graph: refuse what cannot run at all before any operator is looked at in detail."""

from __future__ import annotations

from collections.abc import Sequence

from tinympy.compiler.formats import FULL_INT8, require_full_int8
from tinympy.compiler.operators import LOWERINGS
from tinympy.errors import ModelError
from tinympy.model.edges import inner_tensor
from tinympy.model.graph import Graph
from tinympy.model.quantise import INTEGER_RANGES, is_count, zero_point_of

_MAX_PLACES = 8
_MAX_NAMES = 6
_FOREIGN = ("custom operator ", "Flex operator ", "unknown operator ")


def check(graph: Graph) -> Graph:
    """The same graph; ModelError names every operator that is not supported, with its indices.

    Of a model that is not full int8, only operators that are not TensorFlow Lite's own are named before that.
    """
    missing = missing_operators(graph)
    if not any(name.startswith(_FOREIGN) for name in missing):
        require_full_int8(graph)
    if missing:
        names = [f"{name} (operator {places(at)})" for name, at in sorted(missing.items())]
        more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
        raise ModelError(f"not supported: {', '.join(names[:_MAX_NAMES])}{more}", hint(min(missing)))
    if not graph.inputs or not graph.outputs:
        raise ModelError("the model has no input or no output", "export the model again")
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[inner_tensor(graph, index)]
        if tensor.dtype not in INTEGER_RANGES:
            raise ModelError(f"the model's input or output {tensor.name!r} is {tensor.dtype}", FULL_INT8)
        if not is_count(tensor):
            zero_point_of(tensor)
        if len(tensor.shape) > 6 or tensor.elements == 0 or any(size > 0xFFFF for size in tensor.shape):
            raise ModelError(
                f"the model's input or output {tensor.name!r} has shape {tensor.shape}",
                "up to six dimensions of 1 to 65535 elements",
            )
    return graph


def missing_operators(graph: Graph) -> dict[str, list[int]]:
    """Operators that the compiler does not know, with the indices where they stand."""
    missing: dict[str, list[int]] = {}
    for index, operator in graph.remaining.items():
        if operator.name not in LOWERINGS:
            missing.setdefault(operator.name, []).append(index)
    return missing


def places(indices: Sequence[int]) -> str:
    """Indices in one line, however many there are."""
    more = f" and {len(indices) - _MAX_PLACES} more" if len(indices) > _MAX_PLACES else ""
    return ", ".join(map(str, indices[:_MAX_PLACES])) + more


def hint(name: str) -> str:
    """What to do about an operator that is not known."""
    if name.startswith("Flex operator"):
        return "convert without SELECT_TF_OPS: it stands for an operator of full TensorFlow"
    if name in ("custom operator ethos-u", "custom operator edgetpu-custom-op"):
        return "give the model as it was before it was compiled for an accelerator"
    if name.startswith("custom operator"):
        return "build the model of TensorFlow Lite's own operators: only the program that made it knows this one"
    if name in ("IF", "WHILE", "CALL"):
        return "unroll it: convert the model without control flow"
    if name in ("BIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_RNN", "UNIDIRECTIONAL_SEQUENCE_RNN", "RNN"):
        return "use convolutions, SVDF, or a unidirectional LSTM"
    return "replace it by operators of docs/operators.md, or cut it off and compute it on the computer or in Python"
