"""Models of one operator each on numbers that are not quantised, as constant folding meets them: see `generated`."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from generated import ACTIVATIONS, Builder, Draw
from generated_simple import SHAPES, broadcast_shapes
from tinympy.model.graph import Graph


def int32(name: str) -> Callable[[Builder], None]:
    def generate(builder: Builder) -> None:
        first_shape, second_shape, shape = broadcast_shapes(builder)
        inputs = builder.input(first_shape, dtype="int32"), builder.input(second_shape, dtype="int32")
        options = {"fused_activation_function": builder.draw(ACTIVATIONS)} if name in ("ADD", "SUB", "MUL") else {}
        builder.operator(name, inputs, builder.value(shape, dtype="int32"), **options)

    return generate


def cast(builder: Builder) -> None:
    """Not from float to what does not hold it: there TFLM's result is undefined."""
    source = builder.draw(st.sampled_from(["int8", "int16", "int32", "float32", "bool"]))
    target = builder.draw(st.sampled_from(["int32", "float32"] if source == "float32" else ["int8", "int16", "int32"]))
    builder.input(builder.draw(SHAPES), dtype=source)
    builder.operator("CAST", (builder.last,), builder.value(builder.shape, dtype=target))


def fill(builder: Builder) -> None:
    dtype, shape = builder.draw(st.sampled_from(["int8", "int32", "float32"])), builder.draw(SHAPES)
    value = builder.input((), dtype=dtype)
    builder.operator("FILL", (builder.constant(shape), value), builder.value(shape, dtype=dtype))


def zeros_like(builder: Builder) -> None:
    first = builder.input(builder.draw(SHAPES), dtype=builder.draw(st.sampled_from(["int8", "int32", "float32"])))
    builder.operator("ZEROS_LIKE", (first,), builder.like(first))


def neg(builder: Builder) -> None:
    """TFLM has no other NEG."""
    first = builder.input(builder.draw(SHAPES), dtype="float32")
    builder.operator("NEG", (first,), builder.like(first))


OPERATORS: dict[str, Callable[[Builder], None]] = {
    "ADD": int32("ADD"),
    "CAST": cast,
    "FILL": fill,
    "MAXIMUM": int32("MAXIMUM"),
    "MINIMUM": int32("MINIMUM"),
    "MUL": int32("MUL"),
    "NEG": neg,
    "SUB": int32("SUB"),
    "ZEROS_LIKE": zeros_like,
}


@st.composite
def single(draw: Draw, name: str) -> Graph:
    """A model of the one operator `name`."""
    builder = Builder(draw)
    OPERATORS[name](builder)
    return builder.graph()
