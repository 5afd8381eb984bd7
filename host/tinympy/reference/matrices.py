"""BATCH_MATMUL: products of matrices, neither of which need be constant. Source: TFLM's batch_matmul.cc."""

from __future__ import annotations

import numpy as np

from tinympy.model.quantise import quantise_multiplier, scale_of
from tinympy.reference.arithmetic import Int64s, multiply_quantised, wrap
from tinympy.reference.node import Array, Node

MAX_RANK = 5


def batch_matmul(node: Node) -> list[Array]:
    """Inputs: (…, rows, depth), or (…, depth, rows) with `adj_x`; (…, depth, columns), or transposed with `adj_y`."""
    node.require_dtype("int8", 0, 1)
    first, second = (_matrices(node, position, option) for position, option in ((0, "adj_x"), (1, "adj_y")))
    factor = float(scale_of(node.tensor(0))) * float(scale_of(node.tensor(1))) / float(scale_of(node.output))
    multiplier, shift = quantise_multiplier(factor)
    node.require(shift <= 30, "its output scale is too small for its inputs' scales")
    return [node.quantised(multiply_quantised(wrap(first @ second), multiplier, shift))]


def _matrices(node: Node, position: int, adjoint: str) -> Int64s:
    values = node.centred(position)
    node.require(2 <= values.ndim <= MAX_RANK, f"input {position} has shape {values.shape}")
    return np.swapaxes(values, -1, -2) if node.options.get(adjoint) else values
