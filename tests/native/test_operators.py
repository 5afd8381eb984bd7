"""Every operator that the compiler lowers computes on the kernels what the `tflite-micro` package computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from bit_exact import MODELS_PER_OPERATOR, SEEDS, runtime
from generated import sample_input_lists
from generated_simple import OPERATORS, single
from kernel_library import KernelLibrary
from tinympy.compiler import compile_model
from tinympy.compiler.operators import LOWERINGS
from tinympy.compiler.write import write


@pytest.fixture(scope="module", params=["fast"])
def library(request: pytest.FixtureRequest) -> KernelLibrary:
    return KernelLibrary(request.param)


@pytest.mark.parametrize("name", sorted(OPERATORS.keys() & LOWERINGS.keys()))
def test_operator_is_bit_exact(library: KernelLibrary, name: str) -> None:
    @MODELS_PER_OPERATOR
    @given(single(name), SEEDS)
    def check(graph, seed):
        model = write(graph)
        reference = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
        loaded = library.load(compile_model(model).program)
        for values in sample_input_lists(graph, seed):
            for position, value in enumerate(values):
                reference.set_input(value, position)
            reference.invoke()
            for position, output in enumerate(loaded.infer(*values)):
                np.testing.assert_array_equal(output, reference.get_output(position))

    check()
