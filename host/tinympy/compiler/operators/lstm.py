"""UNIDIRECTIONAL_SEQUENCE_LSTM, int8: hidden and cell state, tensors that it changes, stay in the arena."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import LSTM, Operation, Span
from tinympy.compiler.parameters import Lstm
from tinympy.model.quantise import zero_point_of
from tinympy.reference.interpolated import SIGMOID_TABLE
from tinympy.reference.lstm import GATES, prepare
from tinympy.reference.node import Node

_INPUT, _HIDDEN_STATE, _CELL_STATE = 0, 18, 19
_LARGEST_CELL = 32768


@dataclass(frozen=True)
class LstmConstants:
    """Constants by unit, behind `head`, which every range of units has: biases (units, 8), weights (units, taps)."""

    head: bytes
    bias: npt.NDArray[np.int32]
    weights: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.bias)

    def __getitem__(self, part: slice) -> LstmConstants:
        return LstmConstants(self.head, self.bias[part], self.weights[part])

    def encoded_bytes(self, count: int) -> int:
        return len(self.head) + count * ((self.bias.nbytes + self.weights.nbytes) // len(self))

    def encode(self) -> bytes:
        return self.head + self.bias.astype("<i4").tobytes() + self.weights.tobytes()


def lower(lowering: Lowering) -> None:
    lowering.require_int8(lowering.input(_INPUT), lowering.output())
    p = prepare(Node.of(lowering.graph, lowering.index, {}))
    factors = (p.input_factor, p.hidden_factor)
    lowering.require(max(shift for _, shift in factors) <= 30, "a state of too small a scale")
    # Rows of one batch stand side by side, or, time-major, those of one step.
    rows = p.batches if p.time_major else 1
    first = 1 if p.time_major else p.steps
    parameters = Lstm(
        input_stride=rows * p.inputs,
        output_stride=rows * p.units,
        steps=p.steps,
        inputs=p.inputs,
        units=p.units,
        first_channel=0,
        channels=p.units,
        cell_limit=min(p.cell_limit, _LARGEST_CELL),
        input_factor=p.input_factor,
        hidden_factor=p.hidden_factor,
        hidden_zero_point=zero_point_of(lowering.input(_HIDDEN_STATE)),
        cell_exponent=p.cell_exponent,
    )
    constants = _constants(lowering, p.factors)
    values = [lowering.input_value(position) for position in (_INPUT, _HIDDEN_STATE, _CELL_STATE)]
    lowering.require(len(set(values)) == 3, "its input or its states are one tensor")
    source, hidden, cell = values
    target = lowering.output_value()
    for batch in range(p.batches):
        lowering.emit(
            Operation(
                opcode=LSTM,
                operator=lowering.index,
                input=Span(source, batch * first * p.inputs),
                output=Span(target, batch * first * p.units),
                parameters=parameters,
                constants=constants,
                further=(Span(hidden, batch * p.units), Span(cell, 2 * batch * p.units)),
            )
        )


def _constants(lowering: Lowering, factors: dict[int, tuple[int, int]]) -> LstmConstants:
    """First what weighs the frame, gate by gate, then what weighs the hidden state."""
    positions = [*(gate.weights for gate in GATES), *(gate.recurrent_weights for gate in GATES)]
    zero_points = [zero_point_of(lowering.input(position)) for position in (_INPUT, _HIDDEN_STATE)]
    weights = [_constant(lowering, position) for position in positions]
    sums = np.stack([values.sum(axis=1, dtype=np.int64) for values in weights], axis=1)
    bias = -sums * np.repeat(zero_points, len(GATES))
    bias[:, : len(GATES)] += np.stack([_constant(lowering, gate.bias) for gate in GATES], axis=1)
    multipliers, shifts = np.array([factors[position] for position in positions]).T
    head = multipliers.astype("<i4").tobytes() + shifts.astype(np.int8).tobytes()
    return LstmConstants(
        head=head + SIGMOID_TABLE.astype("<u2").tobytes(),
        # The accumulators are wrapping 32-bit integers, and so are these.
        bias=bias.astype(np.uint32).view(np.int32),
        weights=np.concatenate(weights, axis=1).astype(np.int8),
    )


def _constant(lowering: Lowering, position: int) -> npt.NDArray[np.int64]:
    data = lowering.input(position).data
    if data is None:
        raise lowering.refuse(f"input {position} is not constant")
    return data.astype(np.int64)
