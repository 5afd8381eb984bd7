"""SVDF: each filter makes one number of every frame, keeps the last ones and weighs them; `rank` filters are a unit.

Sources: TFLM's svdf.cc and svdf_common.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinympy.model.graph import Tensor
from tinympy.model.quantise import INTEGER_RANGES, quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.arithmetic import multiply_quantised, wrap
from tinympy.reference.node import Array, Node

_INPUT, _FEATURE_WEIGHTS, _TIME_WEIGHTS, _BIAS, _STATE = range(5)
_BIAS_SCALE_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Svdf:
    """Sizes, zero points, and factors as pairs of multiplier and shift."""

    batches: int
    inputs: int
    filters: int
    memory: int
    rank: int
    to_state: tuple[int, int]
    to_output: tuple[int, int]
    input_zero_point: int
    state_zero_point: int
    output_zero_point: int


def svdf(node: Node) -> list[Array]:
    """int8, with int16 or int8 state and time weights. TFLM pays no heed to the fused activation."""
    p = prepare(node)
    state = node.input(_STATE).reshape(p.batches, p.filters, p.memory)
    state[..., :-1] = state[..., 1:]
    sums = wrap(node.centred(_INPUT) @ node.input(_FEATURE_WEIGHTS).T.astype(np.int64))
    newest = np.clip(multiply_quantised(sums, *p.to_state), *INTEGER_RANGES[state.dtype.name])
    # TFLM clamps before it adds the zero point: what then does not fit wraps.
    state[..., -1] = (newest + p.state_zero_point).astype(state.dtype)
    weighed = (state.astype(np.int64) - p.state_zero_point) * node.input(_TIME_WEIGHTS)
    units = weighed.reshape(p.batches, p.filters // p.rank, -1).sum(axis=2) + node.input(_BIAS)
    output = multiply_quantised(wrap(units), *p.to_output) + p.output_zero_point
    return [np.clip(output, *INTEGER_RANGES["int8"]).astype(np.int8)]


def prepare(node: Node) -> Svdf:
    """What is known before it runs; ModelError for what TFLM refuses, and for what it would crash on."""
    node.require(len(node.inputs) == 5, f"{len(node.inputs)} inputs")
    source, feature, time, bias, state = (node.tensor(position) for position in range(5))
    node.require_dtype("int8", _INPUT, _FEATURE_WEIGHTS)
    node.require(time.dtype in ("int8", "int16") and state.dtype == time.dtype, f"{time.dtype} weights of time")
    node.require(bias.dtype == "int32", f"its bias is {bias.dtype}")
    node.require(state.is_variable, "its state is not kept from one inference to the next")
    rank = node.options.get("rank", 0)
    node.require(all(len(t.shape) == 2 and t.elements > 0 for t in (source, feature, time)), "not matrices")
    (batches, inputs), (filters, memory) = source.shape, time.shape
    node.require(rank > 0 and filters % rank == 0, f"rank {rank} of {filters} filters")
    for tensor, shape in (
        (feature, (filters, inputs)),
        (bias, (filters // rank,)),
        (state, (batches, memory * filters)),
        (node.output, (batches, filters // rank)),
    ):
        node.require(tensor.shape == shape, f"tensor {tensor.name!r} has shape {tensor.shape} instead of {shape}")
    node.require(zero_point_of(feature) == zero_point_of(time) == 0, "weights with a zero point other than 0")
    state_scale = float(scale_of(state))
    sum_scale = state_scale * float(scale_of(time))
    node.require(
        abs(_scale_or_zero(bias) - sum_scale) < _BIAS_SCALE_TOLERANCE,
        "its bias scale is not the product of state and time weight scale",
    )
    factors = (
        quantise_multiplier(float(scale_of(source)) * float(scale_of(feature)) / state_scale),
        quantise_multiplier(sum_scale / float(scale_of(node.output))),
    )
    node.require(max(shift for _, shift in factors) <= 30, "an output scale below 2^-30 of its inputs'")
    return Svdf(
        batches=batches,
        inputs=inputs,
        filters=filters,
        memory=memory,
        rank=rank,
        to_state=factors[0],
        to_output=factors[1],
        input_zero_point=zero_point_of(source),
        state_zero_point=zero_point_of(state),
        output_zero_point=zero_point_of(node.output),
    )


def _scale_or_zero(tensor: Tensor) -> float:
    return float(tensor.quantization.scale[0]) if tensor.quantization is not None else 0.0
