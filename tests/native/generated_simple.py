"""Models of one operator each, element by element: see `generated` for what they are drawn by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from generated import (
    ACTIVATIONS,
    CHANNELS,
    PADDINGS,
    SIDES,
    Builder,
    Draw,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    pool_2d,
    softmax,
)
from tinympy.model.graph import Graph

SIZES = st.integers(1, 9)
SHAPES = st.lists(SIZES, min_size=1, max_size=4).map(tuple) | st.sampled_from([(256,), (1, 16, 16, 1), (300,), (1, 1)])


def broadcast_shapes(builder: Builder) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Shapes of two inputs, some of their dimensions 1 or missing, and of the output."""
    first = builder.draw(SHAPES)
    kind = builder.draw(st.sampled_from(["same", "same", "scalar", "channel", "any", "any"]))
    other = {"same": first, "scalar": (1,), "channel": first[-1:], "any": first}[kind]
    if kind == "any":
        repeated = [builder.draw(st.sampled_from(["neither", "first", "other"])) for _ in first]
        other = tuple(1 if who == "other" else size for who, size in zip(repeated, first, strict=True))
        first = tuple(1 if who == "first" else size for who, size in zip(repeated, first, strict=True))
        other = other[builder.draw(st.integers(0, len(other) - 1)) :]
    if builder.draw(st.booleans()):
        first, other = other, first
    return first, other, np.broadcast_shapes(first, other)


def second(builder: Builder, shape: tuple[int, ...], scale: float | None = None, zero_point: int | None = None) -> int:
    """A second operand: one more input, or a constant."""
    if builder.draw(st.booleans()):
        return builder.input(shape, scale, zero_point)
    like = builder.tensors[builder.value(shape, scale, zero_point)].quantization
    return builder.constant(builder.random.integers(-128, 128, shape), "int8", like)


def _only_scale(builder: Builder, tensor: int) -> float:
    quantization = builder.tensors[tensor].quantization
    assert quantization is not None
    return float(quantization.scale[0])


def _assume_finite(builder: Builder, source: int, weights: int) -> None:
    """The last operator multiplies its sums by far less than 2^31, where the shift of TFLM ends."""
    quantization = builder.tensors[weights].quantization
    assert quantization is not None
    product = _only_scale(builder, source) * float(quantization.scale.max())
    assume(product / _only_scale(builder, builder.last) < 1e5)


def _scale(builder: Builder, low: float, high: float) -> float:
    """Evenly among the magnitudes from 10^low to 10^high, powers of two among them."""
    exponent = builder.draw(st.floats(low, high))
    if builder.draw(st.integers(0, 4)) == 0:
        return float(2.0 ** round(exponent * 3.3219))
    return float(np.float32(10.0**exponent))


def _related(builder: Builder, scale: float, low: float, high: float) -> float:
    """Often a simple fraction of `scale`, so that many results lie halfway between two integers; else any scale."""
    if builder.draw(st.booleans()):
        return _scale(builder, low, high)
    return float(np.float32(scale * builder.draw(st.integers(1, 12)) / builder.draw(st.integers(1, 12))))


def arithmetic(name: str) -> Callable[[Builder], None]:
    """ADD, SUB: TFLM aborts where the larger input scale is 2^19 or more times the output's."""

    def generate(builder: Builder) -> None:
        first_shape, second_shape, shape = broadcast_shapes(builder)
        first = builder.input(first_shape, _scale(builder, -4, 2))
        other = second(builder, second_shape, _related(builder, _only_scale(builder, first), -4, 2))
        largest = max(_only_scale(builder, i) for i in (first, other))
        output = builder.value(shape, _related(builder, largest, np.log10(largest) - 4, np.log10(largest) + 2))
        builder.operator(name, (first, other), output, fused_activation_function=builder.draw(ACTIVATIONS))

    return generate


def mul(builder: Builder) -> None:
    first_shape, second_shape, shape = broadcast_shapes(builder)
    first, other = builder.input(first_shape), second(builder, second_shape)
    product = _only_scale(builder, first) * _only_scale(builder, other)
    output = builder.value(shape, _related(builder, 32 * product, -3, 1))
    builder.operator("MUL", (first, other), output, fused_activation_function=builder.draw(ACTIVATIONS))


def compared(name: str) -> Callable[[Builder], None]:
    def generate(builder: Builder) -> None:
        first_shape, second_shape, shape = broadcast_shapes(builder)
        first, other = builder.input(first_shape), second(builder, second_shape)
        builder.operator(name, (first, other), builder.like(first, shape))

    return generate


def prelu(builder: Builder) -> None:
    shape = builder.draw(SHAPES)
    slope = tuple(size if builder.draw(st.booleans()) else 1 for size in shape)
    first, other = builder.input(shape), second(builder, slope)
    output = builder.value(shape, _related(builder, _only_scale(builder, first), -3, 1))
    builder.operator("PRELU", (first, other), output)


def unary(name: str, **options: float) -> Callable[[Builder], None]:
    def generate(builder: Builder) -> None:
        scale = _scale(builder, -5, 2)
        builder.input(builder.draw(SHAPES), scale)
        output = builder.value(builder.shape, _related(builder, scale, -5, 2))
        builder.operator(name, (builder.last,), output, **options)

    return generate


def leaky_relu(builder: Builder) -> None:
    alpha = builder.draw(st.sampled_from([0.01, 0.1, 0.2, 0.3, 1.0, 2.5, 0.0, -0.5]) | st.floats(-3, 3, width=32))
    unary("LEAKY_RELU", alpha=alpha)(builder)


def hard_swish(builder: Builder) -> None:
    """TFLM refuses an output scale below 1/128 of the input's."""
    scale = _scale(builder, -7, 3)
    builder.input(builder.draw(SHAPES), scale)
    builder.operator(
        "HARD_SWISH", (builder.last,), builder.value(builder.shape, scale * _related(builder, 1.0, -1.9, 4))
    )


def logistic(builder: Builder) -> None:
    builder.input(builder.draw(SHAPES), _scale(builder, -6, 2))
    builder.operator("LOGISTIC", (builder.last,), builder.value(builder.shape, 1 / 256, -128))


def quantize(builder: Builder) -> None:
    """From float to int8 and int16, and every pair of integers that TFLM knows."""
    pairs = ["float32 int8", "float32 int16", "int8 int8", "int8 uint8", "uint8 int8", "int8 int16", "int8 int32"]
    pairs += ["int16 int8", "int16 int16", "int16 int32", "int32 int8", "int32 int16"]
    source, target = builder.draw(st.sampled_from(pairs)).split()
    scale = _scale(builder, -5, 2)
    builder.input(builder.draw(SHAPES), scale, dtype=source)
    # Sometimes only the zero point changes. Much finer than the input's, TFLM's 32 bits overflow.
    factor = 1.0 if builder.draw(st.booleans()) else _related(builder, 20.0, -4 if source.endswith("int8") else 0, 4)
    builder.operator("QUANTIZE", (builder.last,), builder.value(builder.shape, scale * factor, dtype=target))


def dequantize(builder: Builder) -> None:
    dtype = builder.draw(st.sampled_from(["int8", "uint8", "int16"]))
    builder.input(builder.draw(SHAPES), _scale(builder, -6, 3), dtype=dtype)
    builder.operator("DEQUANTIZE", (builder.last,), builder.value(builder.shape, dtype="float32"))


def reduction(name: str) -> Callable[[Builder], None]:
    """Over some axes, counted from either end, some of them listed twice."""

    def generate(builder: Builder) -> None:
        shape = builder.draw(SHAPES)
        axes = builder.draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=4))
        keep = builder.draw(st.booleans())
        gone = {axis % len(shape) for axis in axes}
        output = tuple(1 if i in gone else n for i, n in enumerate(shape) if keep or i not in gone)
        scale = _scale(builder, -4, 1)
        first = builder.input(shape, scale)
        quantised = name in ("MEAN", "SUM")
        result = (
            builder.value(output, _related(builder, scale * 2.0 ** builder.draw(st.integers(0, 4)), -4, 2))
            if quantised
            else builder.like(first, output)
        )
        builder.operator(name, (first, builder.constant(axes)), result, keep_dims=keep)

    return generate


def arg(name: str) -> Callable[[Builder], None]:
    """Along any axis; few different values, so that equal ones compete."""

    def generate(builder: Builder) -> None:
        shape = builder.draw(SHAPES)
        axis = builder.draw(st.integers(-len(shape), len(shape) - 1))
        source = builder.input(shape, 0.5)
        if builder.draw(st.booleans()):
            source = builder.value(shape, 20.0, 0)
            builder.operator("QUANTIZE", (builder.last,), source)
        kept = tuple(size for at, size in enumerate(shape) if at != axis % len(shape))
        builder.operator(name, (source, builder.constant(axis)), builder.value(kept, dtype="int32"))

    return generate


def batch_matmul(builder: Builder) -> None:
    """Either input transposed, constant or broadcast along some batches."""
    rows, depth, columns = (builder.draw(st.integers(1, 12)) for _ in range(3))
    batches = builder.draw(st.lists(st.integers(1, 3), max_size=2).map(tuple))
    adjoint = builder.draw(st.booleans()), builder.draw(st.booleans())
    shapes = [(depth, rows) if adjoint[0] else (rows, depth), (columns, depth) if adjoint[1] else (depth, columns)]
    repeated = builder.draw(st.sampled_from(["neither", "first", "second"]))
    ones = (1,) * len(batches)
    first = builder.input((*(ones if repeated == "first" else batches), *shapes[0]))
    other = second(builder, (*(ones if repeated == "second" else batches), *shapes[1]))
    product = _only_scale(builder, first) * _only_scale(builder, other)
    output = builder.value((*batches, rows, columns), _related(builder, 64 * product, -3, 2))
    builder.operator("BATCH_MATMUL", (first, other), output, adj_x=adjoint[0], adj_y=adjoint[1])


def image(generate: Callable[[Builder], None]) -> Callable[[Builder], None]:
    """A model of an operator on an image."""

    def whole(builder: Builder) -> None:
        batches = builder.draw(st.sampled_from([1, 1, 1, 2, 3]))
        builder.input((batches, builder.draw(SIDES), builder.draw(SIDES), builder.draw(CHANNELS)))
        generate(builder)

    return whole


def grouped_conv_2d(builder: Builder) -> None:
    groups = builder.draw(st.sampled_from([1, 1, 1, 2, 3, 5]))
    depth = groups * builder.draw(st.integers(1, 6)) if groups > 1 else builder.draw(CHANNELS)
    builder.input((builder.draw(st.integers(1, 2)), builder.draw(SIDES), builder.draw(SIDES), depth))
    conv_2d(builder, groups)


def transpose_conv(builder: Builder) -> None:
    """Of the size that converters give the output, and of others: TFLM computes whatever the output tensor says."""
    padding = builder.draw(PADDINGS)
    height, width, depth = builder.draw(SIDES), builder.draw(SIDES), builder.draw(st.integers(1, 9))
    batches, channels = builder.draw(st.integers(1, 2)), builder.draw(st.integers(1, 9))
    kernel = [builder.draw(st.integers(1, 5)) for _ in range(2)]
    stride = [builder.draw(st.integers(1, 4)) for _ in range(2)]
    output = [
        size * step if padding == "SAME" else (size - 1) * step + taps
        for size, step, taps in zip((height, width), stride, kernel, strict=True)
    ]
    if padding == "VALID":
        output = [size + builder.draw(st.sampled_from([0, 0, 0, 1, 2])) for size in output]
    source = builder.input((batches, height, width, depth))
    weights = builder.weights((channels, *kernel, depth), 0, builder.draw(st.booleans()))
    shape = (batches, *output, channels)
    inputs = [builder.constant(shape), weights, source]
    if builder.draw(st.booleans()):
        inputs.append(builder.bias(channels, weights, optional=False))
    builder.operator(
        "TRANSPOSE_CONV",
        tuple(inputs),
        builder.value(shape),
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        fused_activation_function=builder.draw(ACTIVATIONS),
    )
    _assume_finite(builder, source, weights)


def dense(builder: Builder) -> None:
    """TFLM refuses a bias scale that rounding alone makes differ from the product of scales."""
    shape = builder.draw(st.lists(st.integers(1, 4), max_size=2).map(tuple))
    builder.input((*shape, builder.draw(st.integers(1, 200))))
    fully_connected(builder)
    source, weights = builder.operators[-1].inputs[:2]
    _assume_finite(builder, source, weights)


def softmax_of(name: str) -> Callable[[Builder], None]:
    """TFLM aborts where beta times the input scale is not above 2^-26, and where 512 or more values are near equal."""

    def generate(builder: Builder) -> None:
        rows = builder.draw(st.lists(st.integers(1, 4), max_size=3).map(tuple))
        depth = builder.draw(st.integers(1, 40) | st.integers(200, 511 if name == "SOFTMAX" else 1100))
        builder.input((*rows, depth), _scale(builder, -6, 2))
        if name == "LOG_SOFTMAX":
            builder.operator(name, (builder.last,), builder.value(builder.shape, 1 / 16, 127))
        elif builder.draw(st.booleans()):
            softmax(builder)
        else:
            output = builder.value(builder.shape, 1 / 65536, -32768, "int16")
            builder.operator(name, (builder.last,), output, beta=builder.draw(st.floats(0.25, 4, width=32)))

    return generate


def resize_bilinear(builder: Builder) -> None:
    """TFLM refuses align_corners together with half_pixel_centers."""
    size = builder.draw(SIDES | st.integers(1, 40)), builder.draw(SIDES | st.integers(1, 40))
    placed = builder.draw(st.sampled_from(["", "align_corners", "half_pixel_centers"]))
    source = builder.last
    batches, _, _, depth = builder.shape
    options = {option: option == placed for option in ("align_corners", "half_pixel_centers")}
    output = builder.like(source, (batches, *size, depth))
    builder.operator("RESIZE_BILINEAR", (source, builder.constant(size)), output, **options)


OPERATORS: dict[str, Callable[[Builder], None]] = {
    "ABS": unary("ABS"),
    "ADD": arithmetic("ADD"),
    "ARG_MAX": arg("ARG_MAX"),
    "ARG_MIN": arg("ARG_MIN"),
    "AVERAGE_POOL_2D": image(lambda builder: pool_2d(builder, "AVERAGE_POOL_2D")),
    "BATCH_MATMUL": batch_matmul,
    "CONV_2D": grouped_conv_2d,
    "DEPTHWISE_CONV_2D": image(depthwise_conv_2d),
    "DEQUANTIZE": dequantize,
    "ELU": unary("ELU"),
    "FULLY_CONNECTED": dense,
    "HARD_SWISH": hard_swish,
    "LEAKY_RELU": leaky_relu,
    "LOG_SOFTMAX": softmax_of("LOG_SOFTMAX"),
    "LOGISTIC": logistic,
    "MAX_POOL_2D": image(lambda builder: pool_2d(builder, "MAX_POOL_2D")),
    "MAXIMUM": compared("MAXIMUM"),
    "MEAN": reduction("MEAN"),
    "MINIMUM": compared("MINIMUM"),
    "MUL": mul,
    "PRELU": prelu,
    "QUANTIZE": quantize,
    "REDUCE_MAX": reduction("REDUCE_MAX"),
    "REDUCE_MIN": reduction("REDUCE_MIN"),
    "RELU": unary("RELU"),
    "RELU6": unary("RELU6"),
    "RESIZE_BILINEAR": image(resize_bilinear),
    "SOFTMAX": softmax_of("SOFTMAX"),
    "SUB": arithmetic("SUB"),
    "SUM": reduction("SUM"),
    "TANH": unary("TANH"),
    "TRANSPOSE_CONV": transpose_conv,
}


@st.composite
def single(draw: Draw, name: str) -> Graph:
    """A model of the one operator `name`."""
    builder = Builder(draw)
    OPERATORS[name](builder)
    return builder.graph()
