"""An operation: one call of a kernel, before it is placed in the arena and its constants are packed into tiles."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

CONV_2D = 1
DEPTHWISE_CONV_2D = 2
FULLY_CONNECTED = 3
AVERAGE_POOL_2D = 4
SOFTMAX = 5

WINDOW_PARAMETERS = struct.Struct("<14H4h4H")
FULLY_CONNECTED_PARAMETERS = struct.Struct("<5I3h18x")
SOFTMAX_PARAMETERS = struct.Struct("<3I32x")


@dataclass(frozen=True)
class Span:
    """A part of a value: `value` indexes the values of a lowered model, `offset` bytes from its beginning."""

    value: int
    offset: int = 0


@dataclass(frozen=True)
class Window:
    """Parameters of the operators with a sliding window; the fields of `struct tk_window`, in its order."""

    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]
    input_zero_point: int
    output_zero_point: int
    output_range: tuple[int, int]
    first_channel: int
    channels: int
    depth_multiplier: int = 1

    def encode(self) -> bytes:
        return WINDOW_PARAMETERS.pack(
            *self.input_shape,
            *self.output_shape,
            *self.kernel,
            *self.stride,
            *self.dilation,
            *self.padding,
            self.input_zero_point,
            self.output_zero_point,
            *self.output_range,
            self.first_channel,
            self.channels,
            self.depth_multiplier,
            0,
        )


@dataclass(frozen=True)
class FullyConnected:
    """The fields of `struct tk_fully_connected`."""

    batches: int
    inputs: int
    outputs: int
    output_zero_point: int
    output_range: tuple[int, int]
    first_channel: int
    channels: int

    def encode(self) -> bytes:
        return FULLY_CONNECTED_PARAMETERS.pack(
            self.batches,
            self.inputs,
            self.outputs,
            self.first_channel,
            self.channels,
            self.output_zero_point,
            *self.output_range,
        )


@dataclass(frozen=True)
class Softmax:
    """The fields of `struct tk_softmax`."""

    rows: int
    depth: int
    exponentials: int

    def encode(self) -> bytes:
        return SOFTMAX_PARAMETERS.pack(self.rows, self.depth, self.exponentials)


@dataclass(frozen=True)
class Channels:
    """Constants by output channel: bias with the input's zero point folded in, multiplier, shift, weights.

    `weights` is (channels, taps); `taps_first` stores it transposed, channels side by side.
    """

    bias: npt.NDArray[np.int32]
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int8]
    weights: npt.NDArray[np.int8]
    taps_first: bool = False

    def __len__(self) -> int:
        return len(self.bias)

    def __getitem__(self, part: slice) -> Channels:
        return Channels(self.bias[part], self.multiplier[part], self.shift[part], self.weights[part], self.taps_first)

    def encoded_bytes(self, count: int) -> int:
        """Size of the constants of `count` channels."""
        return 8 * count + _align4(count) + count * int(self.weights.shape[1])

    def encode(self) -> bytes:
        weights = self.weights.T if self.taps_first else self.weights
        shift = self.shift.tobytes().ljust(_align4(len(self)), b"\0")
        return self.bias.astype("<i4").tobytes() + self.multiplier.astype("<i4").tobytes() + shift + weights.tobytes()


@dataclass(frozen=True)
class Operation:
    """One call of a kernel. `operator` is the index of the graph's operator it comes from."""

    opcode: int
    operator: int
    input: Span
    output: Span
    parameters: Window | FullyConnected | Softmax
    constants: Channels | bytes = b""
    scratch_bytes: int = 0

    def narrowed(self, first: int, count: int) -> Operation:
        """The operation for `count` of its channels, `first` of them left out: how it is split over several tiles."""
        assert isinstance(self.constants, Channels) and isinstance(self.parameters, Window | FullyConnected)
        first_channel = self.parameters.first_channel + first
        return replace(
            self,
            parameters=replace(self.parameters, first_channel=first_channel, channels=count),
            constants=self.constants[first : first + count],
        )


@dataclass(frozen=True)
class Lowered:
    """A model as operations on values: `value_bytes[i]` is the size of value i."""

    operations: tuple[Operation, ...]
    value_bytes: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def _align4(count: int) -> int:
    return (count + 3) & ~3
