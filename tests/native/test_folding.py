"""Models that compute shapes and constants give what the `tflite-micro` package computes, without operations for it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bit_exact import MODELS_PER_OPERATOR, SEEDS, runtime
from generated import Builder, Draw, sample_input_lists
from generated_layout import shapes
from kernel_library import KernelLibrary
from tinympy.compiler import compile_model
from tinympy.model.graph import Graph
from tinympy.model.write import write


def reshape_to_a_computed_shape(builder: Builder) -> None:
    """Some dimensions are kept, the rest is their product, as it is or computed: what converters make of Flatten."""
    source = builder.input(builder.draw(shapes(4)))
    shape = builder.shape
    kept = builder.draw(st.integers(0, len(shape) - 1))
    builder.operator("SHAPE", (source,), builder.value((len(shape),), dtype="int32"), out_type=2)
    sizes = builder.last
    parts = [_picked(builder, sizes, axis) for axis in range(kept)]
    rest = builder.draw(st.sampled_from(["unknown", "constant", "product"]))
    if rest == "product":
        product = builder.constant(1)
        for axis in range(kept, len(shape)):
            factor = _picked(builder, sizes, axis)
            builder.operator("MUL", (product, factor), builder.value((), dtype="int32"))
            product = builder.last
        parts.append(product)
    else:
        parts.append(builder.constant(-1 if rest == "unknown" else math.prod(shape[kept:])))
    packed = builder.value((len(parts),), dtype="int32")
    builder.operator("PACK", tuple(parts), packed, axis=0, values_count=len(parts))
    builder.operator("RESHAPE", (source, packed), builder.like(source, (*shape[:kept], math.prod(shape[kept:]))))
    _finish(builder)


def _picked(builder: Builder, sizes: int, axis: int) -> int:
    number = builder.value((), dtype="int32")
    bounds = [builder.constant([n]) for n in (axis, axis + 1, 1)]
    builder.operator("STRIDED_SLICE", (sizes, *bounds), number, shrink_axis_mask=1)
    return number


def add_a_computed_constant(builder: Builder) -> None:
    """A second operand that is quantised and transposed at run time, or would be."""
    first = builder.input(builder.draw(shapes(4)))
    order = builder.draw(st.permutations(range(len(builder.shape))))
    stored = tuple(builder.shape[order.index(axis)] for axis in range(len(order)))
    shape = builder.shape
    floats = builder.constant(builder.random.normal(0, 3, stored), "float32")
    builder.operator("QUANTIZE", (floats,), builder.value(stored))
    builder.operator("TRANSPOSE", (builder.last, builder.constant(order)), builder.like(builder.last, shape))
    builder.operator("ADD", (first, builder.last), builder.value(shape, 0.1))


def _finish(builder: Builder) -> None:
    builder.operator("TANH", (builder.last,), builder.value(builder.shape, 1 / 128, 0))


@pytest.fixture(scope="module")
def library() -> KernelLibrary:
    return KernelLibrary("sanitized")


@pytest.mark.parametrize("generate", [reshape_to_a_computed_shape, add_a_computed_constant])
def test_a_folded_model_is_bit_exact(library: KernelLibrary, generate: Callable[[Builder], None]) -> None:
    @st.composite
    def models(draw: Draw) -> Graph:
        builder = Builder(draw)
        generate(builder)
        return builder.graph()

    @MODELS_PER_OPERATOR
    @given(models(), SEEDS)
    def check(graph: Graph, seed: int) -> None:
        model = write(graph)
        reference = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
        compiled = compile_model(model)
        # What is left works on int8.
        left = {graph.operators[operation.operator].name for operation in compiled.lowered.operations}
        assert left <= {"ADD", "TANH"}
        loaded = library.load(compiled.program)
        for [values] in sample_input_lists(graph, seed):
            reference.set_input(values, 0)
            reference.invoke()
            [output] = loaded.infer(values)
            np.testing.assert_array_equal(output, reference.get_output(0))

    check()
