"""Geometry that the operators with a sliding window share (TensorFlow Lite's `padding.h`)."""

from __future__ import annotations

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.parameters import Window
from tinympy.model.graph import Tensor
from tinympy.model.quantise import activation_range, zero_point_of
from tinympy.reference.window import Axis

MAX_REACH = 1 << 29

Pads = tuple[tuple[int, int], tuple[int, int]]
"""Positions above and below, and on the left and on the right."""

PADDED = "padded"
"""The option of an operator whose input is to be padded with its zero point first, by the positions of a `Pads`."""

_NO_PADS: Pads = ((0, 0), (0, 0))


def lower_window(lowering: Lowering, kernel: tuple[int, int], dilation: tuple[int, int], depth: int = 1) -> Window:
    """The window of the operator at hand over its whole output; ModelError when the shapes contradict each other."""
    tensor, output, options = lowering.input(0), lowering.output(), lowering.operator.options
    lowering.require_int8(tensor, output)
    lowering.require(len(tensor.shape) == 4 and len(output.shape) == 4, "input and output must have four dimensions")
    lowering.require(tensor.elements > 0 and output.elements > 0, f"a dimension of 0 ({tensor.shape})")
    stride = (options.get("stride_h", 0), options.get("stride_w", 0))
    lowering.require(min(*kernel, *stride, *dilation) > 0, "kernel, stride and dilation must be positive")
    same = options.get("padding") == "SAME"
    lowering.require(same or options.get("padding") == "VALID", f"padding {options.get('padding')}")
    pads: Pads = options.get(PADDED, _NO_PADS)
    sizes = [tensor.shape[1 + i] + sum(pads[i]) for i in range(2)]
    axes = [Axis(sizes[i], kernel[i], stride[i], dilation[i], same) for i in range(2)]
    _require_output(lowering, tensor, output, axes)
    return Window(
        input_shape=(tensor.shape[1], tensor.shape[2], tensor.shape[3]),
        output_shape=(output.shape[1], output.shape[2], output.shape[3]),
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        padding=(pads[0][0] + axes[0].padding[0], pads[1][0] + axes[1].padding[0]),
        input_zero_point=zero_point_of(tensor),
        output_zero_point=zero_point_of(output),
        output_range=activation_range(options.get("fused_activation_function", "NONE"), output),
        first_channel=0,
        channels=output.shape[3],
        depth=depth,
    )


def _require_output(lowering: Lowering, tensor: Tensor, output: Tensor, axes: list[Axis]) -> None:
    expected = (tensor.shape[0], axes[0].outputs, axes[1].outputs)
    lowering.require(output.shape[:3] == expected, f"output shape {output.shape} instead of {expected} and channels")
    lowering.require(
        all(axis.reach <= MAX_REACH for axis in axes), f"a kernel that reaches over more than {MAX_REACH} positions"
    )
