"""RESIZE_BILINEAR in fixed point: positions in 1024ths of a pixel, computed as TFLM's reference resize_bilinear.h does.

The quantisation of input and output is not looked at: the integers themselves are interpolated.
"""

from __future__ import annotations

import numpy as np

from tinympy.reference.arithmetic import Int64s
from tinympy.reference.node import Array, Node

POSITION_BITS = 10
_ONE = 1 << POSITION_BITS


def resize_bilinear(node: Node) -> list[Array]:
    """Inputs: images, (height, width)."""
    node.require_dtype("int8", 0)
    images, size = node.input(0), node.integers(1)
    node.require(
        images.ndim == 4 and len(size) == 2 and min(size) > 0, f"images of shape {images.shape} to size {size}"
    )
    align, centres = bool(node.options.get("align_corners")), bool(node.options.get("half_pixel_centers"))
    node.require(not (align and centres), "align_corners and half_pixel_centers exclude each other")
    (top, bottom, row), (left, right, column) = (
        _between(images.shape[1 + i], size[i], position_step(images.shape[1 + i], size[i], align), centres)
        for i in range(2)
    )
    row, column = row[None, :, None, None], column[None, None, :, None]
    wide = images.astype(np.int64)
    upper = wide[:, top][:, :, left] * (_ONE - column) + wide[:, top][:, :, right] * column
    lower = wide[:, bottom][:, :, left] * (_ONE - column) + wide[:, bottom][:, :, right] * column
    total = upper * (_ONE - row) + lower * row
    half = 1 << (2 * POSITION_BITS - 1)
    rounded = np.sign(total) * ((np.abs(total) + half) >> (2 * POSITION_BITS))
    return [rounded.astype(np.int8)]


def position_step(inputs: int, outputs: int, align_corners: bool) -> int:
    """From one output position to the next, in 1024ths of an input position."""
    if align_corners and outputs > 1:
        return (_ONE * (inputs - 1) + (outputs - 1) // 2) // (outputs - 1)
    return (_ONE * inputs + outputs // 2) // outputs


def last_position(outputs: int, step: int, half_pixel_centers: bool) -> int:
    """Of the last output, in 1024ths of an input position."""
    return (outputs - 1) * step + (step // 2 - _ONE // 2 if half_pixel_centers else 0)


def _between(inputs: int, outputs: int, step: int, half_pixel_centers: bool) -> tuple[Int64s, Int64s, Int64s]:
    """For each output position the input positions before and behind it, and the distance from the former."""
    position = np.arange(outputs, dtype=np.int64) * step + last_position(1, step, half_pixel_centers)
    first = np.maximum(position, 0) >> POSITION_BITS
    second = np.minimum((position + _ONE - 1) >> POSITION_BITS, inputs - 1)
    return first, second, position - (first << POSITION_BITS)
