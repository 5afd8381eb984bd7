"""A PAD before a convolution, taken over by it or not, gives what the `tflite-micro` package computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bit_exact import MODELS_PER_OPERATOR, SEEDS, reference_of
from generated import CHANNELS, SIDES, Builder, Draw, conv_2d, depthwise_conv_2d, sample_input_lists
from kernel_library import KernelLibrary
from tinympy.compiler import compile_model
from tinympy.model.graph import Graph
from tinympy.model.write import write

ADDED = st.sampled_from([0, 0, 1, 1, 2, 3, 5])


@st.composite
def padded_convolutions(draw: Draw) -> Graph:
    """Pads on all sides, mostly with the zero point; one or two convolutions, sometimes the padded image itself."""
    builder = Builder(draw)
    builder.input((draw(st.sampled_from([1, 1, 2])), draw(SIDES), draw(SIDES), draw(CHANNELS)))
    widths = [(0, 0), (draw(ADDED), draw(ADDED)), (draw(ADDED), draw(ADDED)), (0, 0)]
    shape = tuple(size + sum(added) for size, added in zip(builder.shape, widths, strict=True))
    padded, same = builder.like(builder.last, shape), builder.tensors[builder.last].quantization
    assert same is not None
    value = int(same.zero_point[0]) if draw(st.integers(0, 4)) else 3
    inputs = (builder.last, builder.constant(widths))
    if draw(st.booleans()):
        builder.operator("PADV2", (*inputs, builder.constant([value], "int8", same)), padded)
    else:
        builder.operator("PAD", inputs, padded)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        builder.last = padded
        draw(st.sampled_from([conv_2d, depthwise_conv_2d]))(builder)
        builder.outputs.append(builder.last)
    if draw(st.integers(0, 9)) == 0:
        builder.outputs.append(padded)
    return builder.graph()


@pytest.mark.parametrize("build", ["sanitized", "narrow", "dsp"])
def test_padded_convolutions_are_bit_exact(build: str) -> None:
    library = KernelLibrary(build)
    taken_over = []

    @MODELS_PER_OPERATOR
    @given(padded_convolutions(), SEEDS)
    def check(graph: Graph, seed: int) -> None:
        model = write(graph)
        reference = reference_of(model)
        if reference is None:
            return
        compiled = compile_model(model)
        taken_over.append(all(operation.operator for operation in compiled.lowered.operations))
        loaded = library.load(compiled.program)
        for [values] in sample_input_lists(graph, seed):
            reference.set_input(values, 0)
            reference.invoke()
            for position, output in enumerate(loaded.infer(values)):
                np.testing.assert_array_equal(output, reference.get_output(position))

    check()
    assert len(taken_over) / 10 < sum(taken_over) < len(taken_over)
