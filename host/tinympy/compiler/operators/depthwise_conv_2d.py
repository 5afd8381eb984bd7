"""DEPTHWISE_CONV_2D: weights are (1, height, width, output channels), scaled per output channel or as a whole."""

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import DEPTHWISE_CONV_2D, Operation, Span
from tinympy.compiler.weights import constant_weights, lower_channels
from tinympy.compiler.window import lower_window


def lower(lowering: Lowering) -> None:
    tensor, output, options = lowering.input(0), lowering.output(), lowering.operator.options
    weights = constant_weights(lowering)
    lowering.require(
        weights.ndim == 4 and weights.shape[0] == 1, "weights must be of shape (1, height, width, channels)"
    )
    _, height, width, channels = weights.shape
    lowering.require(len(tensor.shape) == 4 and tensor.elements > 0, f"input shape {tensor.shape}")
    # TFLM, too, ignores the option and derives the multiplier from the shapes.
    multiplier, rest = divmod(channels, tensor.shape[3])
    lowering.require(rest == 0 and channels > 0, f"{channels} filters for {tensor.shape[3]} input channels")
    window = lower_window(
        lowering,
        (height, width),
        (options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1)),
        depth=multiplier,
    )
    lowering.require(channels == output.shape[3], f"{channels} filters for {output.shape[3]} output channels")
    by_channel = weights.reshape(height * width, channels).T
    constants = lower_channels(lowering, by_channel, axis=3, taps_first=True)
    source, target = lowering.input_value(0), lowering.output_value()
    for batch in range(tensor.shape[0]):
        lowering.emit(
            Operation(
                opcode=DEPTHWISE_CONV_2D,
                operator=lowering.index,
                input=Span(source, batch * tensor.elements // tensor.shape[0]),
                output=Span(target, batch * output.elements // tensor.shape[0]),
                parameters=window,
                constants=constants,
            )
        )
