"""Every operator that the compiler lowers computes on the kernels what the `tflite-micro` package computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given

from bit_exact import MODELS_PER_OPERATOR, SEEDS, runtime
from generated import sample_input_lists
from generated_simple import OPERATORS, single
from kernel_library import KernelLibrary
from tinympy.compiler import compile_model
from tinympy.compiler.edges import inner_tensor
from tinympy.compiler.graph import Graph
from tinympy.compiler.operators import LOWERINGS
from tinympy.compiler.write import write
from tinympy.device.program import TensorInfo
from tinympy.errors import ModelError

EIGHT_BITS = ("int8", "uint8")


@pytest.fixture(scope="module", params=["sanitized", "narrow"])
def library(request: pytest.FixtureRequest) -> KernelLibrary:
    return KernelLibrary(request.param)


@pytest.mark.parametrize("name", sorted(OPERATORS.keys() & LOWERINGS.keys()))
def test_operator_is_bit_exact(library: KernelLibrary, name: str) -> None:
    @MODELS_PER_OPERATOR
    @given(single(name), SEEDS)
    def check(graph: Graph, seed: int) -> None:
        assume(is_eight_bits(graph))
        model = write(graph)
        reference = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
        loaded = library.load(compile_model(model).program)
        for values in sample_input_lists(graph, seed):
            for position, value in enumerate(values):
                reference.set_input(value, position)
            reference.invoke()
            given_inputs = [inside(value, info) for value, info in zip(values, loaded.head.inputs, strict=True)]
            outputs = loaded.infer(*given_inputs)
            for position, (output, info) in enumerate(zip(outputs, loaded.head.outputs, strict=True)):
                np.testing.assert_array_equal(outside(output, info), reference.get_output(position))

    check()


def is_eight_bits(graph: Graph) -> bool:
    """Whether the compiler means to support it; the reference engine knows more dtypes."""
    try:
        edges = [graph.tensors[inner_tensor(graph, index)].dtype for index in (*graph.inputs, *graph.outputs)]
    except ModelError:
        return False
    return all(dtype in EIGHT_BITS for dtype in edges)


def inside(values: npt.NDArray[Any], info: TensorInfo) -> npt.NDArray[np.int8]:
    """A model's input as the arena holds it."""
    if info.dtype != "float32":
        return values.view(np.int8)
    ratio = values / np.float32(info.scale)
    rounded = np.copysign(np.floor(np.abs(ratio) + np.float32(0.5)), ratio)
    return np.clip(rounded + info.zero_point, -128, 127).astype(np.int8)


def outside(values: npt.NDArray[np.int8], info: TensorInfo) -> npt.NDArray[Any]:
    """What the arena holds as the model's output."""
    if info.dtype != "float32":
        return values.view(info.dtype)
    return (values.astype(np.int32) - info.zero_point).astype(np.float32) * np.float32(info.scale)
