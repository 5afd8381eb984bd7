"""Real streaming models, the wake words of `pymicro-wakeword`, on the kernels: bit-identical with `tflite-micro`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kernel_library import KernelLibrary, Loaded
from test_streaming_models import ARENA_BYTES, Values, model, random_frames, runtime
from tinympy.compiler import compile_model
from tinympy.model.graph import Graph
from tinympy.model.read import read
from tinympy.model.write import write

__all__ = ["model"]


@pytest.fixture(scope="module", params=["sanitized", "narrow"])
def library(request: pytest.FixtureRequest) -> KernelLibrary:
    return KernelLibrary(request.param)


def outputs_of_frames(content: bytes, frames: list[Values]) -> list[list[Values]]:
    """What the `tflite-micro` package computes."""
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=ARENA_BYTES)
    count = len(read(content).outputs)
    outputs = []
    for frame in frames:
        interpreter.set_input(frame, 0)
        interpreter.invoke()
        outputs.append([interpreter.get_output(position) for position in range(count)])
    return outputs


def assert_bit_identical(loaded: Loaded, frames: list[Values], expected: list[list[Values]]) -> None:
    loaded.reset()
    for frame, values in zip(frames, expected, strict=True):
        for output, value in zip(loaded.infer(frame), values, strict=True):
            np.testing.assert_array_equal(output.view(value.dtype), value)


def everything_is_an_output(graph: Graph) -> Graph:
    computed = (tensor for operator in graph.operators for tensor in operator.outputs)
    return replace(graph, outputs=tuple(tensor for tensor in computed if graph.tensors[tensor].dtype != "resource"))


# In one piece, and in tiles as they lie in flash.
@pytest.mark.parametrize("tile_bytes", [None, 4080])
def test_every_tensor_of_every_frame_is_bit_identical(
    library: KernelLibrary, model: bytes, tile_bytes: int | None
) -> None:
    content = write(everything_is_an_output(read(model)))
    frames = random_frames(read(model))
    loaded = library.load(compile_model(content, tile_bytes=tile_bytes).program)
    assert_bit_identical(loaded, frames, outputs_of_frames(content, frames))


def test_after_a_reset_the_sequence_repeats(library: KernelLibrary, model: bytes) -> None:
    """In the arena of the model as it is, where a value lies where another one was."""
    frames = random_frames(read(model))
    loaded = library.load(compile_model(model).program)
    expected = outputs_of_frames(model, frames)
    for _ in range(2):
        assert_bit_identical(loaded, frames, expected)
