"""Part of pass 3: numbers other than int8. What a model was quantised to, if at all, says how to convert it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tinympy.errors import ModelError
from tinympy.model.edges import is_edge
from tinympy.model.graph import Graph, Operator, Tensor

FULL_INT8 = (
    "quantise it to full int8: optimizations [DEFAULT], a representative_dataset, supported_ops "
    "[TFLITE_BUILTINS_INT8], inference_input_type and inference_output_type int8"
)
_SPARSE_HINT = "convert without EXPERIMENTAL_SPARSITY: weights of which many are 0 then stand in full"
_HALF_HINT = f"float16 is for GPUs; without supported_types [float16], {FULL_INT8}"
_ISLAND_HINT = "replace it by an operator that has an int8 form, or compute it on the computer or in Python"
_LEGACY_HINT = f"TensorFlow 1 quantised in this way; of the model as it was trained, {FULL_INT8.replace(' it', '', 1)}"
_WIDE_HINT = f"without EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8, {FULL_INT8}"

_Problem = tuple[str, str] | None
_BYTES = ("int4", "int8", "uint8")
_WIDE = ("ASSIGN_VARIABLE", "QUANTIZE", "READ_VARIABLE", "SOFTMAX")
_CONVERTING = ("QUANTIZE", "DEQUANTIZE")


def require_full_int8(graph: Graph) -> None:
    """ModelError names the first operator with sparse, float16, float32, legacy uint8 or int16 numbers, and which.

    Floats at the model's edges are not meant: those that `is_edge` allows, which Python quantises.
    """
    for problem_of in (_sparse, _hybrid, _half, _float, _legacy, _wide):
        for index, operator in graph.remaining.items():
            problem = problem_of(graph, operator)
            if problem is not None:
                reason, hint = problem
                raise ModelError(f"operator {index} ({operator.name}): {reason}", hint)


def _sparse(graph: Graph, operator: Operator) -> _Problem:
    tensor = _first(_inputs(graph, operator), lambda tensor: tensor.is_sparse)
    return None if tensor is None else (f"tensor {tensor.name!r} is sparse: its zeros are left out", _SPARSE_HINT)


def _hybrid(graph: Graph, operator: Operator) -> _Problem:
    """Weights of 8 bits or fewer, and floats all the same: the operator's own doing, or a DEQUANTIZE of the weights."""
    if operator.name in _CONVERTING or not any(graph.tensors[i].dtype == "float32" for i in operator.outputs):
        return None
    dequantised = {each.outputs: each.inputs for each in graph.operators if each.name == "DEQUANTIZE"}
    stored = [source for i in operator.inputs for source in dequantised.get((i,), (i,)) if source >= 0]
    weights = _first(
        (graph.tensors[i] for i in stored), lambda tensor: tensor.data is not None and tensor.dtype in _BYTES
    )
    return (
        None
        if weights is None
        else (
            f"weights {weights.name!r} are {weights.dtype}, but it computes with float32 (dynamic-range quantisation)",
            FULL_INT8,
        )
    )


def _half(graph: Graph, operator: Operator) -> _Problem:
    tensor = _first(_tensors(graph, operator), lambda tensor: tensor.dtype in ("float16", "bfloat16"))
    return None if tensor is None else (f"tensor {tensor.name!r} is {tensor.dtype}", _HALF_HINT)


def _float(graph: Graph, operator: Operator) -> _Problem:
    if operator.name in _CONVERTING and (is_edge(graph, operator) or len(graph.remaining) > 1):
        return None  # within the model, the operators that it converts for are named
    tensor = _first(_tensors(graph, operator), lambda tensor: tensor.dtype == "float32")
    if tensor is None:
        return None
    quantised = any(
        each.name not in _CONVERTING and any(graph.tensors[i].dtype == "int8" for i in each.outputs)
        for each in graph.remaining.values()
    )
    if quantised:
        return f"it computes with float32 ({tensor.name!r}), other operators with int8", _ISLAND_HINT
    return f"it computes with float32 ({tensor.name!r}), the model is not quantised", FULL_INT8


def _legacy(graph: Graph, operator: Operator) -> _Problem:
    if operator.name in _CONVERTING:
        return None
    tensor = _first(_tensors(graph, operator), lambda tensor: tensor.dtype == "uint8")
    return None if tensor is None else (f"tensor {tensor.name!r} is uint8, not int8: legacy quantisation", _LEGACY_HINT)


def _wide(graph: Graph, operator: Operator) -> _Problem:
    """Weights of time and state may be int16; what goes from operator to operator may not."""
    values = (tensor for tensor in _tensors(graph, operator) if tensor.data is None and not tensor.is_variable)
    tensor = _first(values, lambda tensor: tensor.dtype == "int16")
    if tensor is None or operator.name in _WIDE:
        return None
    return f"tensor {tensor.name!r} is int16: activations of 16 bits", _WIDE_HINT


def _inputs(graph: Graph, operator: Operator) -> list[Tensor]:
    return [graph.tensors[i] for i in operator.inputs if i >= 0]


def _tensors(graph: Graph, operator: Operator) -> list[Tensor]:
    return [*_inputs(graph, operator), *(graph.tensors[i] for i in operator.outputs)]


def _first(tensors: Iterable[Tensor], wanted: Callable[[Tensor], bool]) -> Tensor | None:
    return next(filter(wanted, tensors), None)
