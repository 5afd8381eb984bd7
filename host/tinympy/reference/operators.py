"""The list of what the reference engine computes: one numpy function for each operator."""

from __future__ import annotations

from collections.abc import Callable

from tinympy.reference import (
    activations,
    bilinear,
    blocks,
    convolution,
    elementwise,
    layout,
    lstm,
    matrices,
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
    "ARG_MAX": reduction.arg_max,
    "ARG_MIN": reduction.arg_min,
    "ASSIGN_VARIABLE": variables.assign_variable,
    "AVERAGE_POOL_2D": pooling.average_pool_2d,
    "BATCH_MATMUL": matrices.batch_matmul,
    "BATCH_TO_SPACE_ND": blocks.batch_to_space_nd,
    "BROADCAST_TO": layout.broadcast_to,
    "CALL_ONCE": variables.call_once,
    "CAST": quantisation.cast,
    "CONCATENATION": layout.concatenation,
    "CONV_2D": convolution.conv_2d,
    "DEPTHWISE_CONV_2D": convolution.depthwise_conv_2d,
    "DEPTH_TO_SPACE": blocks.depth_to_space,
    "DEQUANTIZE": quantisation.dequantize,
    "ELU": activations.elu,
    "EXPAND_DIMS": layout.reshape,
    "FILL": layout.fill,
    "FULLY_CONNECTED": convolution.fully_connected,
    "GATHER": layout.gather,
    "HARD_SWISH": activations.hard_swish,
    "LEAKY_RELU": activations.leaky_relu,
    "LOGISTIC": activations.logistic,
    "LOG_SOFTMAX": softmax.log_softmax,
    "MAXIMUM": elementwise.maximum,
    "MAX_POOL_2D": pooling.max_pool_2d,
    "MEAN": reduction.mean,
    "MINIMUM": elementwise.minimum,
    "MIRROR_PAD": layout.mirror_pad,
    "MUL": elementwise.mul,
    "NEG": activations.neg,
    "PACK": layout.pack,
    "PAD": layout.pad,
    "PADV2": layout.pad,
    "PRELU": elementwise.prelu,
    "QUANTIZE": quantisation.quantize,
    "READ_VARIABLE": variables.read_variable,
    "REDUCE_MAX": reduction.reduce_max,
    "REDUCE_MIN": reduction.reduce_min,
    "RELU": activations.relu,
    "RELU6": activations.relu6,
    "RESHAPE": layout.reshape,
    "RESIZE_BILINEAR": bilinear.resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": blocks.resize_nearest_neighbor,
    "REVERSE_V2": layout.reverse,
    "SHAPE": layout.shape,
    "SLICE": layout.slice_,
    "SOFTMAX": softmax.softmax,
    "SPACE_TO_BATCH_ND": blocks.space_to_batch_nd,
    "SPACE_TO_DEPTH": blocks.space_to_depth,
    "SPLIT": layout.split,
    "SPLIT_V": layout.split_v,
    "SQUEEZE": layout.reshape,
    "STRIDED_SLICE": layout.strided_slice,
    "SUB": elementwise.sub,
    "SUM": reduction.sum_,
    "SVDF": svdf.svdf,
    "TANH": activations.tanh,
    "TRANSPOSE": layout.transpose,
    "TRANSPOSE_CONV": convolution.transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.lstm,
    "UNPACK": layout.unpack,
    "VAR_HANDLE": variables.var_handle,
    "ZEROS_LIKE": layout.zeros_like,
}


def compute(node: Node) -> list[Array]:
    """The operator's outputs, each of its tensor's dtype and shape; ModelError when it cannot be computed."""
    if node.name not in OPERATORS:
        raise node.refuse("not known to the reference engine")
    try:
        results = OPERATORS[node.name](node)
    except (ValueError, IndexError, MemoryError) as error:
        # What numpy says of shapes and axes that contradict each other, or of sizes that no model has.
        raise node.refuse(str(error)) from error
    node.require(len(results) == len(node.output_tensors), f"{len(node.output_tensors)} outputs, not {len(results)}")
    for tensor, result in zip(node.output_tensors, results, strict=True):
        node.require(
            result.size == tensor.elements and tensor.dtype in (result.dtype.name, "resource"),
            f"it gives {result.dtype} of shape {result.shape}, but tensor {tensor.name!r} is {tensor.dtype} of shape "
            f"{tensor.shape}",
        )
    # Functions need not care how a shape is spelt: (1, 4) or (4,).
    return [result.reshape(tensor.shape) for tensor, result in zip(node.output_tensors, results, strict=True)]
