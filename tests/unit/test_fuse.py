"""Fusing: a PAD goes into the convolutions behind it where that is exact, and stays where it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tinympy.compiler import compile_model
from tinympy.compiler.fuse import fuse
from tinympy.compiler.window import PADDED
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

QUANTIZED = Quantization.per_tensor(0.5, -3)
WIDTHS = [[0, 0], [1, 0], [2, 1], [0, 0]]


def padded(widths: list[list[int]] = WIDTHS, value: int | None = None, side: int = 3, **tensor: Any) -> Graph:
    """8 x 8 x 4 → PAD, or PADV2 with a `value` → CONV_2D of stride 2; `tensor` changes the padded image's."""
    shape = tuple(size + sum(added) for size, added in zip((1, 8, 8, 4), widths, strict=True))
    output = (1, (shape[1] - side) // 2 + 1, (shape[2] - side) // 2 + 1, 4)
    weights = np.ones((4, side, side, shape[3]), np.int8)
    tensors = [
        Tensor("input", (1, 8, 8, 4), "int8", QUANTIZED),
        replace(Tensor("padded", shape, "int8", QUANTIZED), **tensor),
        Tensor("output", output, "int8", QUANTIZED),
        Tensor("widths", (4, 2), "int32", data=np.array(widths, np.int32)),
        Tensor("weights", weights.shape, "int8", Quantization.per_tensor(0.1), weights),
        Tensor("value", (1,), "int8", QUANTIZED, np.array([value or 0], np.int8)),
    ]
    pad = Operator("PAD", (0, 3), (1,)) if value is None else Operator("PADV2", (0, 3, 5), (1,))
    strides = {"padding": "VALID", "stride_h": 2, "stride_w": 2}
    return Graph(tuple(tensors), (pad, Operator("CONV_2D", (1, 4, -1), (2,), strides)), (0,), (2,))


@pytest.mark.parametrize("value", [None, -3])
def test_a_pad_is_taken_over(value: int | None) -> None:
    graph = fuse(padded(value=value))
    assert graph.folded == {0}
    assert graph.operators[1].inputs[0] == 0
    assert graph.operators[1].options[PADDED] == ((1, 0), (2, 1))


def test_the_padded_image_takes_no_memory() -> None:
    graph = padded()
    apart = compile_model(write(replace(graph, outputs=(2, 1))))
    together = compile_model(write(graph))
    assert [operation.operator for operation in together.lowered.operations] == [1]
    assert together.arena.bytes <= apart.arena.bytes - graph.tensors[1].elements


@pytest.mark.parametrize(
    ("why", "graph"),
    [
        ("another value", padded(value=0)),
        ("channels as well", padded([[0, 0], [1, 0], [0, 0], [0, 4]])),
        ("a window that misses the image above", padded([[0, 0], [3, 0], [0, 0], [0, 0]])),
        ("a window that misses the image on the right", padded([[0, 0], [0, 0], [0, 5], [0, 0]])),
        ("quantised anew", padded(quantization=Quantization.per_tensor(0.25, -3))),
        ("another shape", padded(shape=(1, 9, 12, 4))),
        ("the model's own output", replace(padded(), outputs=(2, 1))),
        (
            "read by another operator too",
            replace(padded(), operators=(*padded().operators, Operator("RELU", (1,), ()))),
        ),
        ("in front of nothing", replace(padded(), operators=padded().operators[:1])),
        ("behind the convolution", replace(padded(), operators=padded().operators[::-1])),
        ("without an output", replace(padded(), operators=(Operator("PAD", (0, 3), ()), *padded().operators[1:]))),
        ("of what nothing computes", replace(padded(), inputs=())),
    ],
)
def test_a_pad_stays(why: str, graph: Graph) -> None:
    assert fuse(graph) == graph, why
