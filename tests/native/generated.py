"""Models drawn by hypothesis: one operator each, or a short chain, with shapes and scales out to their extremes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from tinympy.model.graph import Graph, Operator, Quantization, Tensor

Draw = Callable[[st.SearchStrategy[Any]], Any]

ZERO_POINTS = st.sampled_from([-128, -1, 0, 1, 127]) | st.integers(-128, 127)
ACTIVATIONS = st.sampled_from(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
PADDINGS = st.sampled_from(["SAME", "VALID"])
CHANNELS = st.sampled_from([1, 2, 3, 4, 8, 16, 17, 33]) | st.integers(1, 40)
SIDES = st.integers(1, 12)


@dataclass
class Builder:
    """Collects tensors and operators; `last` is the tensor that the next operator reads.

    Without further word the model's input is the first tensor, and its output the last.
    """

    draw: Draw
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    last: int = 0
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    initial_values: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.draw(st.integers(0, 2**32 - 1)))

    def add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def activation(self, shape: tuple[int, ...], scale: float | None = None, zero_point: int | None = None) -> int:
        scale = self.draw(st.sampled_from([0.003, 0.02, 0.1, 0.5, 3.0])) if scale is None else scale
        zero_point = self.draw(ZERO_POINTS) if zero_point is None else zero_point
        return self.add(Tensor(f"t{len(self.tensors)}", shape, "int8", Quantization.per_tensor(scale, zero_point)))

    def value(
        self, shape: tuple[int, ...], scale: float | None = None, zero_point: int | None = None, dtype: str = "int8"
    ) -> int:
        """A quantised tensor of scales from 1e-3 to 10 (plain where the dtype is never quantised)."""
        if dtype not in ("int8", "uint8", "int16") and (scale is None or dtype != "int32"):
            return self.add(Tensor(f"t{len(self.tensors)}", shape, dtype))
        if scale is None:
            scale = float(np.float32(10.0 ** self.draw(st.floats(-3, 1))))
        if zero_point is None:
            zero_point = 0 if dtype in ("int16", "int32") else self.draw(ZERO_POINTS) + 128 * (dtype == "uint8")
        return self.add(Tensor(f"t{len(self.tensors)}", shape, dtype, Quantization.per_tensor(scale, zero_point)))

    def input(
        self, shape: tuple[int, ...], scale: float | None = None, zero_point: int | None = None, dtype: str = "int8"
    ) -> int:
        """One more of the model's inputs."""
        self.last = self.value(shape, scale, zero_point, dtype)
        self.inputs.append(self.last)
        return self.last

    def like(self, tensor: int, shape: tuple[int, ...] | None = None) -> int:
        """A tensor of the same dtype and quantisation, of another shape if given."""
        source = self.tensors[tensor]
        name, shape = f"t{len(self.tensors)}", source.shape if shape is None else shape
        return self.add(Tensor(name, shape, source.dtype, source.quantization))

    def constant(self, values: npt.ArrayLike, dtype: str = "int32", quantization: Quantization | None = None) -> int:
        data = np.asarray(values, dtype)
        return self.add(Tensor(f"c{len(self.tensors)}", data.shape, dtype, quantization, data))

    def start(self, shape: tuple[int, ...]) -> None:
        self.last = self.activation(shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensors[self.last].shape

    def operator(self, name: str, inputs: tuple[int, ...], output: int, **options: Any) -> None:
        self.operators.append(Operator(name, inputs, (output,), options))
        self.last = output

    def split(self, name: str, inputs: tuple[int, ...], outputs: list[int], **options: Any) -> None:
        """An operator of several outputs, all of them the model's."""
        self.operators.append(Operator(name, inputs, tuple(outputs), options))
        self.outputs = outputs

    def graph(self) -> Graph:
        inputs, outputs = tuple(self.inputs) or (0,), tuple(self.outputs) or (self.last,)
        return Graph(tuple(self.tensors), tuple(self.operators), inputs, outputs, initial_values=self.initial_values)

    def weights(self, shape: tuple[int, ...], axis: int, per_channel: bool) -> int:
        """Random weights, sometimes at their extremes; scales around what makes outputs fill their range."""
        values = self.random.integers(-127, 128, shape).astype(np.int8)
        extreme = self.draw(st.sampled_from(["none", "none", "low", "high", "mixed"]))
        if extreme == "low":
            values[...] = -128
        elif extreme == "high":
            values[...] = 127
        elif extreme == "mixed":
            values = self.random.choice(np.array([-128, -127, 0, 127], np.int8), shape)
        count = shape[axis] if per_channel else 1
        exponent = self.draw(st.sampled_from([-9, -6, -3, -2, -1, 0, 2, 5]))
        scale = (10.0**exponent * self.random.uniform(0.3, 3, count)).astype(np.float32)
        quantization = Quantization(scale, np.zeros(count, np.int64), axis)
        return self.add(Tensor(f"w{len(self.tensors)}", shape, "int8", quantization, values))

    def bias(self, channels: int, weights: int, optional: bool = True) -> int:
        """-1 (none, if `optional`), or random int32, sometimes so large that the accumulator wraps."""
        kinds = ["small", "small", "large", "extreme"] + ["none"] * optional
        kind = self.draw(st.sampled_from(kinds))
        if kind == "none":
            return -1
        bound = {"small": 1 << 12, "large": 1 << 24, "extreme": (1 << 31) - 1}[kind]
        values = self.random.integers(-bound, bound, channels, endpoint=True).astype(np.int32)
        source, scales = self.tensors[self.last].quantization, self.tensors[weights].quantization
        assert source is not None and scales is not None
        quantization = Quantization(scales.scale * source.scale, np.zeros(scales.scale.size, np.int64))
        return self.add(Tensor(f"b{len(self.tensors)}", (channels,), "int32", quantization, values))


def output_side(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    covered = size if padding == "SAME" else size - (kernel - 1) * dilation
    return max(0, -(-covered // stride))


def _window(builder: Builder, kernel_limit: int = 6) -> tuple[list[int], list[int], list[int], str, list[int]]:
    """Kernel, stride, dilation and padding that give an output of at least one position."""
    padding = builder.draw(PADDINGS)
    kernel, stride, dilation, output = [], [], [], []
    for size in builder.shape[1:3]:
        spread = builder.draw(st.sampled_from([1, 1, 1, 2, 3]))
        largest = kernel_limit if padding == "SAME" else min(kernel_limit, (size - 1) // spread + 1)
        kernel.append(builder.draw(st.integers(1, largest)))
        stride.append(builder.draw(st.integers(1, 4)))
        # TFLM has no strided dilation in its own tests, but its arithmetic does not mind.
        dilation.append(spread)
        output.append(output_side(size, kernel[-1], stride[-1], spread, padding))
    return kernel, stride, dilation, padding, output


def conv_2d(builder: Builder, groups: int = 1) -> None:
    kernel, stride, dilation, padding, output = _window(builder)
    depth, channels = builder.shape[3] // groups, groups * builder.draw(CHANNELS)
    weights = builder.weights((channels, *kernel, depth), 0, builder.draw(st.booleans()))
    bias = builder.bias(channels, weights)
    builder.operator(
        "CONV_2D",
        (builder.last, weights, bias),
        builder.activation((builder.shape[0], *output, channels)),
        **_strides(padding, stride, dilation),
        fused_activation_function=builder.draw(ACTIVATIONS),
    )


def depthwise_conv_2d(builder: Builder) -> None:
    kernel, stride, dilation, padding, output = _window(builder)
    multiplier = builder.draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels = builder.shape[3] * multiplier
    weights = builder.weights((1, *kernel, channels), 3, builder.draw(st.booleans()))
    # Without a bias the reference interpreter crashes.
    bias = builder.bias(channels, weights, optional=False)
    builder.operator(
        "DEPTHWISE_CONV_2D",
        (builder.last, weights, bias),
        builder.activation((builder.shape[0], *output, channels)),
        **_strides(padding, stride, dilation),
        depth_multiplier=multiplier,
        fused_activation_function=builder.draw(ACTIVATIONS),
    )


def _strides(padding: str, stride: list[int], dilation: list[int]) -> dict[str, Any]:
    return {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
    }


def average_pool_2d(builder: Builder) -> None:
    pool_2d(builder, "AVERAGE_POOL_2D")


def pool_2d(builder: Builder, name: str) -> None:
    padding = builder.draw(PADDINGS)
    sizes = builder.shape[1:3]
    kernel = [builder.draw(st.integers(1, 6 if padding == "SAME" else size)) for size in sizes]
    stride = [builder.draw(st.integers(1, 4)) for _ in sizes]
    output = [output_side(size, k, s, 1, padding) for size, k, s in zip(sizes, kernel, stride, strict=True)]
    same = builder.tensors[builder.last].quantization
    assert same is not None
    builder.operator(
        name,
        (builder.last,),
        builder.activation(
            (builder.shape[0], *output, builder.shape[3]), float(same.scale[0]), int(same.zero_point[0])
        ),
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=builder.draw(ACTIVATIONS),
    )


def fully_connected(builder: Builder) -> None:
    rows, inputs = int(np.prod(builder.shape[:-1])), builder.shape[-1]
    outputs = builder.draw(CHANNELS)
    weights = builder.weights((outputs, inputs), 0, builder.draw(st.booleans()))
    bias = builder.bias(outputs, weights)
    builder.operator(
        "FULLY_CONNECTED",
        (builder.last, weights, bias),
        builder.activation((rows, outputs)),
        fused_activation_function=builder.draw(ACTIVATIONS),
    )


def reshape(builder: Builder) -> None:
    """To (rows, everything else): what converters put before a fully connected layer."""
    shape = (builder.shape[0], int(np.prod(builder.shape[1:])))
    constant = builder.add(Tensor("shape", (2,), "int32", data=np.array(shape, np.int32)))
    same = builder.tensors[builder.last].quantization
    assert same is not None
    output = builder.activation(shape, float(same.scale[0]), int(same.zero_point[0]))
    builder.operator("RESHAPE", (builder.last, constant), output, new_shape=shape)


def softmax(builder: Builder) -> None:
    beta = builder.draw(st.sampled_from([1.0, 1.0, 0.5, 2.0, 10.0]))
    builder.operator("SOFTMAX", (builder.last,), builder.activation(builder.shape, 1 / 256, -128), beta=beta)


IMAGE_OPERATORS = [conv_2d, depthwise_conv_2d, average_pool_2d]


@st.composite
def single_operators(draw: Draw) -> Graph:
    builder = Builder(draw)
    name = draw(st.sampled_from(["conv", "conv", "depthwise", "depthwise", "pool", "dense", "softmax"]))
    batches = draw(st.sampled_from([1, 1, 1, 2, 3]))
    if name in ("dense", "softmax"):
        depth = draw(st.integers(1, 200))
        builder.start((batches, depth))
        (fully_connected if name == "dense" else softmax)(builder)
    else:
        builder.start((batches, draw(SIDES), draw(SIDES), draw(CHANNELS)))
        {"conv": conv_2d, "depthwise": depthwise_conv_2d, "pool": average_pool_2d}[name](builder)
    return builder.graph()


@st.composite
def chains(draw: Draw) -> Graph:
    """A small network: image operators, then a classifier."""
    builder = Builder(draw)
    builder.start((1, draw(SIDES), draw(SIDES), draw(st.integers(1, 8))))
    for _ in range(draw(st.integers(1, 4))):
        draw(st.sampled_from(IMAGE_OPERATORS))(builder)
    if draw(st.booleans()):
        reshape(builder)
        fully_connected(builder)
        if draw(st.booleans()):
            softmax(builder)
    return builder.graph()


def sample_inputs(graph: Graph, seed: int) -> list[npt.NDArray[np.int8]]:
    """Random values, random values at both ends, and the two constants."""
    shape = graph.tensors[graph.inputs[0]].shape
    random = np.random.default_rng(seed)
    return [
        random.integers(-128, 128, shape).astype(np.int8),
        random.choice(np.array([-128, 127], np.int8), shape),
        np.full(shape, -128, np.int8),
        np.full(shape, 127, np.int8),
    ]


def sample_input_lists(graph: Graph, seed: int) -> list[list[npt.NDArray[Any]]]:
    """Values for all inputs of a model: random, random at both ends, all of them in turn, and the two constants."""
    random = np.random.default_rng(seed)
    tensors = [graph.tensors[index] for index in graph.inputs]
    kinds = ["random", "ends", "turn", "low", "high"] if tensors else ["none"]
    return [[_sample(tensor, kind, random) for tensor in tensors] for kind in kinds]


def _sample(tensor: Tensor, kind: str, random: np.random.Generator) -> npt.NDArray[Any]:
    if tensor.dtype == "bool":
        return random.integers(0, 2, tensor.shape).astype(np.bool_)
    if tensor.dtype == "float32":
        # Values of all magnitudes, and halves that rounding must treat right.
        values = random.normal(size=tensor.shape) * 10.0 ** random.uniform(-3, 3, tensor.shape)
        return np.where(random.random(tensor.shape) < 0.3, np.round(values * 8) / 8, values).astype(np.float32)
    low, high = np.iinfo(tensor.dtype).min, np.iinfo(tensor.dtype).max
    if kind == "random":
        values = random.integers(low, high, tensor.shape, endpoint=True)
    elif kind == "ends":
        values = random.choice(np.array([low, high]), tensor.shape)
    elif kind == "turn":
        values = (random.integers(256) + np.arange(tensor.elements)).astype(tensor.dtype).reshape(tensor.shape)
    else:
        values = np.full(tensor.shape, low if kind == "low" else high)
    return values.astype(tensor.dtype)
