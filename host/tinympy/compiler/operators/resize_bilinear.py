"""RESIZE_BILINEAR: one operation for each image of the batch."""

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import RESIZE_BILINEAR, Operation, Span
from tinympy.compiler.parameters import ResizeBilinear
from tinympy.reference.bilinear import POSITION_BITS, last_position, position_step

_MAX_POSITION = 1 << 29


def lower(lowering: Lowering) -> None:
    tensor, size, output, options = lowering.input(0), lowering.input(1), lowering.output(), lowering.operator.options
    lowering.require_int8(tensor, output)
    if size.data is None or size.dtype != "int32" or size.elements != 2:
        raise lowering.refuse("its size is not a constant of two int32")
    lowering.require(len(tensor.shape) == len(output.shape) == 4, f"shape {tensor.shape} into {output.shape}")
    (batches, height, width, channels), outputs = tensor.shape, output.shape
    lowering.require(
        tensor.elements > 0 and outputs == (batches, *map(int, size.data.reshape(-1)), channels),
        f"shape {tensor.shape} into {outputs}",
    )
    align, centres = bool(options.get("align_corners")), bool(options.get("half_pixel_centers"))
    lowering.require(not (align and centres), "align_corners and half_pixel_centers exclude each other")
    steps = position_step(height, outputs[1], align), position_step(width, outputs[2], align)
    for inputs, count, step in ((height, outputs[1], steps[0]), (width, outputs[2], steps[1])):
        last = last_position(count, step, centres)
        # Of so many outputs for few inputs, TFLM's rounded steps lead behind the last pixel.
        lowering.require(last < min(inputs << POSITION_BITS, _MAX_POSITION), f"{count} positions from {inputs}")
    source, target = lowering.input_value(0), lowering.output_value()
    for batch in range(batches):
        lowering.emit(
            Operation(
                opcode=RESIZE_BILINEAR,
                operator=lowering.index,
                input=Span(source, batch * tensor.elements // batches),
                output=Span(target, batch * output.elements // batches),
                parameters=ResizeBilinear(
                    input_shape=(height, width),
                    output_shape=(outputs[1], outputs[2]),
                    channels=channels,
                    steps=steps,
                    origins=(last_position(1, steps[0], centres), last_position(1, steps[1], centres)),
                ),
            )
        )
