"""QUANTIZE between 8-bit tensors is a table; at a float edge of the model it, and DEQUANTIZE, is left to Python."""

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operators import lookup


def lower_quantize(lowering: Lowering) -> None:
    if lowering.input(0).dtype == "float32":
        lowering.require(lowering.operator.inputs[0] in lowering.graph.inputs, "it quantises floats within the model")
        lowering.rename()
    else:
        lookup.lower(lowering)


def lower_dequantize(lowering: Lowering) -> None:
    lowering.require(lowering.output().dtype == "float32", f"its output is {lowering.output().dtype}")
    lowering.require(lowering.operator.outputs[0] in lowering.graph.outputs, "it makes floats within the model")
    lowering.rename()
