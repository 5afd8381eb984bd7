"""The list of what the reference engine computes: one numpy function for each operator."""

from __future__ import annotations

from collections.abc import Callable

from tinympy.reference import activations, elementwise
from tinympy.reference.node import Array, Node

OPERATORS: dict[str, Callable[[Node], list[Array]]] = {
    "ABS": activations.absolute,
    "ADD": elementwise.add,
    "ELU": activations.elu,
    "HARD_SWISH": activations.hard_swish,
    "LEAKY_RELU": activations.leaky_relu,
    "LOGISTIC": activations.logistic,
    "MAXIMUM": elementwise.maximum,
    "MINIMUM": elementwise.minimum,
    "MUL": elementwise.mul,
    "PRELU": elementwise.prelu,
    "RELU": activations.relu,
    "RELU6": activations.relu6,
    "SUB": elementwise.sub,
    "TANH": activations.tanh,
}


def compute(node: Node) -> list[Array]:
    """The operator's outputs, each of its tensor's dtype and shape; ModelError when it cannot be computed."""
    if node.name not in OPERATORS:
        raise node.refuse("not known to the reference engine")
    try:
        results = OPERATORS[node.name](node)
    except (ValueError, IndexError) as error:
        # What numpy says of shapes and axes that contradict each other.
        raise node.refuse(str(error)) from error
    for tensor, result in zip(node.output_tensors, results, strict=True):
        node.require(
            result.dtype == tensor.dtype and result.size == tensor.elements,
            f"it gives {result.dtype} of shape {result.shape}, but tensor {tensor.name!r} is {tensor.dtype} of shape "
            f"{tensor.shape}",
        )
    # Functions need not care how a shape is spelt: (1, 4) or (4,).
    return [result.reshape(tensor.shape) for tensor, result in zip(node.output_tensors, results, strict=True)]
