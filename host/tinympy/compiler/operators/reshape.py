"""RESHAPE: another name for the same bytes; no operation."""

from tinympy.compiler.lowering import Lowering


def lower(lowering: Lowering) -> None:
    tensor, output = lowering.input(0), lowering.output()
    lowering.require_int8(tensor, output)
    lowering.require(tensor.elements == output.elements, f"{tensor.elements} elements into shape {output.shape}")
    lowering.rename()
