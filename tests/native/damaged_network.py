"""A network of one operation of each kernel, and ways to damage its program field by field."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from program_view import Loop, ProgramView
from tinympy.compiler.graph import Graph, Operator, Quantization, Tensor

NAMES = (
    *("CONV", "POINTWISE", "DEPTHWISE", "AVERAGE_POOL", "DENSE", "SOFTMAX", "MAX_POOL", "CONSTANT", "ADD", "LOOKUP"),
    *("REDUCE", "TRANSPOSED", "FILL", "PADDED", "GATHER"),
)
"""The operations of `network`, in order."""
OPERATIONS = range(len(NAMES))
CONV, POINTWISE, DEPTHWISE, POOL, DENSE, SOFTMAX, MAX_POOL, CONSTANT, ADD, LOOKUP, *OTHERS = OPERATIONS
REDUCE, TRANSPOSED, FILL, PADDED, GATHER = OTHERS

Damage = Callable[[ProgramView], None]


def network() -> Graph:
    """One of each: 4x4x2 → convolution 3x3 → convolution 1x1 → depthwise 3x3 → pool 2x2 → 3 classes → softmax; and,
    from the input, the operators that compute or move values one by one."""
    tensors: list[Tensor] = []

    def activation(*shape: int, quantization: Quantization | None = None) -> int:
        quantization = quantization or Quantization.per_tensor(0.5)
        tensors.append(Tensor(f"t{len(tensors)}", shape, "int8", quantization))
        return len(tensors) - 1

    def weights(*shape: int) -> int:
        data = (np.arange(np.prod(shape)) % 7 - 3).astype(np.int8).reshape(shape)
        tensors.append(Tensor(f"w{len(tensors)}", shape, "int8", Quantization.per_tensor(0.1), data))
        return len(tensors) - 1

    def numbers(*values: Any) -> int:
        data = np.array(values, np.int32)
        tensors.append(Tensor(f"c{len(tensors)}", data.shape, "int32", data=data))
        return len(tensors) - 1

    same: dict[str, Any] = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    halves: dict[str, Any] = {"padding": "VALID", "stride_h": 2, "stride_w": 2, "filter_height": 2, "filter_width": 2}
    first = activation(1, 4, 4, 2)
    conv, pointwise, depthwise = activation(1, 4, 4, 4), activation(1, 4, 4, 4), activation(1, 4, 4, 8)
    pool, dense = activation(1, 2, 2, 8), activation(4, 3)
    probabilities = Quantization.per_tensor(1 / 256, -128)
    softmax = activation(4, 3, quantization=probabilities)
    max_pool, added, logistic = activation(1, 2, 2, 2), activation(1, 4, 4, 2), activation(1, 4, 4, 2, quantization=probabilities)
    mean, transposed, padded, resized = activation(1, 2), activation(4, 2, 1, 4), activation(1, 6, 4, 2), activation(1, 5, 7, 2)
    operators = (
        Operator("CONV_2D", (first, weights(4, 3, 3, 2), -1), (conv,), same),
        Operator("CONV_2D", (conv, weights(4, 1, 1, 4), -1), (pointwise,), same),
        Operator("DEPTHWISE_CONV_2D", (pointwise, weights(1, 3, 3, 8), -1), (depthwise,), same),
        Operator("AVERAGE_POOL_2D", (depthwise,), (pool,), halves),
        Operator("FULLY_CONNECTED", (pool, weights(3, 8), -1), (dense,)),
        Operator("SOFTMAX", (dense,), (softmax,), {"beta": 1.0}),
        Operator("MAX_POOL_2D", (first,), (max_pool,), halves),
        Operator("ADD", (first, weights(2)), (added,)),
        Operator("LOGISTIC", (first,), (logistic,)),
        Operator("MEAN", (first, numbers(1, 2)), (mean,)),
        Operator("TRANSPOSE", (first, numbers(2, 3, 0, 1)), (transposed,)),
        Operator("PAD", (first, numbers([0, 0], [1, 1], [0, 0], [0, 0])), (padded,)),
        Operator("RESIZE_NEAREST_NEIGHBOR", (first, numbers(5, 7)), (resized,)),
    )
    outputs = (softmax, max_pool, added, logistic, mean, transposed, padded, resized)
    return Graph(tuple(tensors), operators, (first,), outputs)


def header(**fields: int) -> Damage:
    return lambda view: change(view.header, fields)


def tensor(**fields: int) -> Damage:
    return lambda view: change(view.tensors[1], fields)


def operation(index: int, **fields: int) -> Damage:
    return lambda view: change(view.operations[index], fields)


def window(index: int, **fields: int) -> Damage:
    return lambda view: change(view.operations[index].window, fields)


def parameters(index: int, kernel: str, **fields: int) -> Damage:
    return lambda view: change(getattr(view.operations[index], kernel), fields)


def side(dimension: int) -> Damage:
    """One of ADD's dimensions has no elements."""

    def damage(view: ProgramView) -> None:
        view.operations[ADD].elementwise.shape[dimension] = 0

    return damage


def constant(index: int, at: int, value: int, width: int) -> Damage:
    def damage(view: ProgramView) -> None:
        begin = view.constants_at(index) + at
        view.content[begin : begin + width] = value.to_bytes(width, "little", signed=True)

    return damage


def loops(index: int, *given: tuple[int, int, int], element_bytes: int = 1) -> Damage:
    """A copy with these loops: count, input stride, output stride."""

    def damage(view: ProgramView) -> None:
        change(view.operations[index].copy, {"loops": len(given), "element_bytes": element_bytes})
        for level, fields in enumerate(given):
            at = view.constants_at(index) + level * ctypes.sizeof(Loop)
            change(Loop.from_buffer(view.content, at), dict(zip(("count", "input_stride", "output_stride"), fields, strict=True)))

    return damage


def near_the_end(index: int, bytes_left: int) -> Damage:
    """The operation's constants begin so many bytes before the end of their tile."""

    def damage(view: ProgramView) -> None:
        tile_bytes = view.tile_entries[view.operations[index].tile].bytes
        view.operations[index].constants = (tile_bytes - bytes_left) & ~3

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
