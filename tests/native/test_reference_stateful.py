"""The reference engine keeps state from frame to frame as the `tflite-micro` package does, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from bit_exact import MODELS_PER_OPERATOR, SEEDS, runtime
from generated import sample_input_lists
from generated_stateful import OPERATORS, single
from tinympy.model.graph import Graph
from tinympy.model.read import read
from tinympy.model.write import write
from tinympy.reference import Interpreter


def assert_frames_are_bit_exact(graph: Graph, seed: int) -> None:
    """Over ten consecutive frames, and again after a reset."""
    model = write(graph)
    interpreter = Interpreter(read(model))
    frames = sample_input_lists(graph, seed) + sample_input_lists(graph, seed ^ 1)
    for _ in range(2):
        interpreter.reset()
        # Not its `reset`, which forgets what CALL_ONCE has assigned.
        expected = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
        for frame in frames:
            for position, value in enumerate(frame):
                expected.set_input(value, position)
            expected.invoke()
            for position, output in enumerate(interpreter.run(*frame)):
                np.testing.assert_array_equal(output, expected.get_output(position), strict=True)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operator_is_bit_exact(name: str) -> None:
    @MODELS_PER_OPERATOR
    @given(single(name), SEEDS)
    def check(graph, seed):
        assert_frames_are_bit_exact(graph, seed)

    check()
