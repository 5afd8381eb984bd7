"""CONV_2D: weights are (output channels, height, width, input channels), scaled per output channel or as a whole."""

from dataclasses import replace

from tinympy.compiler.lowering import MAX_OPERATIONS, Lowering
from tinympy.compiler.operation import CONV_2D, Operation, Span
from tinympy.compiler.weights import constant_weights, lower_channels
from tinympy.compiler.window import lower_window


def lower(lowering: Lowering) -> None:
    tensor, output, options = lowering.input(0), lowering.output(), lowering.operator.options
    weights = constant_weights(lowering)
    lowering.require(weights.ndim == 4, "weights must have four dimensions")
    channels, height, width, depth = weights.shape
    window = lower_window(
        lowering, (height, width), (options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1))
    )
    lowering.require(depth > 0 and tensor.shape[3] % depth == 0, f"filters of {depth} channels for {tensor.shape[3]}")
    groups = tensor.shape[3] // depth
    lowering.require(
        channels == output.shape[3] and channels % groups == 0,
        f"{channels} filters in {groups} groups for {output.shape[3]} output channels",
    )
    lowering.require(groups <= MAX_OPERATIONS, f"more than {MAX_OPERATIONS} groups")
    row_bytes = height * width * depth
    constants = lower_channels(lowering, weights.reshape(channels, row_bytes), axis=0)
    source, target = lowering.input_value(0), lowering.output_value()
    each = channels // groups
    # Cut once, so that the images of a batch share each group's constants.
    parts = [constants[group * each : (group + 1) * each] for group in range(groups)] if groups > 1 else [constants]
    for batch in range(tensor.shape[0]):
        for group, part in enumerate(parts):
            lowering.emit(
                Operation(
                    opcode=CONV_2D,
                    operator=lowering.index,
                    input=Span(source, batch * tensor.elements // tensor.shape[0]),
                    output=Span(target, batch * output.elements // tensor.shape[0]),
                    parameters=replace(
                        window,
                        first_channel=group * each,
                        channels=each,
                        depth=depth,
                        first_input_channel=group * depth,
                    ),
                    constants=part,
                )
            )
