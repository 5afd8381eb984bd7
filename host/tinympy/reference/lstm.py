"""UNIDIRECTIONAL_SEQUENCE_LSTM: a sequence of frames in, the hidden state after each out; state outlives the sequence.

Sources: TFLM's unidirectional_sequence_lstm.cc, lstm_eval.h, lstm_eval.cc and lstm_eval_common.cc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinympy.model.quantise import INTEGER_RANGES, quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.arithmetic import Int64s, multiply_quantised, multiply_quantised_wide, wrap
from tinympy.reference.interpolated import logistic, tanh
from tinympy.reference.node import Array, Node

Factor = tuple[int, int]
"""Multiplier and shift."""

_INPUT, _HIDDEN_STATE, _CELL_STATE = 0, 18, 19
# Peephole connections, a projection, layer normalisation.
_VARIANTS = (9, 10, 11, 16, 17, 20, 21, 22, 23)
_BIAS_DTYPES = {"int8": "int32", "int16": "int64"}
_LARGEST_SHIFTS = {"int8": 30, "int16": 7}
# What gates' sums count in, and what comes out of a gate.
_SUM_EXPONENT, _FRACTION_EXPONENT = -12, -15
# Beyond these the tangent's argument leaves 32 bits.
_CELL_EXPONENTS = range(-42, 3)


class Gate(NamedTuple):
    """Positions of a gate's inputs."""

    weights: int
    recurrent_weights: int
    bias: int


INPUT, FORGET, CELL, OUTPUT = Gate(1, 5, 12), Gate(2, 6, 13), Gate(3, 7, 14), Gate(4, 8, 15)
GATES = (INPUT, FORGET, CELL, OUTPUT)


@dataclass(frozen=True)
class Lstm:
    """What is known before it runs."""

    time_major: bool
    batches: int
    steps: int
    inputs: int
    units: int
    factors: dict[int, Factor]
    """From a sum to units of 2^-12, by the position of the weights."""
    forget_factor: Factor
    input_factor: Factor
    hidden_factor: Factor
    cell_exponent: int
    """The cell state counts in units of 2^cell_exponent, or nearly so."""
    cell_limit: int
    """The cell state's clamp, in its own units."""


def lstm(node: Node) -> list[Array]:
    """int8, or int16 with int8 weights; the cell state is int16."""
    p = prepare(node)
    to_batch_major = (1, 0, 2) if p.time_major else (0, 1, 2)
    frames = node.centred(_INPUT).transpose(to_batch_major)
    sums = {gate: _dense(node, p, frames, gate.weights, gate.bias) for gate in GATES}
    zero_point = zero_point_of(node.tensor(_HIDDEN_STATE))
    hidden = node.input(_HIDDEN_STATE).reshape(p.batches, p.units)
    cell = node.input(_CELL_STATE).reshape(p.batches, p.units).astype(np.int64)
    outputs = np.empty((p.batches, p.steps, p.units), hidden.dtype)
    for step in range(p.steps):
        centred = hidden.astype(np.int64) - zero_point
        total = {gate: sums[gate][:, step] + _dense(node, p, centred, gate.recurrent_weights) for gate in GATES}
        opened = {gate: logistic(_saturated(total[gate])) for gate in (INPUT, FORGET, OUTPUT)}
        candidate = tanh(_saturated(total[CELL]), _SUM_EXPONENT)
        kept = _saturated(multiply_quantised(opened[FORGET] * cell, *p.forget_factor))
        added = _saturated(multiply_quantised(opened[INPUT] * candidate, *p.input_factor))
        cell = np.clip(_saturated(kept + added), -p.cell_limit, p.cell_limit)
        product = opened[OUTPUT] * tanh(cell, p.cell_exponent)
        output = multiply_quantised(product, *p.hidden_factor) + zero_point
        outputs[:, step] = hidden = np.clip(output, *INTEGER_RANGES[hidden.dtype.name]).astype(hidden.dtype)
    node.input(_CELL_STATE)[...] = cell.reshape(node.tensor(_CELL_STATE).shape)
    node.input(_HIDDEN_STATE)[...] = hidden.reshape(node.tensor(_HIDDEN_STATE).shape)
    return [outputs.transpose(to_batch_major)]


def _dense(node: Node, p: Lstm, x: Int64s, weights: int, bias: int | None = None) -> Int64s:
    """A fully connected layer from centred numbers to 16 bits in units of 2^-12."""
    sums = x @ node.input(weights).T.astype(np.int64)
    if bias is not None:
        sums = sums + node.input(bias)
    if node.output.dtype == "int8":
        return _saturated(multiply_quantised(wrap(sums), *p.factors[weights]))
    return _saturated(multiply_quantised_wide(sums, *p.factors[weights]))


def _saturated(x: Int64s) -> Int64s:
    return np.clip(x, *INTEGER_RANGES["int16"])


def prepare(node: Node) -> Lstm:
    """Sizes and factors; ModelError for what TFLM refuses, for what it would crash on, and for float."""
    node.require(len(node.inputs) == 24, f"{len(node.inputs)} inputs")
    node.require(all(node.input_tensors[i] is None for i in _VARIANTS), "peephole, projection or layer normalisation")
    node.require(node.options.get("fused_activation_function") == "TANH", "a cell gate other than TANH")
    source, hidden, cell = node.tensor(_INPUT), node.tensor(_HIDDEN_STATE), node.tensor(_CELL_STATE)
    node.require(source.dtype in _BIAS_DTYPES, f"its input is {source.dtype}")
    node.require_dtype(source.dtype, _HIDDEN_STATE)
    node.require(cell.dtype == "int16", f"its cell state is {cell.dtype}")
    node.require(hidden.is_variable and cell.is_variable, "its state is not kept from one inference to the next")
    node.require(len(source.shape) == 3 and source.elements > 0, f"an input of shape {source.shape}")
    node.require(len(hidden.shape) == 2 and hidden.elements > 0, f"a hidden state of shape {hidden.shape}")
    time_major = bool(node.options.get("time_major"))
    batches, steps = source.shape[1::-1] if time_major else source.shape[:2]
    inputs, units = source.shape[2], hidden.shape[1]
    node.require(node.output.shape == (*source.shape[:2], units), f"an output of shape {node.output.shape}")
    node.require(hidden.elements == cell.elements == batches * units, f"a cell state of shape {cell.shape}")
    factors = {}
    for gate in GATES:
        factors[gate.weights] = _factor(node, _INPUT, gate.weights, (units, inputs))
        factors[gate.recurrent_weights] = _factor(node, _HIDDEN_STATE, gate.recurrent_weights, (units, units))
        bias = node.tensor(gate.bias)
        node.require(
            bias.dtype == _BIAS_DTYPES[source.dtype] and bias.shape == (units,), f"a {bias.dtype} bias of {bias.shape}"
        )
    cell_scale, fraction = float(scale_of(cell)), 2.0**_FRACTION_EXPONENT
    cell_exponent = round(math.log2(cell_scale))
    node.require(cell_exponent in _CELL_EXPONENTS, f"a cell state in units of {cell_scale}")
    clip = float(np.float32(node.options.get("cell_clip", 0.0)))
    return Lstm(
        time_major=time_major,
        batches=batches,
        steps=steps,
        inputs=inputs,
        units=units,
        factors=factors,
        forget_factor=quantise_multiplier(fraction * cell_scale / cell_scale),
        input_factor=quantise_multiplier(fraction * fraction / cell_scale),
        hidden_factor=quantise_multiplier(fraction * fraction / float(scale_of(hidden))),
        cell_exponent=cell_exponent,
        cell_limit=int(min(clip / cell_scale, 32767.0)) if clip > 0 else 32768,
    )


def _factor(node: Node, source: int, position: int, shape: tuple[int, ...]) -> Factor:
    weights = node.tensor(position)
    node.require(weights.dtype == "int8" and weights.shape == shape, f"{weights.dtype} weights of {weights.shape}")
    node.require(zero_point_of(weights) == 0, "weights with a zero point other than 0")
    product = float(scale_of(node.tensor(source))) * float(scale_of(weights))
    multiplier, shift = quantise_multiplier(product / 2.0**_SUM_EXPONENT)
    node.require(shift <= _LARGEST_SHIFTS[node.output.dtype], "input or weight scales too large")
    return multiplier, shift
