"""A network's table → a `.tflite` file with seeded random weights.

Weights are scaled so that activations fill their range and hardly ever leave it, as in a trained network: each value is
expected at a certain distance from its zero point (root mean square, in quantised units), and a layer's weight scales
follow from those of its input and its output.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.generated import table
from tinympy.generated.table import Row
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

Int8 = npt.NDArray[np.int8]
Integers = npt.NDArray[Any]

# How many standard deviations lie between a layer's zero point and the nearer end of its range.
_ROOM = 4
# The largest bias of a layer, in standard deviations of what is added to it.
_BIAS = 0.5


def build(name: str) -> bytes:
    """The `.tflite` file of the network called `name`, one of `table.NAMES`: always the same bytes."""
    network = _Network(table.rows(name), _random(name))
    for index in range(1, len(network.rows)):
        network.add(index)
    tensors, last = network.tensors, len(network.rows) - 1
    description = f"{name}: generated weights, no accuracy"
    return write(Graph(tuple(tensors), tuple(network.operators), (0,), (last,), description))


def random_inputs(name: str, count: int) -> Int8:
    """Seeded uniform inputs for the network called `name`, int8 of shape (count, input bytes)."""
    elements = math.prod(table.rows(name)[0].shape)
    inputs: Int8 = _random(f"{name} inputs").randint(-128, 128, (count, elements), np.int8)
    return inputs


def _random(seed: str) -> np.random.RandomState:
    # Unlike numpy's newer generators, this one promises the same numbers in every version.
    return np.random.RandomState(zlib.crc32(seed.encode()))


class _Network:
    """The graph so far. The first tensors are the rows' outputs; constants come after them."""

    def __init__(self, rows: list[Row], random: np.random.RandomState) -> None:
        self.rows = rows
        self.random = random
        self.tensors = [
            Tensor(f"row {i}", row.shape, "int8", Quantization.per_tensor(row.scale, row.zero_point))
            for i, row in enumerate(rows)
        ]
        self.operators: list[Operator] = []
        # Uniform inputs: the variance of 256 equal steps, and the way from their mean to the zero point.
        self.distance = [math.hypot(math.sqrt((256**2 - 1) / 12), -0.5 - rows[0].zero_point)]

    def add(self, index: int) -> None:
        """Add the operator of a row."""
        row = self.rows[index]
        inputs, distance = self._lower(row)
        options = {key: value for key, value in _options(row).items() if value is not None}
        self.operators.append(Operator(row.operator, (*row.inputs, *inputs), (index,), options))
        self.distance.append(distance)

    def _lower(self, row: Row) -> tuple[tuple[int, ...], float]:
        """The operator's constant inputs, and its output's expected distance from the zero point."""
        first, channels = self.rows[row.inputs[0]], row.shape[-1]
        if row.operator == "CONV_2D":
            return self._layer(row, (channels, *row.kernel, first.shape[-1]), axis=0)
        if row.operator == "DEPTHWISE_CONV_2D":
            return self._layer(row, (1, *row.kernel, channels), axis=3)
        if row.operator == "FULLY_CONNECTED":
            return self._layer(row, (channels, first.shape[-1]), axis=None)
        distances = [self.rows[i].scale * self.distance[i] / row.scale for i in row.inputs]
        if row.operator == "RESHAPE":
            return (self._constant("shape", np.array([-1, *row.shape[1:]], np.int32)),), distances[0]
        return (), math.hypot(*distances)

    def _layer(self, row: Row, shape: tuple[int, ...], axis: int | None) -> tuple[tuple[int, ...], float]:
        """Weights, with a scale for each index along `axis` or one for all, and bias."""
        source = row.inputs[0]
        weights = self._weights(shape, axis)
        by_channel = np.moveaxis(weights, axis or 0, 0).reshape(row.shape[-1], -1).astype(np.int64)
        power = (by_channel**2).sum(axis=1)
        sums = self.distance[source] * np.sqrt(power if axis is not None else power.mean(keepdims=True))
        room = 255 if row.activation == "RELU" else min(row.zero_point + 128, 127 - row.zero_point)
        spread = room / _ROOM
        scale = (spread * row.scale / (sums * self.rows[source].scale)).astype(np.float32)
        bias = np.rint(_BIAS * sums * self.random.uniform(-1, 1, row.shape[-1])).astype(np.int32)
        bias_scale = scale * np.float32(self.rows[source].scale)
        constants = (
            self._constant("weights", weights, _quantization(scale, axis or 0)),
            self._constant("bias", bias, _quantization(bias_scale, 0)),
        )
        # RELU cuts off one half.
        return constants, spread * (math.sqrt(0.5) if row.activation == "RELU" else 1)

    def _weights(self, shape: tuple[int, ...], axis: int | None) -> Int8:
        """Bell-shaped, as trained ones are: sums of four uniform numbers, the largest of each scale being 127.

        Where all channels have one scale, some have smaller weights than others.
        """
        sums = self.random.randint(-127, 128, (4, *shape)).sum(axis=0)
        if axis is None:
            sums *= self.random.randint(1, 5, (shape[0], 1))
        others = tuple(each for each in range(len(shape)) if each != axis)
        weights: Int8 = np.rint(sums * 127 / np.abs(sums).max(axis=others, keepdims=True)).astype(np.int8)
        return weights

    def _constant(self, name: str, data: Integers, quantization: Quantization | None = None) -> int:
        name = f"row {len(self.operators) + 1} {name}"
        self.tensors.append(Tensor(name, data.shape, data.dtype.name, quantization, data))
        return len(self.tensors) - 1


def _quantization(scale: npt.NDArray[np.float32], axis: int) -> Quantization:
    return Quantization(scale, np.zeros(scale.shape, np.int64), axis)


def _options(row: Row) -> Mapping[str, Any]:
    """The fields of the operator's options; None for those that it has not."""
    strided, pooled = bool(row.stride), row.operator == "AVERAGE_POOL_2D"
    return {
        "padding": row.padding if strided else None,
        "stride_h": row.stride[0] if strided else None,
        "stride_w": row.stride[1] if strided else None,
        "filter_height": row.kernel[0] if pooled else None,
        "filter_width": row.kernel[1] if pooled else None,
        "depth_multiplier": 1 if row.operator == "DEPTHWISE_CONV_2D" else None,
        "fused_activation_function": None if row.activation == "-" else row.activation,
        "beta": 1.0 if row.operator == "SOFTMAX" else None,
    }
