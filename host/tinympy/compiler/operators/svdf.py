"""SVDF: its state, a tensor that it changes, stays in the arena."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import SVDF, Operation, Span
from tinympy.compiler.parameters import Svdf
from tinympy.reference.node import Node
from tinympy.reference.svdf import prepare

_STATE = 4


@dataclass(frozen=True)
class UnitConstants:
    """Constants by unit: biases with the zero points folded in, of shapes (units,) and (units, rank), and weights.

    Weights of time are (units, rank, memory), int8 or int16, weights of feature (units, rank, inputs).
    """

    bias: npt.NDArray[np.int32]
    filter_bias: npt.NDArray[np.int32]
    time: npt.NDArray[np.signedinteger]
    feature: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.bias)

    def __getitem__(self, part: slice) -> UnitConstants:
        return UnitConstants(self.bias[part], self.filter_bias[part], self.time[part], self.feature[part])

    def encoded_bytes(self, count: int) -> int:
        return count * (sum(values.nbytes for values in self._parts) // len(self))

    def encode(self) -> bytes:
        return b"".join(values.astype(values.dtype.newbyteorder("<")).tobytes() for values in self._parts)

    @property
    def _parts(self) -> tuple[npt.NDArray[np.signedinteger], ...]:
        """In the order in which the kernel reads them."""
        return self.bias, self.filter_bias, self.time, self.feature


def lower(lowering: Lowering) -> None:
    p = prepare(Node.of(lowering.graph, lowering.index, {}))
    weights = [lowering.input(position).data for position in (1, 2, 3)]
    for position, values in enumerate(weights, start=1):
        lowering.require(values is not None, f"input {position} is not constant")
    feature, time, bias = (np.asarray(values) for values in weights)
    units = p.filters // p.rank
    feature, time = feature.reshape(units, p.rank, p.inputs), time.reshape(units, p.rank, p.memory)
    constants = UnitConstants(
        bias=_wrapped(bias - p.state_zero_point * time.sum(axis=(1, 2), dtype=np.int64)),
        filter_bias=_wrapped(-p.input_zero_point * feature.sum(axis=2, dtype=np.int64)),
        time=time,
        feature=feature,
    )
    parameters = Svdf(
        inputs=p.inputs,
        units=units,
        rank=p.rank,
        memory=p.memory,
        first_channel=0,
        channels=units,
        state_factor=p.to_state,
        output_factor=p.to_output,
        state_bytes=time.itemsize,
        output_zero_point=p.output_zero_point,
        state_zero_point=p.state_zero_point,
    )
    source, state, target = lowering.input_value(0), lowering.input_value(_STATE), lowering.output_value()
    lowering.require(source != state, "its input is its state")
    for batch in range(p.batches):
        lowering.emit(
            Operation(
                opcode=SVDF,
                operator=lowering.index,
                input=Span(source, batch * p.inputs),
                output=Span(target, batch * units),
                parameters=parameters,
                constants=constants,
                further=(Span(state, batch * p.filters * p.memory * time.itemsize),),
            )
        )


def _wrapped(sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """As the wrapping 32-bit integers that the accumulators are."""
    return sums.astype(np.uint32).view(np.int32)
