"""The window that slides over height and width of an image (TensorFlow Lite's `padding.h`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinympy.model.graph import Tensor
from tinympy.reference.node import Array, Node


@dataclass(frozen=True)
class Axis:
    """One of the two axes along which the window slides."""

    size: int
    kernel: int
    stride: int
    dilation: int
    same: bool

    @property
    def reach(self) -> int:
        """Positions from the window's first tap to its last, both included."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def outputs(self) -> int:
        covered = self.size if self.same else self.size - self.reach + 1
        return -(-covered // self.stride)

    @property
    def padding(self) -> tuple[int, int]:
        """Positions before the input's first and behind its last, which gets what is odd of the total."""
        total = max(0, (self.outputs - 1) * self.stride + self.reach - self.size)
        return total // 2, total - total // 2

    def positions(self, tap: int) -> slice:
        """Where, in the padded input, the given tap of all windows lies."""
        first = tap * self.dilation
        return slice(first, first + (self.outputs - 1) * self.stride + 1, self.stride)


@dataclass(frozen=True)
class Window:
    height: Axis
    width: Axis

    @classmethod
    def of(cls, node: Node, image: Tensor, kernel: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> Window:
        """The window of the operator's stride and padding over `image`; ModelError where there is no such."""
        options = node.options
        stride = (options.get("stride_h", 0), options.get("stride_w", 0))
        padding = options.get("padding")
        node.require(len(image.shape) == 4 and image.elements > 0, f"an image of shape {image.shape}")
        node.require(min(*kernel, *stride, *dilation) > 0, "kernel, stride and dilation must be positive")
        node.require(padding in ("SAME", "VALID"), f"padding {padding}")
        axes = [Axis(image.shape[1 + i], kernel[i], stride[i], dilation[i], padding == "SAME") for i in range(2)]
        return cls(*axes)

    def require_output(self, node: Node, channels: int) -> None:
        expected = (node.tensor(0).shape[0], self.height.outputs, self.width.outputs, channels)
        node.require(node.output.shape == expected, f"output shape {node.output.shape} instead of {expected}")

    def taps(self, image: Array, fill: int | float) -> Iterator[tuple[int, int, Array]]:
        """For each row and column of the kernel, what it meets at every output position: (batch, y, x, channel)."""
        widths = ((0, 0), self.height.padding, self.width.padding, (0, 0))
        padded = np.pad(image, widths, constant_values=fill)
        for row in range(self.height.kernel):
            for column in range(self.width.kernel):
                yield row, column, padded[:, self.height.positions(row), self.width.positions(column)]
