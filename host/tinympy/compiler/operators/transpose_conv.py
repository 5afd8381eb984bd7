"""TRANSPOSE_CONV as convolutions: outputs whose positions leave one rest modulo the stride meet only every stride-th
tap, so they are a plain convolution of the input with these taps, turned round, which is then copied to its places.

No zeros are inserted into the input: none is multiplied, and the memory needed beside input and output is that of one
such part of the output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinympy.compiler.loops import Loop, Nest
from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import CONV_2D, COPY, NOWHERE, Operation, Span
from tinympy.compiler.parameters import Copy, Window
from tinympy.compiler.weights import constant_weights, lower_channels
from tinympy.model.quantise import activation_range, zero_point_of
from tinympy.reference.arithmetic import multiply_quantised
from tinympy.reference.window import Axis

MAX_SIDE = 0xFFFF
_IMAGE, _BIAS = 2, 3


@dataclass(frozen=True)
class Phase:
    """Along one axis, the outputs `first`, `first` + stride, … that meet the kernel's taps `taps`."""

    first: int
    taps: slice
    kernel: int
    padding: int
    computed: int
    """Positions of the convolution, of which the first `skipped` are no outputs."""
    skipped: int

    @property
    def outputs(self) -> int:
        return self.computed - self.skipped


def phases(axis: Axis, inputs: int) -> list[Phase]:
    """All outputs that meet any input; `axis` is that of the convolution from output to input."""
    found = []
    before, _ = axis.padding
    for first in range(min(axis.stride, axis.size)):
        lowest = (first + before) % axis.stride
        kernel = len(range(lowest, axis.kernel, axis.stride))
        # The first window's last tap, which is the kernel's lowest, meets the input at (first + padding) // stride.
        padding = kernel - 1 - (first + before) // axis.stride
        skipped = max(0, -padding)
        wanted = len(range(first, axis.size, axis.stride)) + skipped
        phase = Phase(
            first=first,
            taps=slice(lowest, None, axis.stride),
            kernel=kernel,
            padding=max(0, padding),
            computed=min(wanted, inputs + max(0, padding)),
            skipped=skipped,
        )
        if kernel > 0 and phase.outputs > 0:
            found.append(phase)
    return found


def lower(lowering: Lowering) -> None:
    """Inputs: output shape (which is that of the output's tensor), weights, image, bias."""
    weights, image = constant_weights(lowering), lowering.input(_IMAGE)
    axes = _axes(lowering, weights)
    rows, columns = (phases(axis, size) for axis, size in zip(axes, image.shape[1:], strict=False))
    source, target = lowering.input_value(_IMAGE), lowering.output_value()
    whole = [sum(phase.outputs for phase in each) for each in (rows, columns)] == [axis.size for axis in axes]
    if not whole:
        _fill(lowering, target)
    for row in rows:
        for column in columns:
            _lower_phase(lowering, weights, row, column, source, target, whole)


def _axes(lowering: Lowering, weights: npt.NDArray[np.int8]) -> list[Axis]:
    """Height and width, the output being the input of the convolution; ModelError when shapes contradict each other."""
    image, output, options = lowering.input(_IMAGE), lowering.output(), lowering.operator.options
    lowering.require_int8(image, output)
    lowering.require(weights.ndim == 4 and weights.size > 0, f"weights of shape {weights.shape}")
    lowering.require(
        len(image.shape) == 4 and image.elements > 0 and weights.shape[3] == image.shape[3],
        f"weights of shape {weights.shape} for an image of shape {image.shape}",
    )
    lowering.require(
        len(output.shape) == 4 and output.shape[::3] == (image.shape[0], len(weights)) and output.elements > 0,
        f"output shape {output.shape}",
    )
    lowering.require(max(output.shape) <= MAX_SIDE, f"output shape {output.shape}")
    stride = (options.get("stride_h", 0), options.get("stride_w", 0))
    lowering.require(min(stride) > 0, "strides must be positive")
    padding = options.get("padding")
    lowering.require(padding in ("SAME", "VALID"), f"padding {padding}")
    return [Axis(output.shape[1 + i], weights.shape[1 + i], stride[i], 1, padding == "SAME") for i in range(2)]


def _lower_phase(
    lowering: Lowering,
    weights: npt.NDArray[np.int8],
    row: Phase,
    column: Phase,
    source: int,
    target: int,
    whole: bool,
) -> None:
    """Its convolution, and the copy from there where it is not the whole output."""
    image, output, options = lowering.input(_IMAGE), lowering.output(), lowering.operator.options
    batches, height, width, depth = image.shape
    channels = len(weights)
    taps = weights[:, row.taps, column.taps][:, ::-1, ::-1].reshape(channels, -1)
    constants = lower_channels(lowering, taps, axis=0, source=_IMAGE, bias=_BIAS)
    window = Window(
        input_shape=(height, width, depth),
        output_shape=(row.computed, column.computed, channels),
        kernel=(row.kernel, column.kernel),
        stride=(1, 1),
        dilation=(1, 1),
        padding=(row.padding, column.padding),
        input_zero_point=zero_point_of(image),
        output_zero_point=zero_point_of(output),
        output_range=activation_range(options.get("fused_activation_function", "NONE"), output),
        first_channel=0,
        channels=channels,
        depth=depth,
    )
    direct = whole and (row.computed, column.computed) == output.shape[1:3]
    row_bytes, output_row_bytes = column.computed * channels, output.shape[2] * channels
    stride = (options["stride_h"], options["stride_w"])
    for batch in range(batches):
        begin = batch * output.elements // batches
        result = Span(target, begin) if direct else Span(lowering.temporary_value(row.computed * row_bytes))
        lowering.emit(
            Operation(
                opcode=CONV_2D,
                operator=lowering.index,
                input=Span(source, batch * image.elements // batches),
                output=result,
                parameters=window,
                constants=constants,
            )
        )
        if not direct:
            loops = (
                Loop(row.outputs, row_bytes, stride[0] * output_row_bytes),
                Loop(column.outputs, channels, stride[1] * channels),
            )
            first = row.skipped * row_bytes + column.skipped * channels
            begin += row.first * output_row_bytes + column.first * channels
            lowering.copy(Nest(loops, channels, first, begin), result.value, target)


def _fill(lowering: Lowering, target: int) -> None:
    """Outputs that meet no input are what the bias alone amounts to."""
    output, options = lowering.output(), lowering.operator.options
    channels = output.shape[3]
    nothing = np.zeros((channels, 1), np.int8)
    constants = lower_channels(lowering, nothing, axis=0, source=_IMAGE, bias=_BIAS)
    factors = constants.multiplier.astype(np.int64), constants.shift.astype(np.int64)
    values = multiply_quantised(constants.bias.astype(np.int64), *factors) + zero_point_of(output)
    limits = activation_range(options.get("fused_activation_function", "NONE"), output)
    content = np.clip(values, *limits).astype(np.int8).tobytes()
    nest = Nest((Loop(output.elements // channels, 0, channels),), channels, 0, 0)
    parameters = Copy(len(nest.loops), nest.element_bytes, from_constants=True)
    lowering.emit(Operation(COPY, lowering.index, Span(NOWHERE), Span(target), parameters, nest.encode() + content))
