"""A network with an operation of each kernel, and ways to damage its program, one violation at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from program_view import Loop, ProgramView
from tinympy.model.graph import Graph, Operator, Quantization, Tensor

NAMES = (
    *("hidden state", "cell state", "memory"),
    *("convolution", "pointwise", "depthwise", "average pool", "dense", "softmax", "max pool", "constant", "add"),
    *("lookup", "reduce", "transpose", "fill", "pad", "gather", "log softmax", "svdf", "lstm"),
    *("resize", "quantise", "arg", "product"),
)
"""The operations of `network`, in order."""
OPERATIONS = range(len(NAMES))
_, _, _, *_COMPUTING = OPERATIONS
CONV, POINTWISE, DEPTHWISE, AVERAGE_POOL, DENSE, SOFTMAX, MAX_POOL, CONSTANT, ADD, *_REST = _COMPUTING
LOOKUP, REDUCE, TRANSPOSE, FILL, PAD, GATHER, LOG_SOFTMAX, SVDF, LSTM, RESIZE, QUANTISE, ARG, PRODUCT = _REST

Damage = Callable[[ProgramView], None]


class _Tensors(list[Tensor]):
    def new(self, *shape: int, scale: float = 0.5, zero_point: int = 0, **fields: Any) -> int:
        fields = {"dtype": "int8", "quantization": Quantization.per_tensor(scale, zero_point), **fields}
        self.append(Tensor(f"t{len(self)}", shape, **fields))
        return len(self) - 1

    def weights(self, *shape: int, dtype: str = "int8") -> int:
        data = (np.arange(np.prod(shape)) % 7 - 3).astype(dtype).reshape(shape)
        return self.new(*shape, scale=0.1, dtype=dtype, data=data)

    def numbers(self, *values: Any) -> int:
        data = np.array(values, np.int32)
        return self.new(*data.shape, dtype="int32", data=data)


def network() -> Graph:
    """4x4x2 → convolution 3x3 → convolution 1x1 → depthwise 3x3 → pool 2x2 → 3 classes → softmax; and, from the input,
    the operators that compute, move or remember values one by one."""
    t = _Tensors()
    same: dict[str, Any] = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    halves: dict[str, Any] = {"padding": "VALID", "stride_h": 2, "stride_w": 2, "filter_height": 2, "filter_width": 2}
    first = t.new(1, 4, 4, 2)
    conv, pointwise, depthwise = t.new(1, 4, 4, 4), t.new(1, 4, 4, 4), t.new(1, 4, 4, 8)
    pool, dense, flat, steps = t.new(1, 2, 2, 8), t.new(4, 3), t.new(1, 32), t.new(1, 4, 8)
    hidden, cell = t.new(1, 3, is_variable=True), t.new(1, 3, scale=2.0**-11, dtype="int16", is_variable=True)
    filters = (t.weights(6, 32), t.weights(6, 5, dtype="int16"))
    memory = t.new(1, 30, scale=0.1, dtype="int16", is_variable=True)
    unit_bias = t.new(3, scale=0.01, dtype="int32", data=np.arange(3, dtype=np.int32))
    gates = [t.weights(3, 8) for _ in range(4)] + [t.weights(3, 3) for _ in range(4)]
    gate_bias = t.numbers(1, 2, 3)
    outputs = (
        t.new(4, 3, scale=1 / 256, zero_point=-128),
        t.new(1, 2, 2, 2),
        t.new(1, 4, 4, 2),
        t.new(1, 4, 4, 2, scale=1 / 256, zero_point=-128),
        t.new(1, 2),
        t.new(4, 2, 1, 4),
        t.new(1, 6, 4, 2),
        t.new(1, 5, 7, 2),
        t.new(1, 32, scale=1 / 16, zero_point=127),
        t.new(1, 3),
        t.new(1, 4, 3),
        t.new(1, 7, 5, 2),
        t.new(1, 4, 4, 2, scale=0.1, dtype="int32"),
        t.new(1, 4, 2, dtype="int32", quantization=None),
        t.new(1, 4, 4),
    )
    lstm = (steps, *gates, -1, -1, -1, *[gate_bias] * 4, -1, -1, hidden, cell, -1, -1, -1, -1)
    operators = (
        Operator("CONV_2D", (first, t.weights(4, 3, 3, 2), -1), (conv,), same),
        Operator("CONV_2D", (conv, t.weights(4, 1, 1, 4), -1), (pointwise,), same),
        Operator("DEPTHWISE_CONV_2D", (pointwise, t.weights(1, 3, 3, 8), -1), (depthwise,), same),
        Operator("AVERAGE_POOL_2D", (depthwise,), (pool,), halves),
        Operator("FULLY_CONNECTED", (pool, t.weights(3, 8), -1), (dense,)),
        Operator("SOFTMAX", (dense,), outputs[:1], {"beta": 1.0}),
        Operator("MAX_POOL_2D", (first,), outputs[1:2], halves),
        Operator("ADD", (first, t.weights(2)), outputs[2:3]),
        Operator("LOGISTIC", (first,), outputs[3:4]),
        Operator("MEAN", (first, t.numbers(1, 2)), outputs[4:5]),
        Operator("TRANSPOSE", (first, t.numbers(2, 3, 0, 1)), outputs[5:6]),
        Operator("PAD", (first, t.numbers([0, 0], [1, 1], [0, 0], [0, 0])), outputs[6:7]),
        Operator("RESIZE_NEAREST_NEIGHBOR", (first, t.numbers(5, 7)), outputs[7:8]),
        Operator("RESHAPE", (first,), (flat,)),
        Operator("LOG_SOFTMAX", (flat,), outputs[8:9]),
        Operator("SVDF", (flat, *filters, unit_bias, memory), outputs[9:10], {"rank": 2}),
        Operator("RESHAPE", (first,), (steps,)),
        Operator(
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            lstm,
            outputs[10:11],
            {"fused_activation_function": "TANH", "cell_clip": 10.0},
        ),
        Operator("RESIZE_BILINEAR", (first, t.numbers(7, 5)), outputs[11:12]),
        Operator("QUANTIZE", (first,), outputs[12:13]),
        Operator("ARG_MAX", (first, t.numbers(2)), outputs[13:14]),
        Operator("BATCH_MATMUL", (steps, steps), outputs[14:], {"adj_y": True}),
    )
    return Graph(tuple(t), operators, (first,), outputs)


def header(**fields: int) -> Damage:
    return lambda view: change(view.header, fields)


def tensor(**fields: int) -> Damage:
    return lambda view: change(view.tensors[1], fields)


def operation(index: int, **fields: int) -> Damage:
    return lambda view: change(view.operations[index], fields)


def parameters(index: int, kernel: str, **fields: int) -> Damage:
    return lambda view: change(getattr(view.operations[index], kernel), fields)


def window(index: int, **fields: int) -> Damage:
    return parameters(index, "window", **fields)


def side(dimension: int) -> Damage:
    """One of the sides of what is added has no elements."""

    def damage(view: ProgramView) -> None:
        view.operations[ADD].elementwise.shape[dimension] = 0

    return damage


def constant(index: int, at: int, value: int, width: int) -> Damage:
    """Another number of `width` bytes in an operation's constants."""

    def damage(view: ProgramView) -> None:
        begin = view.constants_at(index) + at
        view.content[begin : begin + width] = value.to_bytes(width, "little", signed=value < 0)

    return damage


def loops(index: int, *given: tuple[int, int, int], element_bytes: int = 1) -> Damage:
    """A copy with these loops: count, input stride, output stride."""

    def damage(view: ProgramView) -> None:
        change(view.operations[index].copy, {"loops": len(given), "element_bytes": element_bytes})
        for level, (count, input_stride, output_stride) in enumerate(given):
            loop = Loop.from_buffer(view.content, view.constants_at(index) + level * ctypes.sizeof(Loop))
            loop.count, loop.input_stride, loop.output_stride = count, input_stride, output_stride

    return damage


def constants_left(index: int, bytes_left: int) -> Damage:
    """From the operation's constants to the end of their tile it is at most so far, and up to 3 bytes less."""

    def damage(view: ProgramView) -> None:
        tile_bytes = view.tile_entries[view.operations[index].tile].bytes
        view.operations[index].constants = (tile_bytes - bytes_left + 3) // 4 * 4

    return damage


def tile(**fields: int) -> Damage:
    return lambda view: change(view.tile(0), fields)


def tile_entry(**fields: int) -> Damage:
    return lambda view: change(view.tile_entries[0], fields)


def change(structure: ctypes.Structure, fields: dict[str, int]) -> None:
    for name, value in fields.items():
        assert hasattr(structure, name)
        setattr(structure, name, value)


def damage_to(program: bytes, damage: Damage) -> bytes:
    view = ProgramView(program)
    damage(view)
    assert bytes(view) != program
    return bytes(view)
