"""Generated models compute what the `tflite-micro` package computes, bit for bit, on every build of the kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bit_exact import SEEDS, reference_of
from generated import chains, sample_inputs, single_operators
from kernel_library import KernelLibrary
from tinympy.compiler import compile_model
from tinympy.model.graph import Graph
from tinympy.model.write import write

GENERATED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["sanitized", "narrow", "dsp"])
def library(request: pytest.FixtureRequest) -> KernelLibrary:
    return KernelLibrary(request.param)


def assert_bit_exact(
    library: KernelLibrary, graph: Graph, seed: int, tile_bytes: int | None = None, reuse_input: bool = False
) -> None:
    model = write(graph)
    reference = reference_of(model)
    if reference is None:
        return
    loaded = library.load(compile_model(model, tile_bytes=tile_bytes, reuse_input=reuse_input).program)
    for values in sample_inputs(graph, seed):
        reference.set_input(values, 0)
        reference.invoke()
        [output] = loaded.infer(values)
        np.testing.assert_array_equal(output, reference.get_output(0))


@settings(GENERATED, max_examples=900)
@given(single_operators(), SEEDS)
def test_one_operator_is_bit_exact(library: KernelLibrary, graph: Graph, seed: int) -> None:
    assert_bit_exact(library, graph, seed)


@settings(GENERATED, max_examples=200)
@given(chains(), SEEDS, st.booleans())
def test_a_chain_is_bit_exact(library: KernelLibrary, graph: Graph, seed: int, reuse_input: bool) -> None:
    assert_bit_exact(library, graph, seed, reuse_input=reuse_input)


@settings(GENERATED, max_examples=100)
@given(chains(), SEEDS, st.sampled_from([1024, 2000, 4080]))
def test_weights_split_over_tiles_are_bit_exact(
    library: KernelLibrary, graph: Graph, seed: int, tile_bytes: int
) -> None:
    largest = max(
        (t.elements // t.shape[0] for t in graph.tensors if t.data is not None and t.dtype == "int8"), default=0
    )
    assert_bit_exact(library, graph, seed, tile_bytes if largest + 20 < tile_bytes else 16384)
