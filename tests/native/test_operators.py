"""Every operator that the compiler lowers computes on the kernels what the `tflite-micro` package computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tinympy.device.program import TensorInfo

import generated_layout
import generated_simple
import generated_stateful
from bit_exact import ARENA_BYTES, MODELS_PER_OPERATOR, SEEDS, runtime
from generated import sample_input_lists
from kernel_library import KernelLibrary
from tinympy.compiler import compile_model
from tinympy.compiler.operators import LOWERINGS
from tinympy.errors import ModelError
from tinympy.model.edges import inner_tensor
from tinympy.model.graph import Graph
from tinympy.model.write import write

KNOWN = ("int8", "uint8", "int16", "int32")

STATELESS = {
    name: module.single
    for module in (generated_simple, generated_layout)
    for name in module.OPERATORS.keys() & LOWERINGS
}
# Those of the reference engine that are int16 throughout are not for the kernels.
STATEFUL = ["CALL_ONCE", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "streaming network"]


@pytest.fixture(scope="module", params=["sanitized", "narrow"])
def library(request: pytest.FixtureRequest) -> KernelLibrary:
    return KernelLibrary(request.param)


@pytest.mark.parametrize("name", sorted(STATELESS))
def test_operator_is_bit_exact(library: KernelLibrary, name: str) -> None:
    @MODELS_PER_OPERATOR
    @given(STATELESS[name](name), SEEDS)
    def check(graph: Graph, seed: int) -> None:
        assume(is_known(graph))
        assert_bit_exact(library, graph, [sample_input_lists(graph, seed)])

    check()


@pytest.mark.parametrize("name", STATEFUL)
def test_stateful_operator_is_bit_exact_over_frames_and_after_a_reset(library: KernelLibrary, name: str) -> None:
    @MODELS_PER_OPERATOR
    @given(generated_stateful.single(name), SEEDS, st.booleans())
    def check(graph: Graph, seed: int, reuse_input: bool) -> None:
        assert_bit_exact(library, graph, [frames_of(graph, seed)] * 2, reuse_input=reuse_input)

    check()


@pytest.mark.parametrize("name", ["SVDF", "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM"])
def test_weights_split_over_tiles_are_bit_exact(library: KernelLibrary, name: str) -> None:
    module = generated_stateful if name in STATEFUL else generated_simple

    @MODELS_PER_OPERATOR
    @given(module.single(name), SEEDS)
    def check(graph: Graph, seed: int) -> None:
        assert_bit_exact(library, graph, [frames_of(graph, seed)], tile_bytes=1024)

    check()


def frames_of(graph: Graph, seed: int) -> list[list[npt.NDArray[Any]]]:
    """The inputs of ten consecutive inferences."""
    return sample_input_lists(graph, seed) + sample_input_lists(graph, seed ^ 1)


def assert_bit_exact(
    library: KernelLibrary,
    graph: Graph,
    sequences: list[list[list[npt.NDArray[Any]]]],
    tile_bytes: int | None = None,
    reuse_input: bool = False,
) -> None:
    """Every output for every input of every sequence, before each of which the state is reset."""
    model = write(graph)
    loaded = library.load(compile_model(model, tile_bytes=tile_bytes, reuse_input=reuse_input).program)
    for sequence in sequences:
        loaded.reset()
        # A new one: its own reset forgets what CALL_ONCE has assigned.
        reference = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
        for values in sequence:
            for position, value in enumerate(values):
                reference.set_input(value, position)
            reference.invoke()
            given_inputs = [inside(value, info) for value, info in zip(values, loaded.head.inputs, strict=True)]
            outputs = loaded.infer(*given_inputs)
            for position, (output, info) in enumerate(zip(outputs, loaded.head.outputs, strict=True)):
                np.testing.assert_array_equal(outside(output, info), reference.get_output(position))


def is_known(graph: Graph) -> bool:
    """Whether the compiler means to support it; the reference engine knows more dtypes."""
    try:
        edges = [graph.tensors[inner_tensor(graph, index)].dtype for index in (*graph.inputs, *graph.outputs)]
    except ModelError:
        return False
    return all(dtype in KNOWN for dtype in edges)


def inside(values: npt.NDArray[Any], info: TensorInfo) -> npt.NDArray[np.int8]:
    """A model's input as the arena holds it."""
    if info.dtype != "float32":
        return values.view(np.int8) if values.dtype.itemsize == 1 else values
    ratio = values / np.float32(info.scale)
    rounded = np.copysign(np.floor(np.abs(ratio) + np.float32(0.5)), ratio)
    return np.clip(rounded + info.zero_point, -128, 127).astype(np.int8)


def outside(values: npt.NDArray[np.int8], info: TensorInfo) -> npt.NDArray[Any]:
    """What the arena holds as the model's output."""
    if info.dtype != "float32":
        return values.view(info.dtype)
    return (values.astype(np.int32) - info.zero_point).astype(np.float32) * np.float32(info.scale)
