"""State: what a model keeps from one inference to the next, and what that is before the first.

There are two kinds: variables (VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE), and tensors that an operator has as an
input and changes (`is_variable`). Sources: TFLM's `micro_resource_variable.cc` and `micro_interpreter_graph.cc`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Tensor

Array = npt.NDArray[Any]

MAX_STATE_BYTES = 1 << 24


def variable_names(graph: Graph) -> dict[int, str]:
    """The variable that each handle stands for: index of the handle's tensor → name; ModelError unless it is clear."""
    names: dict[int, str] = {}
    for index, operator in enumerate(graph.operators):
        if operator.name == "VAR_HANDLE":
            name = operator.options.get("shared_name")
            if not name or operator.options.get("container"):
                raise _refusal(graph, index, "a variable without a name, or in a container")
            if operator.inputs or len(operator.outputs) != 1 or operator.outputs[0] in names:
                raise _refusal(graph, index, "inputs, several outputs, or the output of another one")
            names[operator.outputs[0]] = str(name)
    return names


def initial_variables(graph: Graph) -> dict[str, Array]:
    """Each variable's value before the first inference, by its name.

    That is what CALL_ONCE assigns; where it assigns nothing, every byte is the zero point of the tensor assigned first.
    Raises ModelError when a variable is used before CALL_ONCE, is read but never assigned, or has tensors of different
    sizes or dtypes, and when all together are larger than MAX_STATE_BYTES.
    """
    names = variable_names(graph)
    holders = dict(graph.initial_values)
    uses: list[tuple[int, str, Tensor]] = []
    called = not graph.initial_values
    for index, operator in enumerate(graph.operators):
        called = called or operator.name == "CALL_ONCE"
        if operator.name in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
            assigns = operator.name == "ASSIGN_VARIABLE"
            if not called:
                raise _refusal(graph, index, "a variable is used before CALL_ONCE has initialised it")
            if (len(operator.inputs), len(operator.outputs)) != ((2, 0) if assigns else (1, 1)):
                raise _refusal(graph, index, f"{len(operator.inputs)} inputs and {len(operator.outputs)} outputs")
            handle, value = (*operator.inputs, *operator.outputs)
            if handle not in names or value < 0:
                raise _refusal(graph, index, "its variable or its value is missing")
            uses.append((index, names[handle], graph.tensors[value]))
            if assigns:
                holders.setdefault(names[handle], graph.tensors[value])
    for index, name, tensor in uses:
        if name not in holders:
            raise _refusal(graph, index, f"variable {name!r} is read but never assigned")
        if (tensor.dtype, tensor.elements) != (holders[name].dtype, holders[name].elements):
            raise _refusal(graph, index, f"variable {name!r} is {holders[name].dtype} {holders[name].shape} elsewhere")
    _require_bounded(holders.values())
    return {
        name: tensor.data if name in graph.initial_values and tensor.data is not None else _filled(tensor)
        for name, tensor in holders.items()
    }


def initial_state(graph: Graph) -> dict[int, Array]:
    """Each tensor that an operator changes, by its index, before the first inference: the zero point (int8), or zeros.

    ModelError when such a tensor is a constant, computed, or the model's input or output as well, and when all together
    are larger than MAX_STATE_BYTES.
    """
    state = {index: tensor for index, tensor in enumerate(graph.tensors) if tensor.is_variable}
    others = {*graph.inputs, *graph.outputs, *(index for operator in graph.operators for index in operator.outputs)}
    for index, tensor in state.items():
        if tensor.data is not None or index in others:
            raise ModelError(f"tensor {tensor.name!r} is state, but also something else", "export the model again")
    _require_bounded(state.values())
    return {
        index: _filled(tensor) if tensor.dtype == "int8" else np.zeros(tensor.shape, _dtype(tensor))
        for index, tensor in state.items()
    }


def _filled(tensor: Tensor) -> Array:
    """As TFLM fills memory: each byte is the lowest of the zero point's."""
    dtype, quantization = _dtype(tensor), tensor.quantization
    zero_point = int(quantization.zero_point[0]) if quantization is not None else 0
    return np.full(tensor.elements * dtype.itemsize, zero_point & 0xFF, np.uint8).view(dtype).reshape(tensor.shape)


def _require_bounded(tensors: Iterable[Tensor]) -> None:
    size_bytes = sum(tensor.elements * _dtype(tensor).itemsize for tensor in tensors)
    if size_bytes > MAX_STATE_BYTES:
        raise ModelError(f"the model's state has {size_bytes} bytes", f"{MAX_STATE_BYTES} at most are supported")


def _dtype(tensor: Tensor) -> np.dtype[Any]:
    try:
        return np.dtype(tensor.dtype)
    except TypeError:
        raise ModelError(f"tensor {tensor.name!r} is {tensor.dtype}", "state can only be numbers") from None


def _refusal(graph: Graph, index: int, reason: str) -> ModelError:
    return ModelError(f"operator {index} ({graph.operators[index].name}): {reason}", "export the model again")
