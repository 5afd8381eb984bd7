"""FULLY_CONNECTED: weights are (outputs, inputs); the input counts as rows of `inputs` values."""

from dataclasses import replace

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import FULLY_CONNECTED, Operation, Span
from tinympy.compiler.parameters import FullyConnected
from tinympy.compiler.weights import constant_weights, lower_channels
from tinympy.model.quantise import activation_range, zero_point_of


def lower(lowering: Lowering) -> None:
    tensor, output = lowering.input(0), lowering.output()
    lowering.require_int8(tensor, output)
    weights = constant_weights(lowering)
    lowering.require(weights.ndim == 2 and weights.size > 0, "weights must have two dimensions")
    outputs, inputs = weights.shape
    batches, rest = divmod(tensor.elements, inputs)
    lowering.require(rest == 0 and batches > 0, f"{tensor.elements} inputs for rows of {inputs}")
    lowering.require(output.elements == batches * outputs, f"output shape {output.shape} for {batches} x {outputs}")
    activation = lowering.operator.options.get("fused_activation_function", "NONE")
    lowering.emit(
        Operation(
            opcode=FULLY_CONNECTED,
            operator=lowering.index,
            input=Span(lowering.input_value(0)),
            output=Span(lowering.output_value()),
            parameters=FullyConnected(
                batches=batches,
                inputs=inputs,
                outputs=outputs,
                output_zero_point=zero_point_of(output),
                output_range=activation_range(activation, output),
                first_channel=0,
                channels=outputs,
            ),
            constants=replace(lower_channels(lowering, weights, axis=0, bias_scale_matters=True), offset=True),
        )
    )
