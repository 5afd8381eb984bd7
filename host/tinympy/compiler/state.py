"""State: what a model keeps from one inference to the next, and what it holds before the first.

There are two kinds: variables (VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE), and tensors that an operator has as an input
and changes (`is_variable`). Sources: TFLM's `micro_resource_variable.cc` and `micro_interpreter_graph.cc`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.compiler.graph import Graph, Tensor
from tinympy.errors import ModelError

Array = npt.NDArray[Any]

MAX_STATE_BYTES = 1 << 24


def variable_names(graph: Graph) -> dict[int, str]:
    """The name of the variable that each handle, by its tensor's index, stands for; ModelError when one has none."""
    names = {}
    for index, operator in enumerate(graph.operators):
        if operator.name == "VAR_HANDLE":
            name = operator.options.get("shared_name")
            if not name or operator.options.get("container") or len(operator.outputs) != 1:
                raise _refusal(graph, index, "a variable without a name, or within a container")
            names[operator.outputs[0]] = str(name)
    return names


def initial_values(graph: Graph) -> dict[str, Array]:
    """Each variable's value before the first inference, by its name.

    It is what CALL_ONCE assigns; without that, every byte is the zero point of the first tensor that is assigned.
    Raises ModelError when a variable is used before CALL_ONCE, holds tensors of several sizes or dtypes, is read but
    never assigned, or is larger than any board's memory.
    """
    names, uses = variable_names(graph), []
    called = not graph.initial_values
    for index, operator in enumerate(graph.operators):
        called |= operator.name == "CALL_ONCE"
        if operator.name in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
            tensors = (*operator.inputs[1:], *operator.outputs)
            if not called:
                raise _refusal(graph, index, "a variable is used before CALL_ONCE has initialised it")
            if len(operator.inputs) + len(operator.outputs) != 2 or operator.inputs[:1] not in names_as_inputs(names):
                raise _refusal(graph, index, "its variable is not known")
            uses.append((index, names[operator.inputs[0]], graph.tensors[tensors[0]]))
    values = {name: _data(tensor) for name, tensor in graph.initial_values.items()}
    for index, name, tensor in uses:
        if graph.operators[index].name == "ASSIGN_VARIABLE" and name not in values:
            values[name] = _filled(tensor, _zero_point(tensor))
    for index, name, tensor in uses:
        if name not in values:
            raise _refusal(graph, index, f"variable {name!r} is read but never assigned")
        if values[name].dtype.name != tensor.dtype or values[name].size != tensor.elements:
            raise _refusal(graph, index, f"variable {name!r} is {values[name].dtype} {values[name].shape} elsewhere")
    return values
