"""AVERAGE_POOL_2D: input and output share their quantisation, so the mean of the integers is the mean's integer."""

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import AVERAGE_POOL_2D, Operation, Span
from tinympy.compiler.window import lower_window
from tinympy.model.quantise import scale_of, zero_point_of
from tinympy.reference.pooling import SCALE_TOLERANCE

MAX_POSITIONS = 1 << 23


def lower(lowering: Lowering) -> None:
    lower_pool(lowering, AVERAGE_POOL_2D)


def lower_pool(lowering: Lowering, opcode: int) -> None:
    """One operation for each image of the batch."""
    tensor, output, options = lowering.input(0), lowering.output(), lowering.operator.options
    window = lower_window(lowering, (options.get("filter_height", 0), options.get("filter_width", 0)), (1, 1))
    lowering.require(
        abs(float(scale_of(tensor) - scale_of(output))) <= SCALE_TOLERANCE
        and zero_point_of(tensor) == zero_point_of(output),
        "input and output must share scale and zero point",
    )
    lowering.require(tensor.shape[3] == output.shape[3], f"{output.shape[3]} channels from {tensor.shape[3]}")
    lowering.require(tensor.shape[1] * tensor.shape[2] <= MAX_POSITIONS, "an input of more than 2^23 positions")
    source, target = lowering.input_value(0), lowering.output_value()
    for batch in range(tensor.shape[0]):
        lowering.emit(
            Operation(
                opcode=opcode,
                operator=lowering.index,
                input=Span(source, batch * tensor.elements // tensor.shape[0]),
                output=Span(target, batch * output.elements // tensor.shape[0]),
                parameters=window,
            )
        )
