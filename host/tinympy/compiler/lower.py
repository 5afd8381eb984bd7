"""Pass 5, graph → operations: each operator becomes kernel calls, or nothing where it only renames a value."""

from __future__ import annotations

import struct

import numpy as np

from tinympy.compiler.lowering import MAX_CONSTANT_BYTES, Lowering, copy_of_constant, size_bytes
from tinympy.compiler.operation import FILL, NO_OPERATOR, NOWHERE, Lowered, Operation, Span
from tinympy.compiler.operators import LOWERINGS
from tinympy.compiler.parameters import Fill
from tinympy.errors import ModelError
from tinympy.model.edges import inner_tensor
from tinympy.model.graph import Graph
from tinympy.model.state import Array, initial_state, initial_variables


def lower(graph: Graph) -> Lowered:
    """Operations in execution order; ModelError names the operator that cannot be lowered."""
    value_bytes: list[int] = []
    operations: list[Operation] = []
    variables: dict[str, int] = {}
    value_of: dict[int, int] = {}
    for name, initial in initial_variables(graph).items():
        variables[name] = _state(initial, value_bytes, operations)
    for tensor, initial in initial_state(graph).items():
        value_of[tensor] = _state(initial, value_bytes, operations)
    state = tuple(range(len(value_bytes)))
    initial_operations = len(operations)
    for tensor in graph.inputs:
        if tensor in value_of or graph.tensors[tensor].data is not None:
            raise ModelError("an input of the model is a constant or listed twice", "export the model again")
        value_of[tensor] = len(value_bytes)
        value_bytes.append(size_bytes(graph.tensors[inner_tensor(graph, tensor)]))
    constant_bytes = 0
    for index, operator in graph.remaining.items():
        lowering = Lowering(graph, index, value_of, variables, value_bytes, operations)
        before = len(operations)
        try:
            # Scales beyond all proportion end as inf, nan or 0, which are refused where it matters.
            with np.errstate(all="ignore"):
                LOWERINGS[operator.name](lowering)
        except ModelError as error:
            raise lowering.located(error) from error
        except (ArithmeticError, struct.error) as error:
            raise lowering.refuse(f"a number beyond the program format's limits ({error})") from error
        constant_bytes += sum(len(each.constants) for each in operations[before:] if isinstance(each.constants, bytes))
        lowering.require(constant_bytes <= MAX_CONSTANT_BYTES, f"more than {MAX_CONSTANT_BYTES} bytes of constants")
    for tensor in graph.outputs:
        if tensor not in value_of:
            raise ModelError(f"nothing computes the output {graph.tensors[tensor].name!r}", "export the model again")
    return Lowered(
        operations=tuple(operations),
        value_bytes=tuple(value_bytes),
        inputs=tuple(value_of[tensor] for tensor in graph.inputs),
        outputs=tuple(value_of[tensor] for tensor in graph.outputs),
        state=state,
        initial_operations=initial_operations,
    )


def _state(initial: Array, value_bytes: list[int], operations: list[Operation]) -> int:
    """A value for state, and the operation that sets it to what it is before the first inference."""
    value = len(value_bytes)
    value_bytes.append(initial.nbytes)
    content = initial.tobytes()
    if not content:
        raise ModelError("the model keeps a tensor of no elements as its state", "export the model again")
    if len(set(content)) == 1:
        fill = Fill(len(content), content[0])
        operations.append(Operation(FILL, NO_OPERATOR, Span(NOWHERE), Span(value), fill))
    else:
        operations.append(copy_of_constant(content, value, NO_OPERATOR))
    return value
