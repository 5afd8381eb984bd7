"""Operators that rearrange images by blocks of pixels, or repeat pixels.

Sources: TFLM's resize_nearest_neighbor.cc, space_to_batch_nd.cc, batch_to_space_nd.cc, space_to_depth.cc,
depth_to_space.cc and the reference headers that they call.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinympy.reference.node import Array, Node


def resize_nearest_neighbor(node: Node) -> list[Array]:
    """Inputs: images, (height, width)."""
    images, size = node.input(0), node.integers(1)
    node.require(
        images.ndim == 4 and len(size) == 2 and min(size) > 0, f"images of shape {images.shape} to size {size}"
    )
    rows, columns = (_nearest(node, images.shape[1 + i], size[i]) for i in range(2))
    return [images[:, rows][:, :, columns]]


def _nearest(node: Node, count: int, outputs: int) -> npt.NDArray[np.int64]:
    """For each output position the input position, computed in single precision."""
    align = bool(node.options.get("align_corners", False))
    centres = bool(node.options.get("half_pixel_centers", False))
    spread = align and outputs > 1
    scale = np.float32(count - 1 if spread else count) / np.float32(outputs - 1 if spread else outputs)
    position = (np.arange(outputs, dtype=np.float32) + np.float32(0.5 if centres else 0)) * scale
    rounded = np.floor(position.astype(np.float64) + (0.5 if align else 0))
    return np.minimum(rounded, count - 1).astype(np.int64)


def space_to_batch_nd(node: Node) -> list[Array]:
    """Inputs: images, block shape, paddings.

    Padding has the integer 0, whatever the zero point: TFLM takes it from memory that it never sets, which is 0 in a
    fresh arena.
    """
    images, block = node.input(0), node.integers(1)
    paddings = _pairs(node, images.ndim)
    node.require(min(min(pair) for pair in paddings) >= 0, "a negative padding")
    padded = np.pad(images, [(0, 0), *paddings, (0, 0)])
    axes = range(len(block))
    spatial = [n for size, step in zip(padded.shape[1:], block, strict=False) for n in (size // step, step)]
    parts = padded.reshape(len(images), *spatial, images.shape[-1])
    order = [*(2 + 2 * i for i in axes), 0, *(1 + 2 * i for i in axes), parts.ndim - 1]
    moved = parts.transpose(order)
    return [moved.reshape(-1, *moved.shape[len(block) + 1 :])]


def batch_to_space_nd(node: Node) -> list[Array]:
    """Inputs: images, block shape, crops."""
    images, block = node.input(0), node.integers(1)
    crops = _pairs(node, images.ndim)
    node.require(min(min(pair) for pair in crops) >= 0, "a negative crop")
    axes = range(len(block))
    parts = images.reshape(*block, -1, *images.shape[1:])
    order = [len(block), *(n for i in axes for n in (len(block) + 1 + i, i)), parts.ndim - 1]
    moved = parts.transpose(order)
    sizes = [size * step for size, step in zip(images.shape[1:], block, strict=False)]
    whole = moved.reshape(len(moved), *sizes, images.shape[-1])
    kept = [slice(first, size - last) for size, (first, last) in zip(sizes, crops, strict=True)]
    return [whole[(slice(None), *kept)]]


def _pairs(node: Node, dimensions: int) -> list[tuple[int, int]]:
    """Paddings or crops of each dimension between batch and channels; TFLM knows one or two of those."""
    block, numbers = node.integers(1), node.integers(2)
    node.require(dimensions in (3, 4), f"images of {dimensions} dimensions")
    node.require(
        len(block) == dimensions - 2 and len(numbers) == 2 * len(block) and min(block) > 0,
        f"block {block} for images of {dimensions} dimensions",
    )
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def space_to_depth(node: Node) -> list[Array]:
    images, size = _images(node)
    batches, height, width, depth = images.shape
    node.require(height % size == 0 and width % size == 0, f"blocks of {size} from shape {images.shape}")
    parts = images.reshape(batches, height // size, size, width // size, size, depth)
    return [parts.transpose(0, 1, 3, 2, 4, 5).reshape(batches, height // size, width // size, -1)]


def depth_to_space(node: Node) -> list[Array]:
    images, size = _images(node)
    batches, height, width, depth = images.shape
    node.require(depth % (size * size) == 0, f"blocks of {size} from shape {images.shape}")
    parts = images.reshape(batches, height, width, size, size, -1)
    return [parts.transpose(0, 1, 3, 2, 4, 5).reshape(batches, height * size, width * size, -1)]


def _images(node: Node) -> tuple[Array, int]:
    images, size = node.input(0), node.options.get("block_size", 0)
    node.require(images.ndim == 4 and size > 0, f"blocks of {size} from shape {images.shape}")
    return images, size
