"""QUANTIZE between 8-bit tensors is a table, between wider integers a kernel of its own; at a float edge of the model
it, and DEQUANTIZE, is left to Python."""

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import QUANTISE, Operation, Span
from tinympy.compiler.operators import lookup
from tinympy.compiler.parameters import Quantise
from tinympy.model.quantise import quantise_multiplier, scale_of, zero_point_of
from tinympy.reference.quantisation import INTEGER_PAIRS

_EIGHT_BITS = ("int8", "uint8")
_BYTES = {"int8": 1, "int16": 2, "int32": 4}


def lower_quantize(lowering: Lowering) -> None:
    tensor, output = lowering.input(0), lowering.output()
    if tensor.dtype == "float32":
        lowering.require(lowering.operator.inputs[0] in lowering.graph.inputs, "it quantises floats within the model")
        lowering.rename()
    elif tensor.dtype in _EIGHT_BITS and output.dtype in _EIGHT_BITS:
        lookup.lower(lowering)
    else:
        _requantise(lowering)


def lower_dequantize(lowering: Lowering) -> None:
    lowering.require(lowering.output().dtype == "float32", f"its output is {lowering.output().dtype}")
    lowering.require(lowering.operator.outputs[0] in lowering.graph.outputs, "it makes floats within the model")
    lowering.rename()


def _requantise(lowering: Lowering) -> None:
    tensor, output = lowering.input(0), lowering.output()
    lowering.require(output.dtype in INTEGER_PAIRS.get(tensor.dtype, ()), f"{tensor.dtype} to {output.dtype}")
    lowering.require(tensor.elements == output.elements, f"shape {tensor.shape} into {output.shape}")
    multiplier, shift = quantise_multiplier(float(scale_of(tensor)) / float(scale_of(output)))
    lowering.require(shift <= 30, "its output scale is too small for its input's")
    lowering.emit(
        Operation(
            opcode=QUANTISE,
            operator=lowering.index,
            input=Span(lowering.input_value(0)),
            output=Span(lowering.output_value()),
            parameters=Quantise(
                elements=tensor.elements,
                zero_points=(zero_point_of(tensor), zero_point_of(output)),
                factor=(multiplier, shift),
                element_bytes=(_BYTES[tensor.dtype], _BYTES[output.dtype]),
            ),
        )
    )
