"""Compares the reference engine with the `tflite-micro` package on one model, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from generated import sample_input_lists
from tinympy.compiler import compile_model
from tinympy.errors import ModelError
from tinympy.model.graph import Graph
from tinympy.model.read import read
from tinympy.model.write import write
from tinympy.reference import Interpreter

runtime = pytest.importorskip("tflite_micro", reason="the package tflite-micro is missing").runtime

MODELS_PER_OPERATOR = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**32 - 1)
# More than malloc ever keeps for itself, so each arena is fresh from the system and 0, as a microcontroller's is:
# SPACE_TO_BATCH_ND of tflite-micro pads with a byte of it that nothing has written.
ARENA_BYTES = 40 << 20


def reference_of(model: bytes) -> runtime.Interpreter | None:
    """The interpreter of tflite-micro for a model; None where it refuses it, which is not ours to accept then."""
    try:
        return runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    except RuntimeError:
        with pytest.raises(ModelError):
            compile_model(model)
        return None


def assert_reference_is_bit_exact(graph: Graph, seed: int) -> None:
    """Every output for every sample input; neither interpreter may refuse the model."""
    model = write(graph)
    expected = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    # What read makes of the file, not the graph itself: the two must say the same.
    interpreter = Interpreter(read(model))
    for values in sample_input_lists(graph, seed):
        for position, value in enumerate(values):
            expected.set_input(value, position)
        expected.invoke()
        for position, output in enumerate(interpreter.run(*values)):
            np.testing.assert_array_equal(output, expected.get_output(position), strict=True)
