"""Node: what an operator's reference function gets, its inputs' values and everything that the model says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Tensor
from tinympy.model.quantise import activation_range, zero_point_of

Array = npt.NDArray[Any]
Int64s = npt.NDArray[np.int64]


@dataclass
class Node:
    """One operator about to be computed."""

    name: str
    index: int
    inputs: list[Array | None]
    """None: an absent optional input (its tensor is None, too), or a tensor that nothing computes."""
    input_tensors: list[Tensor | None]
    output_tensors: list[Tensor]
    options: Mapping[str, Any]
    variables: dict[str, Array] = field(default_factory=dict)
    """The model's, by their names, kept from run to run; so are inputs that are state, which are changed in place."""

    @classmethod
    def of(
        cls,
        graph: Graph,
        index: int,
        values: Mapping[int, Array],
        variables: dict[str, Array] | None = None,
    ) -> Node:
        """Operator `index` of `graph`, its inputs taken from `values` (by tensor index) or from the constants."""
        operator = graph.operators[index]
        tensors = [graph.tensors[i] if i >= 0 else None for i in operator.inputs]
        return cls(
            name=operator.name,
            index=index,
            inputs=[
                None if tensor is None else values.get(i, tensor.data)
                for i, tensor in zip(operator.inputs, tensors, strict=True)
            ],
            input_tensors=tensors,
            output_tensors=[graph.tensors[i] for i in operator.outputs],
            options=operator.options,
            variables={} if variables is None else variables,
        )

    def input(self, position: int) -> Array:
        """The value of the input at `position`; ModelError when it has none."""
        value = self.optional_input(position)
        if value is None:
            raise self.refuse(f"input {position} is missing")
        return value

    def optional_input(self, position: int) -> Array | None:
        return self.inputs[position] if position < len(self.inputs) else None

    def tensor(self, position: int) -> Tensor:
        """The tensor of the input at `position`; ModelError when it is absent."""
        tensor = self.input_tensors[position] if position < len(self.input_tensors) else None
        if tensor is None:
            raise self.refuse(f"input {position} is missing")
        return tensor

    @property
    def output(self) -> Tensor:
        """The tensor of the one output."""
        self.require(len(self.output_tensors) == 1, f"{len(self.output_tensors)} outputs")
        return self.output_tensors[0]

    def integers(self, position: int) -> list[int]:
        """The values of an input that lists axes, sizes or the like."""
        value = self.input(position)
        self.require(value.dtype.kind in "iu", f"input {position} is {value.dtype}")
        return [int(number) for number in value.reshape(-1)]

    def centred(self, position: int) -> Int64s:
        """An input's integers less its zero point: the real values in units of its scale."""
        return self.input(position).astype(np.int64) - zero_point_of(self.tensor(position))

    def quantised(self, x: Int64s) -> Array:
        """The output from `x`, real values in units of its scale: zero point added, clamped to the fused activation."""
        low, high = activation_range(self.options.get("fused_activation_function", "NONE"), self.output)
        return np.clip(x + zero_point_of(self.output), low, high).astype(self.output.dtype)

    def require_dtype(self, dtype: str, *positions: int) -> None:
        """ModelError unless the inputs at `positions` and all outputs are of `dtype`."""
        for tensor in (*(self.tensor(position) for position in positions), *self.output_tensors):
            if tensor.dtype != dtype:
                raise self.refuse(f"tensor {tensor.name!r} is {tensor.dtype}", "quantise the model to full int8")

    def require(self, condition: bool | np.bool_, reason: str) -> None:
        if not condition:
            raise self.refuse(reason)

    def refuse(self, reason: str, hint: str = "see docs/operators.md for what each operator supports") -> ModelError:
        return ModelError(f"operator {self.index} ({self.name}): {reason}", hint)
