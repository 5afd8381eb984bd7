"""The reference engine: the definition, in numpy, of what every operator computes, bit for bit that of TensorFlow Lite
Micro's reference kernels. Boards are compared with it, and the compiler folds constants by it."""

from __future__ import annotations

from tinympy.errors import ModelError
from tinympy.model.graph import Graph
from tinympy.model.state import initial_state, initial_variables
from tinympy.reference.node import Array, Node
from tinympy.reference.operators import OPERATORS, compute

__all__ = ["Interpreter", "compute"]


class Interpreter:
    """Runs a graph; `values` holds every tensor of the last run by its index in the graph.

    A model's state is kept from run to run. ModelError when an operator is not known, or, at `run`, when it is used in
    a way that is not.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.values: dict[int, Array] = {}
        for index, operator in enumerate(graph.operators):
            if operator.name not in OPERATORS:
                raise ModelError(
                    f"operator {index} ({operator.name}) is not known to the reference engine",
                    "see docs/operators.md for the operators that are",
                )
        self.reset()

    def reset(self) -> None:
        """Give the model's state its initial value: the next run is as the first was."""
        self._state = initial_state(self.graph)
        self._variables = initial_variables(self.graph)

    def run(self, *inputs: Array) -> list[Array]:
        """The model's outputs for `inputs`, each of its tensor's dtype and shape."""
        graph = self.graph
        if len(inputs) != len(graph.inputs):
            raise ModelError(f"{len(inputs)} inputs given, the model has {len(graph.inputs)}")
        self.values = {i: tensor.data for i, tensor in enumerate(graph.tensors) if tensor.data is not None}
        self.values.update(self._state)
        for value, index in zip(inputs, graph.inputs, strict=True):
            tensor = graph.tensors[index]
            if value.dtype != tensor.dtype or value.shape != tensor.shape:
                raise ModelError(
                    f"input {tensor.name!r} is {tensor.dtype} of shape {tensor.shape}, "
                    f"given {value.dtype} of shape {value.shape}"
                )
            self.values[index] = value
        for index, operator in enumerate(graph.operators):
            results = compute(Node.of(graph, index, self.values, self._variables))
            self.values.update(zip(operator.outputs, results, strict=True))
        for index in graph.outputs:
            if index not in self.values:
                raise ModelError(f"nothing computes the output {graph.tensors[index].name!r}", "export the model again")
        return [self.values[index] for index in graph.outputs]
