"""What the operators' lowering functions work with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinympy.compiler.blocking import blocked
from tinympy.compiler.loops import Nest, straight
from tinympy.compiler.operation import COPY, NOWHERE, Operation, Span
from tinympy.compiler.parameters import Copy
from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator, Tensor

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
        self.operations.append(blocked(operation))

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
        return ModelError(f"{self._place}{reason[:_MAX_REASON]}", hint)

    def located(self, error: ModelError) -> ModelError:
        """The same error, with the operator's index and name if it does not begin with them."""
        return error if error.message.startswith(self._place) else self.refuse(error.message, error.hint)

    @property
    def _place(self) -> str:
        return f"operator {self.index} ({self.operator.name}): "


def size_bytes(tensor: Tensor) -> int:
    return tensor.elements * np.dtype(tensor.dtype).itemsize


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
