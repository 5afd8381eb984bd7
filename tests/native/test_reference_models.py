"""The reference engine gives every tensor of the six MLPerf Tiny models as the `tflite-micro` package computes it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bit_exact import ARENA_BYTES, runtime
from generated import sample_input_lists
from tinympy.model.read import read
from tinympy.model.write import write
from tinympy.reference import Interpreter

MODELS = Path(os.environ.get("TINYMPY_ASSETS", "."), "models")
NAMES = (
    "ad01_int8",
    "kws_ref_model",
    "pretrainedResnet_large_int8",
    "pretrainedResnet_quant",
    "str_ww_ref_model",
    "vww_96_int8",
)

pytestmark = pytest.mark.skipif("TINYMPY_ASSETS" not in os.environ, reason="TINYMPY_ASSETS is not set")


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_is_bit_exact(name: str) -> None:
    graph = read((MODELS / f"{name}.tflite").read_bytes())
    # Every tensor that an operator computes is made an output: tflite-micro keeps those.
    computed = tuple(tensor for operator in graph.operators for tensor in operator.outputs)
    graph = replace(graph, outputs=computed)
    interpreter = Interpreter(graph)
    expected = runtime.Interpreter.from_bytes(write(graph), arena_size=ARENA_BYTES)
    for values in sample_input_lists(graph, seed=1):
        expected.set_input(values[0], 0)
        expected.invoke()
        interpreter.run(*values)
        for position, tensor in enumerate(computed):
            np.testing.assert_array_equal(interpreter.values[tensor], expected.get_output(position), f"tensor {tensor}")
