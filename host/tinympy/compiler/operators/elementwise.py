"""ADD, SUB, MUL, MAXIMUM, MINIMUM, PRELU: two inputs, broadcast to the output's shape."""

from __future__ import annotations

import numpy as np

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import ELEMENTWISE, Operation, Span
from tinympy.compiler.parameters import Elementwise
from tinympy.compiler.scaling import DROPS, short_product
from tinympy.model.graph import Tensor
from tinympy.model.quantise import activation_range, quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.arithmetic import multiply_quantised
from tinympy.reference.elementwise import HEADROOM_BITS, addition_factors

_RANK = 6
_LARGEST_SIDE = 0xFFFF


def lower_add(lowering: Lowering) -> None:
    """ADD and SUB: both inputs' 256 values, brought to one scale, as tables; SUB's second one negated."""
    first, second, output = lowering.input(0), lowering.input(1), lowering.output()
    lowering.require_int8(first, second, output)
    name = lowering.operator.name
    *inputs, result = addition_factors(scale_of(first), scale_of(second), scale_of(output))
    lowering.require(0 < result < 1, "its output scale is too small for its inputs' scales")
    values = np.arange(-128, 128, dtype=np.int64)
    tables = [
        multiply_quantised((values - zero_point_of(tensor)) << HEADROOM_BITS, *quantise_multiplier(factor))
        for tensor, factor in zip((first, second), inputs, strict=True)
    ]
    if name == "SUB":
        tables[1] = -tables[1]
    scale = quantise_multiplier(result)
    bounds = [sum(end(table) for table in tables) for end in (np.min, np.max)]
    low, high, multiplier, shift = (np.array([each], np.int64) for each in (*bounds, *scale))
    [drop], [fraction], [edge] = short_product(low, high, multiplier, shift, DROPS)
    constants = np.concatenate(tables).astype("<i4").tobytes()
    _emit(lowering, Elementwise.ADD, [scale], constants, (int(drop), int(fraction), int(edge)))


def lower_mul(lowering: Lowering) -> None:
    first, second, output = lowering.input(0), lowering.input(1), lowering.output()
    lowering.require_int8(first, second, output)
    factor = float(scale_of(first)) * float(scale_of(second)) / float(scale_of(output))
    _emit(lowering, Elementwise.MUL, [quantise_multiplier(factor)])


def lower_maximum(lowering: Lowering) -> None:
    lowering.require_int8(lowering.input(0), lowering.input(1), lowering.output())
    _emit(lowering, Elementwise.MAXIMUM)


def lower_minimum(lowering: Lowering) -> None:
    lowering.require_int8(lowering.input(0), lowering.input(1), lowering.output())
    _emit(lowering, Elementwise.MINIMUM)


def lower_prelu(lowering: Lowering) -> None:
    """Positive inputs are only rescaled, negative ones multiplied by alpha, the second input."""
    tensor, alpha, output = lowering.input(0), lowering.input(1), lowering.output()
    lowering.require_int8(tensor, alpha, output)
    positive = float(scale_of(tensor)) / float(scale_of(output))
    negative = float(scale_of(tensor)) * float(scale_of(alpha)) / float(scale_of(output))
    _emit(lowering, Elementwise.PRELU, [quantise_multiplier(positive), quantise_multiplier(negative)])


def _emit(
    lowering: Lowering,
    kind: int,
    multipliers: list[tuple[int, int]] | None = None,
    tables: bytes = b"",
    short: tuple[int, int, int] = (0, 0, 0),
) -> None:
    first, second, output = lowering.input(0), lowering.input(1), lowering.output()
    for _, shift in multipliers or ():
        lowering.require(shift <= 30, "its output scale is too small for its inputs' scales")
    pairs = [*(multipliers or ()), (0, 0), (0, 0)]
    shape, broadcast = _common_shape(lowering, (first, second), output)
    activation = lowering.operator.options.get("fused_activation_function", "NONE")
    lowering.emit(
        Operation(
            opcode=ELEMENTWISE,
            operator=lowering.index,
            input=Span(lowering.input_value(0)),
            further=(Span(lowering.input_value(1)),),
            output=Span(lowering.output_value()),
            parameters=Elementwise(
                kind=kind,
                shape=shape,
                broadcast=broadcast,
                zero_points=(zero_point_of(first), zero_point_of(second)),
                output_zero_point=zero_point_of(output),
                output_range=activation_range(activation, output),
                multipliers=(pairs[0], pairs[1]),
                short_product=short,
            ),
            constants=tables,
        )
    )


def _common_shape(
    lowering: Lowering, inputs: tuple[Tensor, Tensor], output: Tensor
) -> tuple[tuple[int, int, int, int, int, int], tuple[int, int]]:
    """The output's shape in six dimensions, neighbours joined where both inputs go along with them, and which
    dimensions each input is broadcast along."""
    rank = len(output.shape)
    lowering.require(all(len(t.shape) <= rank for t in inputs) and output.elements > 0, "shapes that do not broadcast")
    shapes = [(1,) * (rank - len(t.shape)) + t.shape for t in inputs]
    joined: list[tuple[int, tuple[bool, ...]]] = []
    for sizes in zip(output.shape, *shapes, strict=True):
        lowering.require(
            all(size in (1, sizes[0]) for size in sizes[1:]) and max(sizes[1:]) == sizes[0],
            f"shapes {inputs[0].shape} and {inputs[1].shape} into {output.shape}",
        )
        along = tuple(size != sizes[0] for size in sizes[1:])
        if joined and (joined[-1][1] == along or 1 in (joined[-1][0], sizes[0])):
            side = joined[-1][0] * sizes[0]
            kept = joined[-1][1] if sizes[0] == 1 else along
            if side <= _LARGEST_SIDE:
                joined[-1] = (side, kept)
                continue
        joined.append((sizes[0], along))
    lowering.require(len(joined) <= _RANK, f"shape {output.shape} has more than {_RANK} dimensions")
    padded = [(1, (False, False))] * (_RANK - len(joined)) + joined
    a, b, c, d, e, f = (side for side, _ in padded)
    masks = [sum(1 << i for i, (_, along) in enumerate(padded) if along[position]) for position in range(2)]
    return (a, b, c, d, e, f), (masks[0], masks[1])
