"""AVERAGE_POOL_2D and MAX_POOL_2D: input and output share their quantisation.

Sources: TFLM's pooling_common.cc and the reference header integer_ops/pooling.h.
"""

from __future__ import annotations

import numpy as np

from tinympy.model.quantise import activation_range, scale_of, zero_point_of
from tinympy.reference.node import Array, Node
from tinympy.reference.window import Window

# TFLM accepts scales that differ by this much.
SCALE_TOLERANCE = 1e-6


def average_pool_2d(node: Node) -> list[Array]:
    """Positions outside the image do not count; the mean is rounded, halves away from zero."""
    window = _window(node)
    image = node.input(0).astype(np.int64)
    inside = np.ones((1, *image.shape[1:3], 1), np.int64)
    total = sum(tap for _, _, tap in window.taps(image, 0))
    count = sum(tap for _, _, tap in window.taps(inside, 0))
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return [_clamped(node, mean)]


def max_pool_2d(node: Node) -> list[Array]:
    window = _window(node)
    return [_clamped(node, np.maximum.reduce([tap for _, _, tap in window.taps(node.input(0), -128)]))]


def _window(node: Node) -> Window:
    node.require_dtype("int8", 0)
    image, output = node.tensor(0), node.output
    node.require(
        abs(float(scale_of(image) - scale_of(output))) <= SCALE_TOLERANCE
        and zero_point_of(image) == zero_point_of(output),
        "input and output must share scale and zero point",
    )
    window = Window.of(node, image, (node.options.get("filter_height", 0), node.options.get("filter_width", 0)))
    window.require_output(node, image.shape[3])
    return window


def _clamped(node: Node, values: Array) -> Array:
    low, high = activation_range(node.options.get("fused_activation_function", "NONE"), node.output)
    return np.clip(values, low, high).astype(np.int8)
