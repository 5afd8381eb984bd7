"""An operation: one call of a kernel, before it is placed in the arena and its constants are packed into tiles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinympy.compiler.parameters import FullyConnected, Parameters, Window

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
    """One call of a kernel. `operator` is the index of the graph's operator it comes from.

    An operation with a second input has room for its place in the first four bytes of the parameters.
    """

    opcode: int
    operator: int
    input: Span
    output: Span
    parameters: Parameters
    constants: Channels | bytes = b""
    scratch_bytes: int = 0
    input2: Span | None = None

    @property
    def spans(self) -> tuple[Span, ...]:
        """Every part of a value that it reads or writes."""
        spans = (self.input, self.output) if self.input2 is None else (self.input, self.input2, self.output)
        return tuple(span for span in spans if span.value != NOWHERE)

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
    state: tuple[int, ...] = ()
    """Values that stay from one inference to the next."""
    initial_operations: int = 0
    """How many operations, the first ones, set the state and are not part of an inference."""


def _align4(count: int) -> int:
    return (count + 3) & ~3
