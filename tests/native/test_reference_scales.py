"""Scales are multiplied and divided in double precision, as the `tflite-micro` package does.

Where the scales' ratio is a simple fraction, many results lie halfway between two integers, and the last bit of a
product of scales decides where they go: single precision would be seen at once. (In TFLM's sources of August 2026 some
operators have single precision; in its package of October they have not.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bit_exact import ARENA_BYTES, runtime
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write
from tinympy.reference import Interpreter

VALUES = np.arange(-128, 128).astype(np.int8)
OTHERS = np.random.default_rng(0).integers(-128, 128, 256).astype(np.int8)
OTHER_SCALE = 0.3
WINDOW = {"padding": "VALID", "stride_h": 1, "stride_w": 1}

# Shape of the input, the second input, the size of the output's scale in units of the product of the inputs', options.
ROW, IMAGE = (256,), (1, 256, 1, 1)
OPERATORS: dict[str, tuple[tuple[int, ...], Any, float, dict[str, Any]]] = {
    "ABS": (ROW, None, 1, {}),
    "ADD": (ROW, OTHERS, 3, {}),
    "CONV_2D": (IMAGE, np.full((1, 1, 1, 1), 3, np.int8), 4, WINDOW),
    "DEPTHWISE_CONV_2D": (IMAGE, np.full((1, 1, 1, 1), 3, np.int8), 4, WINDOW | {"depth_multiplier": 1}),
    "FULLY_CONNECTED": ((256, 1), np.full((1, 1), 3, np.int8), 4, {}),
    "LEAKY_RELU": (ROW, None, 1, {"alpha": 0.3}),
    "MEAN": ((128, 2), np.array([1], np.int32), 1, {}),
    "MUL": (ROW, OTHERS, 32, {}),
    "PRELU": (ROW, OTHERS, 3, {}),
    "QUANTIZE": (ROW, None, 1, {}),
    "RELU": (ROW, None, 1, {}),
    "SUB": (ROW, OTHERS, 3, {}),
    "SUM": ((256, 1), np.array([1], np.int32), 1, {}),
}


def model(name: str, scale: float, fraction: float) -> Graph:
    shape, other, unit, options = OPERATORS[name]
    tensors = [Tensor("input", shape, "int8", Quantization.per_tensor(scale))]
    if other is not None:
        weighs = other.dtype == np.int8
        quantization = Quantization.per_tensor(OTHER_SCALE) if weighs else None
        tensors.append(Tensor("other", other.shape, other.dtype.name, quantization, other))
        unit *= OTHER_SCALE if weighs else 1
    if name == "DEPTHWISE_CONV_2D":  # without a bias tflite-micro crashes
        tensors.append(Tensor("bias", (1,), "int32", Quantization.per_tensor(1.0), np.zeros(1, np.int32)))
    inputs = tuple(range(len(tensors)))
    reduced = shape[:1] if name in ("MEAN", "SUM") else shape
    tensors.append(Tensor("output", reduced, "int8", Quantization.per_tensor(scale * unit * fraction)))
    return Graph(tuple(tensors), (Operator(name, inputs, (len(inputs),), options),), (0,), (len(inputs),))


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_results_halfway_between_integers_are_bit_exact(name: str) -> None:
    for scale in (1.0, 0.1, 0.37):
        for numerator in range(1, 13):
            for denominator in range(1, 13):
                graph = model(name, scale, numerator / denominator)
                expected = runtime.Interpreter.from_bytes(write(graph), arena_size=ARENA_BYTES)
                values = VALUES.reshape(graph.tensors[0].shape)
                expected.set_input(values, 0)
                expected.invoke()
                [output] = Interpreter(graph).run(values)
                np.testing.assert_array_equal(output, expected.get_output(0), f"{scale} {numerator}/{denominator}")
