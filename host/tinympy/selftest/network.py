"""The self-test's network: every kernel on a few numbers, most in several of the ways that a core may compute it.

Each operator reads the one input, in the shape that it wants, and has an output of its own; scales are such that
outputs spread over their range. There are weights of -128, odd sizes, and padding, for which
fast kernels take other ways.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

SHAPE = (1, 4, 5, 8)
STEP, START = 101, 17
_SCALE, _ZERO_POINT = 0.05, 3
# The root mean square of the input, in quantised units.
_SPREAD = 74


def build() -> bytes:
    """The `.tflite` file: always the same bytes."""
    network = _Network()
    network.convolutions()
    network.matrices()
    network.pools()
    network.elements()
    network.movements()
    network.sequences()
    description = "tinympy's self-test: every kernel"
    outputs = tuple(index for operator in network.operators for index in operator.outputs if index not in network.inner)
    return write(Graph(tuple(network.tensors), tuple(network.operators), (0,), outputs, description))


def input_values() -> npt.NDArray[np.int8]:
    """Value i of the input is STEP * i + START, of which the lowest 8 bits count."""
    return (STEP * np.arange(math.prod(SHAPE)) + START).astype(np.uint8).view(np.int8).reshape(SHAPE)


class _Network:
    """The graph so far; `inner` are tensors between operators."""

    def __init__(self) -> None:
        # Unlike numpy's newer generators, this one promises the same numbers in every version.
        self.random = np.random.RandomState(8)
        self.tensors = [_activation("input", SHAPE, _SCALE, _ZERO_POINT)]
        self.operators: list[Operator] = []
        self.inner: set[int] = set()

    def convolutions(self) -> None:
        self._convolution((7, 3, 3, 8), stride=(2, 1), padding="SAME", activation="RELU")
        self._convolution((6, 1, 1, 8), lowest=True)
        self._convolution((5, 2, 2, 8), dilation=2)
        self._convolution((4, 3, 2, 4))  # in two groups
        self._depthwise((1, 3, 3, 8), padding="SAME")
        self._depthwise((1, 2, 3, 16), stride=(1, 2), lowest=True)

    def matrices(self) -> None:
        self._fully_connected((4, 40), 9)
        self._fully_connected((1, 160), 5, lowest=True)
        self._fully_connected((32, 5), 3, activation="RELU6")
        first, other = self._shaped((1, 10, 16)), self._constant(self._numbers((1, 16, 5)), "int8", _SCALE)
        self._operator("BATCH_MATMUL", (first, other), (1, 10, 5), 24 * _SCALE, adj_x=False, adj_y=False)

    def pools(self) -> None:
        for name, padding in (("AVERAGE_POOL_2D", "SAME"), ("AVERAGE_POOL_2D", "VALID"), ("MAX_POOL_2D", "SAME")):
            sides = (2, 2) if padding == "SAME" else (1, 1)
            window = {"stride_h": 3, "stride_w": 3, "filter_height": 4, "filter_width": 4, "padding": padding}
            self._output(name, (0,), _activation(name, (1, *sides, 8), _SCALE, _ZERO_POINT), window)
        for name, scale in (("MEAN", _SCALE / 4), ("SUM", _SCALE * 8), ("REDUCE_MAX", _SCALE)):
            zero_point = _ZERO_POINT if name == "REDUCE_MAX" else -9
            axes = self._constant(np.array([1, 2]), "int32")
            self._operator(name, (0, axes), (1, 8), scale, zero_point, keep_dims=False)
        size = self._constant(np.array([6, 4]), "int32")
        self._operator("RESIZE_BILINEAR", (0, size), (1, 6, 4, 8), _SCALE, _ZERO_POINT, half_pixel_centers=True)

    def elements(self) -> None:
        other = self._constant(self._numbers(SHAPE), "int8", _SCALE * 0.7, -5)
        self._operator("ADD", (0, other), SHAPE, _SCALE * 1.7, 11, fused_activation_function="NONE")
        channels = self._constant(self._numbers((8,)), "int8", _SCALE * 0.7, -5)
        self._operator("MUL", (0, channels), SHAPE, _SCALE, -20, fused_activation_function="RELU")
        same = self._constant(self._numbers(SHAPE), "int8", _SCALE, _ZERO_POINT)
        for name in ("MAXIMUM", "MINIMUM"):
            self._operator(name, (0, same), SHAPE, _SCALE, _ZERO_POINT)
        self._operator("PRELU", (0, self._constant(self._numbers((1, 1, 8)), "int8", 0.01)), SHAPE, _SCALE, 4)
        self._operator("TANH", (0,), SHAPE, 1 / 128)
        rows = self._shaped((8, 20))
        self._operator("SOFTMAX", (rows,), (8, 20), 1 / 256, -128, beta=1.0)
        self._operator("LOG_SOFTMAX", (rows,), (8, 20), 16 / 256, 127)
        for dtype, scale, zero_point in (("uint8", _SCALE * 0.8, 121), ("int16", _SCALE / 100, 0)):
            self._operator("QUANTIZE", (0,), SHAPE, scale, zero_point, dtype=dtype)
        self._operator("ARG_MAX", (rows, self._constant(np.array(1), "int32")), (8,), dtype="int32")

    def movements(self) -> None:
        order = self._constant(np.array([0, 3, 1, 2]), "int32")
        self._operator("TRANSPOSE", (0, order), (1, 8, 4, 5), _SCALE, _ZERO_POINT)
        around = self._constant(np.array([[0, 0], [1, 2], [0, 1], [0, 0]]), "int32")
        self._operator("PAD", (0, around), (1, 7, 6, 8), _SCALE, _ZERO_POINT)
        indices = self._constant(np.array([4, 0, 3]), "int32")
        self._operator("GATHER", (0, indices), (1, 4, 3, 8), _SCALE, _ZERO_POINT, axis=2, batch_dims=0)

    def sequences(self) -> None:
        self._svdf(inputs=36, units=6, rank=2, memory=5)
        self._lstm(steps=5, inputs=32, units=5)

    def _convolution(self, shape: tuple[int, ...], lowest: bool = False, **window: Any) -> None:
        self._window("CONV_2D", 0, shape, lowest, **window)

    def _depthwise(self, shape: tuple[int, ...], lowest: bool = False, **window: Any) -> None:
        self._window("DEPTHWISE_CONV_2D", 3, shape, lowest, depth_multiplier=shape[3] // SHAPE[3], **window)

    def _window(
        self,
        name: str,
        axis: int,
        shape: tuple[int, ...],
        lowest: bool,
        *,
        stride: tuple[int, int] = (1, 1),
        dilation: int = 1,
        padding: str = "VALID",
        activation: str = "NONE",
        **options: Any,
    ) -> None:
        """`axis` is that of the output channels in the weights' `shape`."""
        weights, bias, scale = self._weights(shape, axis, lowest)
        covered = [
            size if padding == "SAME" else size - (taps - 1) * dilation
            for size, taps in zip(SHAPE[1:3], shape[1:3], strict=True)
        ]
        sides = [-(-size // step) for size, step in zip(covered, stride, strict=True)]
        options |= {"padding": padding, "fused_activation_function": activation}
        options |= {"stride_h": stride[0], "stride_w": stride[1]}
        options |= {"dilation_h_factor": dilation, "dilation_w_factor": dilation}
        output = _activation(name, (1, *sides, shape[axis]), scale, -30)
        self._output(name, (0, weights, bias), output, options)

    def _fully_connected(
        self, shape: tuple[int, int], outputs: int, lowest: bool = False, activation: str = "NONE"
    ) -> None:
        weights, bias, scale = self._weights((outputs, shape[1]), 0, lowest)
        inputs = (self._shaped(shape), weights, bias)
        self._operator("FULLY_CONNECTED", inputs, (shape[0], outputs), scale, 20, fused_activation_function=activation)

    def _svdf(self, inputs: int, units: int, rank: int, memory: int) -> None:
        frame = self._part(inputs)
        feature, time_scale = self._numbers((rank * units, inputs)), 1 / 128
        state_scale = float(np.float32(_SCALE * 0.01 * _SPREAD * 74 * math.sqrt(inputs) / 100))
        sum_scale = float(np.float32(state_scale) * np.float32(time_scale))
        state = self._add(_activation("svdf state", (1, rank * units * memory), state_scale, 0, variable=True))
        time = self._constant(self._numbers((rank * units, memory)), "int8", time_scale)
        bias = self._constant(self.random.randint(-2000, 2000, units), "int32", sum_scale)
        operands = (frame, self._constant(feature, "int8", 0.01), time, bias, state)
        self._operator("SVDF", operands, (1, units), sum_scale * 40, 5, rank=rank, fused_activation_function="NONE")

    def _lstm(self, steps: int, inputs: int, units: int) -> None:
        frames = self._shaped((1, steps, inputs))
        hidden = self._add(_activation("lstm output state", (1, units), 1 / 127, -3, variable=True))
        cell = self._add(_activation("lstm cell state", (1, units), 2.0**-11, 0, variable=True, dtype="int16"))
        gates = [self._gate((units, inputs), _SCALE) for _ in range(4)]
        recurrent = [self._gate((units, units), 1 / 127) for _ in range(4)]
        biases = [self._constant(self.random.randint(-4000, 4000, units), "int32", 1.0) for _ in range(4)]
        operands = (frames, *gates, *recurrent, -1, -1, -1, *biases, -1, -1, hidden, cell, -1, -1, -1, -1)
        options = {"fused_activation_function": "TANH", "cell_clip": 0.0, "time_major": False}
        output = _activation("lstm", (1, steps, units), 1 / 127, -3)
        self._output("UNIDIRECTIONAL_SEQUENCE_LSTM", operands, output, options)

    def _gate(self, shape: tuple[int, int], input_scale: float) -> int:
        scale = 2 / (input_scale * _SPREAD * 74 * math.sqrt(shape[1]))
        return self._constant(self._numbers(shape), "int8", float(np.float32(scale)))

    def _weights(self, shape: tuple[int, ...], axis: int, lowest: bool) -> tuple[int, int, float]:
        """Weights and bias by channel, and an output scale that fits; with `lowest`, -128 is among every other's."""
        channels, values = shape[axis], self._numbers(shape)
        if lowest:
            np.moveaxis(values, axis, 0)[::2].reshape(-1)[:] = 0
            np.moveaxis(values, axis, 0)[::2] = self.random.choice(
                [-128, 127, 1], np.moveaxis(values, axis, 0)[::2].shape
            )
        scale = (0.01 * self.random.uniform(0.5, 1, channels)).astype(np.float32)
        bias_scale = scale * np.float32(_SCALE)
        bias = self.random.randint(-5000, 5000, channels)
        taps = math.prod(shape) // channels
        fits = _SCALE * 0.0075 * _SPREAD * 74 * math.sqrt(taps) / 45
        return (
            self._quantised(values, "int8", Quantization(scale, np.zeros(channels, np.int64), axis)),
            self._quantised(bias, "int32", Quantization(bias_scale, np.zeros(channels, np.int64), 0)),
            float(np.float32(fits)),
        )

    def _numbers(self, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        return self.random.randint(-127, 128, shape)

    def _shaped(self, shape: tuple[int, ...]) -> int:
        """The input in another shape."""
        constant = self._constant(np.array(shape), "int32")
        output = self._add(_activation(f"input as {shape}", shape, _SCALE, _ZERO_POINT))
        self.operators.append(Operator("RESHAPE", (0, constant), (output,), {"new_shape": shape}))
        self.inner.add(output)
        return output

    def _part(self, count: int) -> int:
        """The input's first `count` values, as a row."""
        whole = self._shaped((1, math.prod(SHAPE)))
        begin, size = self._constant(np.array([0, 0]), "int32"), self._constant(np.array([1, count]), "int32")
        output = self._add(_activation(f"first {count}", (1, count), _SCALE, _ZERO_POINT))
        self.operators.append(Operator("SLICE", (whole, begin, size), (output,), {}))
        self.inner.add(output)
        return output

    def _operator(
        self,
        name: str,
        inputs: tuple[int, ...],
        shape: tuple[int, ...],
        scale: float | None = None,
        zero_point: int = 0,
        dtype: str = "int8",
        **options: Any,
    ) -> None:
        tensor = Tensor(name, shape, dtype)
        if scale is not None:
            tensor = _activation(name, shape, scale, zero_point, dtype)
        self._output(name, inputs, tensor, options)

    def _output(self, name: str, inputs: tuple[int, ...], output: Tensor, options: dict[str, Any]) -> None:
        """Add an operator and its output; `options` are the fields of TFLite's options for it."""
        self.operators.append(Operator(name, inputs, (self._add(output),), options))

    def _constant(self, values: npt.NDArray[Any], dtype: str, scale: float | None = None, zero_point: int = 0) -> int:
        return self._quantised(values, dtype, None if scale is None else Quantization.per_tensor(scale, zero_point))

    def _quantised(self, values: npt.NDArray[Any], dtype: str, quantization: Quantization | None) -> int:
        return self._add(
            Tensor(f"constant {len(self.tensors)}", values.shape, dtype, quantization, values.astype(dtype))
        )

    def _add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1


def _activation(
    name: str, shape: tuple[int, ...], scale: float, zero_point: int = 0, dtype: str = "int8", variable: bool = False
) -> Tensor:
    quantization = Quantization.per_tensor(float(np.float32(scale)), zero_point)
    return Tensor(name, shape, dtype, quantization, is_variable=variable)
