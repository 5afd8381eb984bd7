"""An operation: one call of a kernel, before it is placed in the arena and its constants are packed into tiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinympy.compiler.parameters import FullyConnected, Lstm, Parameters, Svdf, Window
from tinympy.compiler.scaling import DROPS, Scaled, scaled

# Opcodes: TK_KERNELS in native_modules/kernels/tk.h.
CONV_2D = 1
DEPTHWISE_CONV_2D = 2
FULLY_CONNECTED = 3
AVERAGE_POOL_2D = 4
SOFTMAX = 5
MAX_POOL_2D = 6
ELEMENTWISE = 7
LOOKUP = 8
REDUCE = 9
COPY = 10
FILL = 11
GATHER = 12
LOG_SOFTMAX = 13
SVDF = 14
LSTM = 15
RESIZE_BILINEAR = 16
QUANTISE = 17
ARG = 18
BATCH_MATMUL = 19

NOWHERE = -1
"""The value of a span that is not in the arena: an operation that reads only constants, or nothing."""

NO_OPERATOR = -1
"""The operator of an operation that sets the state."""

NO_TILE = 0xFFFF


@dataclass(frozen=True)
class Span:
    """A part of a value: `value` indexes the values of a lowered model, `offset` bytes from its beginning."""

    value: int
    offset: int = 0

    def behind(self, offset: int) -> Span:
        """What begins `offset` bytes later."""
        return Span(self.value, self.offset + offset)


class ByChannel(Protocol):
    """Constants of an operation with weights: a slice of them is those of a range of output channels."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice) -> ByChannel: ...

    def encoded_bytes(self, count: int) -> int:
        """Size of the constants of `count` channels."""

    def encode(self) -> bytes:
        """As the kernel reads them."""


@dataclass(frozen=True)
class Channels:
    """Constants by output channel: bias with the input's zero point folded in, multiplier, shift, weights.

    `weights` is (channels, taps); `taps_first` stores it transposed, channels side by side, `offset` with 128 added.
    """

    bias: npt.NDArray[np.int32]
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int8]
    weights: npt.NDArray[np.int8]
    taps_first: bool = False
    offset: bool = False

    def __len__(self) -> int:
        return len(self.bias)

    def __getitem__(self, part: slice) -> Channels:
        return Channels(
            self.bias[part],
            self.multiplier[part],
            self.shift[part],
            self.weights[part],
            self.taps_first,
            self.offset,
        )

    def encoded_bytes(self, count: int) -> int:
        return count * (12 + int(self.weights.shape[1]))

    def scaled(self) -> Scaled:
        """With what each channel allows a kernel for packed sums to do."""
        drops = (0,) if self.taps_first else DROPS
        return scaled(self.weights, self.bias, self.multiplier, self.shift, drops)

    def encode(self) -> bytes:
        shortcuts = self.scaled()
        weights = shortcuts.weights.T if self.taps_first else shortcuts.weights
        if self.offset:
            weights = weights.view(np.uint8) ^ 128
        numbers = shortcuts.bias.astype("<i4").tobytes() + shortcuts.multiplier.astype("<i4").tobytes()
        return numbers + shortcuts.scaling.tobytes() + weights.tobytes()


@dataclass(frozen=True)
class Operation:
    """One call of a kernel. `operator` is the index of the graph's operator it comes from."""

    opcode: int
    operator: int
    input: Span
    output: Span
    parameters: Parameters
    constants: ByChannel | bytes = b""
    scratch_bytes: int = 0
    block: int = 0
    """Output positions or rows that a kernel for packed sums computes at a time (blocking.py)."""
    further: tuple[Span, ...] = ()
    """More inputs, or state: their places in the arena come first in the parameters, which begin with room for them."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """Every part of a value that it reads or writes."""
        return tuple(span for span in (self.input, *self.further, self.output) if span.value != NOWHERE)

    def rounds(self) -> list[Operation]:
        """The operation as several, each of which can be narrowed: LSTM's steps need all channels of the one before."""
        parameters = self.parameters
        if not isinstance(parameters, Lstm):
            return [self]
        return [
            replace(
                self,
                input=self.input.behind(step * parameters.input_stride),
                output=self.output.behind(step * parameters.output_stride),
                parameters=replace(parameters, steps=1),
            )
            for step in range(parameters.steps)
        ]

    def narrowed(self, first: int, count: int) -> Operation:
        """The operation for `count` of its channels, `first` of them left out: how it is split over several tiles."""
        assert not isinstance(self.constants, bytes)
        assert isinstance(self.parameters, Window | FullyConnected | Svdf | Lstm)
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
    state: tuple[int, ...] = ()
    """Values that stay from one inference to the next."""
    initial_operations: int = 0
    """How many operations, the first ones, set the state and are not part of an inference."""
