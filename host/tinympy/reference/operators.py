"""The list of what the reference engine computes: one numpy function for each operator."""

from __future__ import annotations

from collections.abc import Callable

from tinympy.reference import (
    activations,
    convolution,
    elementwise,
    lstm,
    pooling,
    quantisation,
    reduction,
    softmax,
    svdf,
    variables,
)
from tinympy.reference.node import Array, Node

OPERATORS: dict[str, Callable[[Node], list[Array]]] = {
    "ABS": activations.absolute,
    "ADD": elementwise.add,
    "ASSIGN_VARIABLE": variables.assign_variable,
    "AVERAGE_POOL_2D": pooling.average_pool_2d,
    "CALL_ONCE": variables.call_once,
    "CONV_2D": convolution.conv_2d,
    "DEPTHWISE_CONV_2D": convolution.depthwise_conv_2d,
    "DEQUANTIZE": quantisation.dequantize,
    "ELU": activations.elu,
    "FULLY_CONNECTED": convolution.fully_connected,
    "HARD_SWISH": activations.hard_swish,
    "LEAKY_RELU": activations.leaky_relu,
    "LOGISTIC": activations.logistic,
    "LOG_SOFTMAX": softmax.log_softmax,
    "MAXIMUM": elementwise.maximum,
    "MAX_POOL_2D": pooling.max_pool_2d,
    "MEAN": reduction.mean,
    "MINIMUM": elementwise.minimum,
    "MUL": elementwise.mul,
    "PRELU": elementwise.prelu,
    "QUANTIZE": quantisation.quantize,
    "READ_VARIABLE": variables.read_variable,
    "REDUCE_MAX": reduction.reduce_max,
    "REDUCE_MIN": reduction.reduce_min,
    "RELU": activations.relu,
    "RELU6": activations.relu6,
    "SOFTMAX": softmax.softmax,
    "SUB": elementwise.sub,
    "SUM": reduction.sum_,
    "SVDF": svdf.svdf,
    "TANH": activations.tanh,
    "TRANSPOSE_CONV": convolution.transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.lstm,
    "VAR_HANDLE": variables.var_handle,
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
            result.size == tensor.elements and tensor.dtype in (result.dtype.name, "resource"),
            f"it gives {result.dtype} of shape {result.shape}, but tensor {tensor.name!r} is {tensor.dtype} of shape "
            f"{tensor.shape}",
        )
    # Functions need not care how a shape is spelt: (1, 4) or (4,).
    return [result.reshape(tensor.shape) for tensor, result in zip(node.output_tensors, results, strict=True)]
