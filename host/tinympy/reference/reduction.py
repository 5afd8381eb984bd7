"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN over the axes that the second input lists.

Sources: TFLM's reduce_common.cc and the reference header reduce.h.
"""

from __future__ import annotations

import math

import numpy as np

from tinympy.model.quantise import quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.arithmetic import Int64s, multiply_quantised, wrap
from tinympy.reference.node import Array, Node


def mean(node: Node) -> list[Array]:
    """The division is part of the multiplier, which loses at most its lowest bit."""
    multiplier, shift = _multiplier(node)
    total, count = _sum(node)
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return [node.quantised(multiply_quantised(total, (multiplier << bits) // count, shift - bits))]


def sum_(node: Node) -> list[Array]:
    multiplier, shift = _multiplier(node)
    return [node.quantised(multiply_quantised(_sum(node)[0], multiplier, shift))]


def reduce_max(node: Node) -> list[Array]:
    _require_same_quantisation(node)
    return [np.asarray(node.input(0).max(axis=_axes(node)))]


def reduce_min(node: Node) -> list[Array]:
    _require_same_quantisation(node)
    return [np.asarray(node.input(0).min(axis=_axes(node)))]


def _axes(node: Node) -> tuple[int, ...]:
    """The axes, without repetition; numpy takes negative ones from behind, as TFLM does."""
    return tuple({axis % max(node.input(0).ndim, 1) if axis < 0 else axis for axis in node.integers(1)})


def _multiplier(node: Node) -> tuple[int, int]:
    node.require_dtype("int8", 0)
    return quantise_multiplier(float(scale_of(node.tensor(0))) / float(scale_of(node.output)))


def _sum(node: Node) -> tuple[Int64s, int]:
    """Sums of the real values in units of the input's scale, and how many values went into each."""
    values, axes = node.input(0).astype(np.int64), _axes(node)
    count = math.prod(values.shape[axis] for axis in axes)
    node.require(count > 0, f"no values to reduce in shape {values.shape}")
    return wrap(np.asarray(values.sum(axis=axes) - zero_point_of(node.tensor(0)) * count)), count


def _require_same_quantisation(node: Node) -> None:
    node.require_dtype("int8", 0)
    tensor, output = node.tensor(0), node.output
    node.require(
        scale_of(tensor) == scale_of(output) and zero_point_of(tensor) == zero_point_of(output),
        "input and output must share scale and zero point",
    )


def arg_max(node: Node) -> list[Array]:
    """Inputs: values, axis. The first of equal ones."""
    return [np.argmax(_values(node), axis=_axis(node)).astype(np.int32)]


def arg_min(node: Node) -> list[Array]:
    """Inputs: values, axis. The first of equal ones."""
    return [np.argmin(_values(node), axis=_axis(node)).astype(np.int32)]


def _values(node: Node) -> Array:
    node.require(node.tensor(0).dtype == "int8", f"tensor {node.tensor(0).name!r} is {node.tensor(0).dtype}")
    return node.input(0)


def _axis(node: Node) -> int:
    axes = node.integers(1)
    node.require(len(axes) == 1, f"{len(axes)} axes")
    return axes[0]
