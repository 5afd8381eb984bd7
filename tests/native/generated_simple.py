"""Models of one operator each, element by element: see `generated` for what they are drawn by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from generated import ACTIVATIONS, Builder, Draw
from tinympy.compiler.graph import Graph

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


def _scale(builder: Builder, low: float, high: float) -> float:
    """Evenly among the magnitudes from 10^low to 10^high, powers of two among them."""
    exponent = builder.draw(st.floats(low, high))
    if builder.draw(st.integers(0, 4)) == 0:
        return float(2.0 ** round(exponent * 3.3219))
    return float(np.float32(10.0**exponent))


def arithmetic(name: str) -> Callable[[Builder], None]:
    """ADD, SUB: TFLM aborts where the larger input scale is 2^19 or more times the output's."""

    def generate(builder: Builder) -> None:
        first_shape, second_shape, shape = broadcast_shapes(builder)
        first = builder.input(first_shape, _scale(builder, -4, 2))
        other = second(builder, second_shape, _scale(builder, -4, 2))
        largest = max(float(builder.tensors[i].quantization.scale[0]) for i in (first, other))  # type: ignore[union-attr]
        output = builder.value(shape, largest * _scale(builder, -4, 2))
        builder.operator(name, (first, other), output, fused_activation_function=builder.draw(ACTIVATIONS))

    return generate


def mul(builder: Builder) -> None:
    first_shape, second_shape, shape = broadcast_shapes(builder)
    first, other = builder.input(first_shape), second(builder, second_shape)
    builder.operator(
        "MUL", (first, other), builder.value(shape), fused_activation_function=builder.draw(ACTIVATIONS)
    )


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
    builder.operator("PRELU", (first, other), builder.value(shape))


def unary(name: str, **options: float) -> Callable[[Builder], None]:
    def generate(builder: Builder) -> None:
        builder.input(builder.draw(SHAPES), _scale(builder, -5, 2))
        builder.operator(name, (builder.last,), builder.value(builder.shape, _scale(builder, -5, 2)), **options)

    return generate


def leaky_relu(builder: Builder) -> None:
    alpha = builder.draw(st.sampled_from([0.01, 0.1, 0.2, 0.3, 1.0, 2.5, 0.0, -0.5]) | st.floats(-3, 3, width=32))
    unary("LEAKY_RELU", alpha=alpha)(builder)


def hard_swish(builder: Builder) -> None:
    """TFLM refuses an output scale below 1/128 of the input's."""
    scale = _scale(builder, -7, 3)
    builder.input(builder.draw(SHAPES), scale)
    builder.operator("HARD_SWISH", (builder.last,), builder.value(builder.shape, scale * _scale(builder, -2, 4)))


def logistic(builder: Builder) -> None:
    builder.input(builder.draw(SHAPES), _scale(builder, -6, 2))
    builder.operator("LOGISTIC", (builder.last,), builder.value(builder.shape, 1 / 256, -128))


OPERATORS: dict[str, Callable[[Builder], None]] = {
    "ABS": unary("ABS"),
    "ADD": arithmetic("ADD"),
    "ELU": unary("ELU"),
    "HARD_SWISH": hard_swish,
    "LEAKY_RELU": leaky_relu,
    "LOGISTIC": logistic,
    "MAXIMUM": compared("MAXIMUM"),
    "MINIMUM": compared("MINIMUM"),
    "MUL": mul,
    "PRELU": prelu,
    "RELU": unary("RELU"),
    "RELU6": unary("RELU6"),
    "SUB": arithmetic("SUB"),
    "TANH": unary("TANH"),
}


@st.composite
def single(draw: Draw, name: str) -> Graph:
    """A model of the one operator `name`."""
    builder = Builder(draw)
    OPERATORS[name](builder)
    return builder.graph()
