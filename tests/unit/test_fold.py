"""Folding: what depends on constants and shapes alone is computed by the compiler, and all else is left alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tinympy.compiler import compile_model
from tinympy.compiler.fold import fold
from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

SCALE = Quantization.per_tensor(0.5)


class Model:
    """Collects tensors and operators; tensor 0 is the input, of shape (2, 3) and int8."""

    def __init__(self) -> None:
        self.tensors = [Tensor("input", (2, 3), "int8", SCALE)]
        self.operators: list[Operator] = []

    def constant(self, values: npt.ArrayLike, dtype: str = "int32", quantization: Quantization | None = None) -> int:
        data = np.asarray(values, dtype)
        self.tensors.append(Tensor(f"c{len(self.tensors)}", data.shape, dtype, quantization, data))
        return len(self.tensors) - 1

    def result(self, name: str, inputs: tuple[int, ...], like: Tensor, **options: object) -> int:
        self.tensors.append(like)
        self.operators.append(Operator(name, inputs, (len(self.tensors) - 1,), options))
        return len(self.tensors) - 1

    def graph(self, output: int) -> Graph:
        return Graph(tuple(self.tensors), tuple(self.operators), (0,), (output,))


def integers(*shape: int) -> Tensor:
    return Tensor("integers", shape, "int32")


def activation(*shape: int) -> Tensor:
    return Tensor("activation", shape, "int8", SCALE)


def dense(model: Model, weights: int) -> Graph:
    return model.graph(model.result("FULLY_CONNECTED", (0, weights, -1), activation(2, 2)))


def test_a_shape_is_known_and_so_is_what_is_computed_of_it() -> None:
    model = Model()
    sizes = model.result("SHAPE", (0,), integers(2))
    twice = model.result("MUL", (sizes, model.constant([1, 2])), integers(2))
    graph = fold(model.graph(model.result("BROADCAST_TO", (0, twice), activation(2, 6))))
    assert graph.folded == {0, 1}
    np.testing.assert_array_equal(graph.tensors[twice].data, [2, 6])


def test_weights_that_are_transposed_or_quantised_at_run_time_are_as_those_stored_so() -> None:
    values = np.array([[1, -2, 3], [4, 5, -6]], np.int8)
    plain, transposed, quantised = Model(), Model(), Model()
    tensor = Tensor("weights", (2, 3), "int8", SCALE)
    expected = constants(dense(plain, plain.constant(values, "int8", SCALE)))
    stored = transposed.constant(values.T, "int8", SCALE)
    weights = transposed.result("TRANSPOSE", (stored, transposed.constant([1, 0])), tensor)
    assert constants(dense(transposed, weights)) == expected
    weights = quantised.result("QUANTIZE", (quantised.constant(values * 0.5, "float32"),), tensor)
    assert constants(dense(quantised, weights)) == expected


def constants(graph: Graph) -> bytes:
    """Those of the only operation."""
    [operation] = compile_model(write(graph)).lowered.operations
    assert not isinstance(operation.constants, bytes)
    return operation.constants.encode()


def test_refusals_count_operators_as_the_file_does() -> None:
    model = Model()
    sizes = model.result("SHAPE", (0,), integers(2))
    reshaped = model.result("RESHAPE", (0, sizes), activation(2, 3))
    with pytest.raises(ModelError, match=r"operator 2 \(TANH\)"):
        compile_model(write(model.graph(model.result("TANH", (reshaped,), activation(7)))))
    with pytest.raises(ModelError, match=r"WHERE \(operator 2\)"):
        model.operators[2] = Operator("WHERE", (reshaped,), (len(model.tensors) - 1,))
        compile_model(write(model.graph(len(model.tensors) - 1)))


def test_what_depends_on_the_input_is_left() -> None:
    model = Model()
    assert (
        fold(model.graph(model.result("ADD", (0, model.constant([[1, 2, 3]], "int8", SCALE)), activation(2, 3)))).folded
        == set()
    )


def test_the_models_output_is_left_for_an_operation() -> None:
    model = Model()
    tensor = model.result("RESHAPE", (model.constant([[1, 2]], "int8", SCALE),), activation(2))
    graph = model.graph(tensor)
    assert fold(graph).folded == set()
    assert compile_model(write(graph)).lowered.operations


def test_what_cannot_be_computed_is_left_for_lowering_to_refuse() -> None:
    model = Model()
    sizes = model.result("ADD", (model.constant([1, 2]), model.constant([1, 2, 3])), integers(2))
    graph = model.graph(model.result("RESHAPE", (0, sizes), activation(6)))
    assert fold(graph).folded == set()
    with pytest.raises(ModelError, match=r"operator 0 \(ADD\)"):
        compile_model(write(graph))


def test_a_few_numbers_do_not_become_many() -> None:
    model = Model()
    long = model.constant(np.zeros((1 << 15, 1)))
    model.result("ADD", (long, model.constant(np.zeros((1, 1 << 15)))), integers(1 << 15, 1 << 15))
    graph = model.graph(model.result("TANH", (0,), activation(2, 3)))
    assert fold(graph).folded == set()


def test_a_tensor_that_is_computed_twice_is_left() -> None:
    model = Model()
    sizes = model.result("SHAPE", (0,), integers(2))
    model.operators.append(Operator("SHAPE", (0,), (sizes,), {}))
    assert fold(model.graph(model.result("RESHAPE", (0, sizes), activation(6)))).folded == set()
