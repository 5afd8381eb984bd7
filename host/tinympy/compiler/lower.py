"""Pass 4, graph → operations: each operator becomes kernel calls, or nothing where it only renames a value."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from tinympy.compiler.edges import inner_tensor
from tinympy.compiler.graph import Graph, Operator, Tensor
from tinympy.compiler.loops import Nest, straight
from tinympy.compiler.operation import COPY, FILL, NO_OPERATOR, NOWHERE, Lowered, Operation, Span
from tinympy.compiler.parameters import Copy, Fill
from tinympy.compiler.state import Array, initial_state, initial_variables
from tinympy.errors import ModelError

MAX_OPERATIONS = 1024
MAX_CONSTANT_BYTES = 1 << 25
_MAX_REASON = 300  # characters: a damaged model can have shapes and lists of any length


@dataclass
class Lowering:
    """What an operator's lowering function works with: its tensors, and the operations so far."""

    graph: Graph
    index: int
    value_of: dict[int, int]
    variables: dict[str, int]
    """The value that each variable of the model is kept in, by its name."""
    value_bytes: list[int]
    operations: list[Operation]

    @property
    def operator(self) -> Operator:
        return self.graph.operators[self.index]

    def input(self, position: int) -> Tensor:
        """The operator's input tensor at `position`; ModelError when it has none there."""
        tensor = self.optional_input(position)
        if tensor is None:
            raise self.refuse(f"input {position} is missing")
        return tensor

    def optional_input(self, position: int) -> Tensor | None:
        inputs = self.operator.inputs
        return self.graph.tensors[inputs[position]] if position < len(inputs) and inputs[position] >= 0 else None

    @property
    def inputs(self) -> list[Tensor | None]:
        return [self.graph.tensors[i] if i >= 0 else None for i in self.operator.inputs]

    @property
    def outputs(self) -> list[Tensor]:
        return [self.graph.tensors[i] for i in self.operator.outputs]

    def output(self) -> Tensor:
        """The operator's one output tensor."""
        if len(self.operator.outputs) != 1:
            raise self.refuse(f"{len(self.operator.outputs)} outputs")
        return self.graph.tensors[self.operator.outputs[0]]

    def input_value(self, position: int) -> int:
        """The value that holds an input; a constant one is copied into the arena first.

        ModelError when nothing computes it.
        """
        tensor = self.input(position)
        number = self.operator.inputs[position]
        if number in self.value_of:
            return self.value_of[number]
        if tensor.data is None:
            raise self.refuse(f"input {position} is not computed by an operator before it")
        value = self.temporary_value(tensor.data.nbytes)
        self.emit(copy_of_constant(tensor.data.tobytes(), value, self.index))
        return value

    def temporary_value(self, size_bytes: int) -> int:
        """A value of this operator's own."""
        self.value_bytes.append(size_bytes)
        return len(self.value_bytes) - 1

    def output_value(self, position: int = 0) -> int:
        """A new value for an output."""
        number = self.operator.outputs[position]
        if number in self.value_of:
            raise self.refuse("its output is computed twice")
        self.value_of[number] = self.temporary_value(size_bytes(self.graph.tensors[number]))
        return self.value_of[number]

    def rename(self) -> None:
        """The output is the input's value by another name (and perhaps another shape)."""
        if self.operator.outputs[0] in self.value_of:
            raise self.refuse("its output is computed twice")
        self.value_of[self.operator.outputs[0]] = self.input_value(0)

    def emit(self, operation: Operation) -> None:
        """Add an operation; ModelError when there are too many, struct.error when the program format cannot hold it."""
        self.require(len(self.operations) < MAX_OPERATIONS, f"more than {MAX_OPERATIONS} operations")
        operation.parameters.encode()
        self.operations.append(operation)

    def copy(self, nest: Nest, source: int, target: int) -> None:
        """Add the operation that copies from one value to another by these loops."""
        parameters = Copy(len(nest.loops), nest.element_bytes)
        begin, end = Span(source, nest.input_offset), Span(target, nest.output_offset)
        self.emit(Operation(COPY, self.index, begin, end, parameters, nest.encode()))

    def require_int8(self, *tensors: Tensor) -> None:
        for tensor in tensors:
            if tensor.dtype != "int8":
                raise self.refuse(f"tensor {tensor.name!r} is {tensor.dtype}", "quantise the model to full int8")

    def require(self, condition: bool, reason: str) -> None:
        if not condition:
            raise self.refuse(reason)

    def refuse(self, reason: str, hint: str = "see docs/operators.md for what each operator supports") -> ModelError:
        return ModelError(f"operator {self.index} ({self.operator.name}): {reason[:_MAX_REASON]}", hint)


def size_bytes(tensor: Tensor) -> int:
    return tensor.elements * np.dtype(tensor.dtype).itemsize


def lower(graph: Graph) -> Lowered:
    """Operations in execution order; ModelError names the operator that cannot be lowered."""
    from tinympy.compiler.operators import LOWERINGS

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


def copy_of_constant(content: bytes, value: int, operator: int) -> Operation:
    """The operation that writes constant bytes into a value."""
    nest = straight(len(content))
    return Operation(
        opcode=COPY,
        operator=operator,
        input=Span(NOWHERE),
        output=Span(value),
        parameters=Copy(len(nest.loops), nest.element_bytes, from_constants=True),
        constants=nest.encode() + content,
    )
