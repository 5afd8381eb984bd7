"""Parameters of the kernels, encoded as their structs in native_modules/kernels/tk.h: 44 bytes each."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol

WINDOW_PARAMETERS = struct.Struct("<14H4h4H")
FULLY_CONNECTED_PARAMETERS = struct.Struct("<5I3h18x")
SOFTMAX_PARAMETERS = struct.Struct("<4I28x")
ELEMENTWISE_PARAMETERS = struct.Struct("<4x6H4B5h2b2i3Bx")
LOOKUP_PARAMETERS = struct.Struct("<I40x")
REDUCE_PARAMETERS = struct.Struct("<3I2ibBh20x")
COPY_PARAMETERS = struct.Struct("<BBH40x")
FILL_PARAMETERS = struct.Struct("<Ii36x")
GATHER_PARAMETERS = struct.Struct("<4I28x")
LOG_SOFTMAX_PARAMETERS = struct.Struct("<4I2i2b18x")
SVDF_PARAMETERS = struct.Struct("<4x6I2i2bBbh2x")
LSTM_PARAMETERS = struct.Struct("<8x2I6H2i4b4x")
RESIZE_BILINEAR_PARAMETERS = struct.Struct("<5H2x2I2i16x")
QUANTISE_PARAMETERS = struct.Struct("<I3ib2B25x")
ARG_PARAMETERS = struct.Struct("<4I28x")
BATCH_MATMUL_PARAMETERS = struct.Struct("<4x3Ii3hbB16x")


class Parameters(Protocol):
    """What a kernel is called with, beside its inputs, outputs and constants."""

    def encode(self) -> bytes:
        """44 bytes. struct.error when a field exceeds the format's limits."""


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
    depth: int
    first_input_channel: int = 0

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
            self.depth,
            self.first_input_channel,
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
    output_bytes: int

    def encode(self) -> bytes:
        return SOFTMAX_PARAMETERS.pack(self.rows, self.depth, self.exponentials, self.output_bytes)


@dataclass(frozen=True)
class Elementwise:
    """The fields of `struct tk_elementwise`. `broadcast`: bit d of each input that has one element in dimension d."""

    kind: int
    shape: tuple[int, int, int, int, int, int]
    broadcast: tuple[int, int]
    zero_points: tuple[int, int] = (0, 0)
    output_zero_point: int = 0
    output_range: tuple[int, int] = (-128, 127)
    multipliers: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    """(multiplier, shift) of the result; of PRELU's two branches."""
    short_product: tuple[int, int, int] = (0, 0, 0)
    """Of ADD: bits dropped, fraction bits, edge (scaling.py)."""

    ADD = 0
    MUL = 1
    MAXIMUM = 2
    MINIMUM = 3
    PRELU = 4

    def encode(self) -> bytes:
        (multiplier1, shift1), (multiplier2, shift2) = self.multipliers
        return ELEMENTWISE_PARAMETERS.pack(
            *self.shape,
            *self.broadcast,
            self.kind,
            0,
            *self.zero_points,
            self.output_zero_point,
            *self.output_range,
            shift1,
            shift2,
            multiplier1,
            multiplier2,
            *self.short_product,
        )


@dataclass(frozen=True)
class Lookup:
    """The fields of `struct tk_lookup`."""

    size_bytes: int

    def encode(self) -> bytes:
        return LOOKUP_PARAMETERS.pack(self.size_bytes)


@dataclass(frozen=True)
class Reduce:
    """The fields of `struct tk_reduce`."""

    kind: int
    outer: int
    reduced: int
    inner: int
    offset: int = 0
    multiplier: int = 0
    shift: int = 0
    output_zero_point: int = 0

    SUM = 0
    MAX = 1
    MIN = 2

    def encode(self) -> bytes:
        return REDUCE_PARAMETERS.pack(
            self.outer,
            self.reduced,
            self.inner,
            self.offset,
            self.multiplier,
            self.shift,
            self.kind,
            self.output_zero_point,
        )


@dataclass(frozen=True)
class Copy:
    """The fields of `struct tk_copy`; the loops stand in the constants."""

    loops: int
    element_bytes: int
    from_constants: bool = False

    def encode(self) -> bytes:
        return COPY_PARAMETERS.pack(self.loops, self.from_constants, self.element_bytes)


@dataclass(frozen=True)
class Fill:
    """The fields of `struct tk_fill`."""

    size_bytes: int
    value: int

    def encode(self) -> bytes:
        return FILL_PARAMETERS.pack(self.size_bytes, self.value)


@dataclass(frozen=True)
class Gather:
    """The fields of `struct tk_gather`; the indices stand in the constants."""

    outer: int
    blocks: int
    block_bytes: int
    indices: int

    def encode(self) -> bytes:
        return GATHER_PARAMETERS.pack(self.outer, self.blocks, self.block_bytes, self.indices)


@dataclass(frozen=True)
class LogSoftmax:
    """The fields of `struct tk_log_softmax`; factors are (multiplier, shift)."""

    rows: int
    depth: int
    exponentials: int
    factor: tuple[int, int]
    inverse_factor: tuple[int, int]

    def encode(self) -> bytes:
        (multiplier, shift), (inverse_multiplier, inverse_shift) = self.factor, self.inverse_factor
        return LOG_SOFTMAX_PARAMETERS.pack(
            self.rows, self.depth, self.exponentials, 1, multiplier, inverse_multiplier, shift, inverse_shift
        )


@dataclass(frozen=True)
class Svdf:
    """The fields of `struct tk_svdf`; factors are (multiplier, shift)."""

    inputs: int
    units: int
    rank: int
    memory: int
    first_channel: int
    channels: int
    state_factor: tuple[int, int]
    output_factor: tuple[int, int]
    state_bytes: int
    output_zero_point: int
    state_zero_point: int

    def encode(self) -> bytes:
        return SVDF_PARAMETERS.pack(
            self.inputs,
            self.units,
            self.rank,
            self.memory,
            self.first_channel,
            self.channels,
            self.state_factor[0],
            self.output_factor[0],
            self.state_factor[1],
            self.output_factor[1],
            self.state_bytes,
            self.output_zero_point,
            self.state_zero_point,
        )


@dataclass(frozen=True)
class Lstm:
    """The fields of `struct tk_lstm`; factors are (multiplier, shift), strides in bytes."""

    input_stride: int
    output_stride: int
    steps: int
    inputs: int
    units: int
    first_channel: int
    channels: int
    cell_limit: int
    input_factor: tuple[int, int]
    hidden_factor: tuple[int, int]
    hidden_zero_point: int
    cell_exponent: int

    def encode(self) -> bytes:
        return LSTM_PARAMETERS.pack(
            self.input_stride,
            self.output_stride,
            self.steps,
            self.inputs,
            self.units,
            self.first_channel,
            self.channels,
            self.cell_limit,
            self.input_factor[0],
            self.hidden_factor[0],
            self.input_factor[1],
            self.hidden_factor[1],
            self.hidden_zero_point,
            self.cell_exponent,
        )


@dataclass(frozen=True)
class ResizeBilinear:
    """The fields of `struct tk_resize_bilinear`; each pair is of rows and columns."""

    input_shape: tuple[int, int]
    output_shape: tuple[int, int]
    channels: int
    steps: tuple[int, int]
    origins: tuple[int, int]

    def encode(self) -> bytes:
        return RESIZE_BILINEAR_PARAMETERS.pack(
            *self.input_shape, *self.output_shape, self.channels, *self.steps, *self.origins
        )


@dataclass(frozen=True)
class Quantise:
    """The fields of `struct tk_quantise`; pairs are of input and output, the factor is (multiplier, shift)."""

    elements: int
    zero_points: tuple[int, int]
    factor: tuple[int, int]
    element_bytes: tuple[int, int]

    def encode(self) -> bytes:
        return QUANTISE_PARAMETERS.pack(self.elements, *self.zero_points, *self.factor, *self.element_bytes)


@dataclass(frozen=True)
class Arg:
    """The fields of `struct tk_arg`."""

    kind: int
    outer: int
    depth: int
    inner: int

    MAX = 0
    MIN = 1

    def encode(self) -> bytes:
        return ARG_PARAMETERS.pack(self.outer, self.depth, self.inner, self.kind)


@dataclass(frozen=True)
class BatchMatmul:
    """The fields of `struct tk_batch_matmul`; `shape`: rows, depth, columns; `adjoint`: inputs that are transposed."""

    shape: tuple[int, int, int]
    multiplier: int
    shift: int
    zero_points: tuple[int, int, int]
    adjoint: tuple[bool, bool]

    def encode(self) -> bytes:
        transposed = self.adjoint[0] + 2 * self.adjoint[1]
        return BATCH_MATMUL_PARAMETERS.pack(*self.shape, self.multiplier, *self.zero_points, self.shift, transposed)
