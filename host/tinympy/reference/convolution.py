"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED: int8 weights, int32 bias and accumulator.

Sources: TFLM's conv_common.cc, depthwise_conv_common.cc, transpose_conv.cc, fully_connected_common.cc, kernel_util.cc
and the reference headers in integer_ops.

The products are summed in double precision: no sum of them comes near 2^53, and numpy multiplies matrices of doubles
much faster than matrices of integers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinympy.model.quantise import quantise_multiplier, scale_of
from tinympy.reference.arithmetic import multiply_quantised, wrap
from tinympy.reference.node import Array, Node
from tinympy.reference.window import Axis, Window

# How far the bias scale may be from input times weight scale, in units of the output scale.
_BIAS_SCALE_TOLERANCE = 0.02

Doubles = npt.NDArray[np.float64]


def conv_2d(node: Node) -> list[Array]:
    """Weights (output channels, height, width, input channels of a group), scaled per output channel or as a whole."""
    weights, window = _weights(node, 1), _window(node, 0)
    image, channels = _image(node, 0), len(weights)
    groups, rest = divmod(image.shape[3], weights.shape[3])
    node.require(rest == 0 and channels % groups == 0, f"{image.shape[3]} channels into {weights.shape[3]}")
    window.require_output(node, channels)
    total = np.zeros(node.output.shape)
    for row, column, tap in window.taps(image, 0):
        for part, share, matrix in zip(
            np.split(total, groups, axis=3),
            np.split(tap, groups, axis=3),
            np.split(weights[:, row, column], groups),
            strict=True,
        ):
            part += share @ matrix.T
    return [_quantised(node, total, axis=0)]


def depthwise_conv_2d(node: Node) -> list[Array]:
    """Weights (1, height, width, output channels); the option depth_multiplier is ignored, as TFLM does."""
    weights, window = _weights(node, 1), _window(node, 0)
    image, channels = _image(node, 0), weights.shape[3]
    multiplier, rest = divmod(channels, image.shape[3])
    node.require(rest == 0 and len(weights) == 1, f"weights of shape {weights.shape} for {image.shape[3]} channels")
    window.require_output(node, channels)
    image = np.repeat(image, multiplier, axis=3)
    return [_quantised(node, sum(tap * weights[0, y, x] for y, x, tap in window.taps(image, 0)), axis=3)]


def transpose_conv(node: Node) -> list[Array]:
    """Inputs: output shape, weights (output channels, height, width, input channels), image, bias.

    Every input position adds the kernel, times its value, to the output where the window of a convolution would have
    covered the position; what falls outside is lost.
    """
    weights, image, output = _weights(node, 1), _image(node, 2), node.output
    node.require(weights.shape[3] == image.shape[3], f"{image.shape[3]} channels into {weights.shape[3]}")
    node.require(
        len(output.shape) == 4 and output.shape[0] == len(image) and output.shape[3] == len(weights),
        f"output shape {output.shape}",
    )
    window = Window.of(node, output, (weights.shape[1], weights.shape[2]))
    reach = [(size - 1) * axis.stride + axis.kernel for size, axis in zip(image.shape[1:], _axes(window), strict=False)]
    before = [axis.padding[0] for axis in _axes(window)]
    behind = [max(0, axis.size + pad - size) for axis, pad, size in zip(_axes(window), before, reach, strict=True)]
    total = np.zeros((len(image), reach[0] + behind[0], reach[1] + behind[1], len(weights)))
    for row in range(weights.shape[1]):
        for column in range(weights.shape[2]):
            rows, columns = (
                slice(tap, tap + (size - 1) * axis.stride + 1, axis.stride)
                for tap, size, axis in zip((row, column), image.shape[1:], _axes(window), strict=False)
            )
            total[:, rows, columns] += image @ weights[:, row, column].T
    inside = total[:, before[0] : before[0] + output.shape[1], before[1] : before[1] + output.shape[2]]
    return [_quantised(node, inside, axis=0, image=2, bias=3)]


def _axes(window: Window) -> tuple[Axis, Axis]:
    return window.height, window.width


def fully_connected(node: Node) -> list[Array]:
    """Weights (outputs, inputs); the input counts as rows of `inputs` values."""
    weights = _weights(node, 1, dimensions=2)
    rows = _image(node, 0).reshape(-1, weights.shape[1])
    return [_quantised(node, rows @ weights.T, axis=0, dense=True)]


def _image(node: Node, position: int) -> Doubles:
    node.require_dtype("int8", position)
    return node.centred(position).astype(np.float64)


def _weights(node: Node, position: int, dimensions: int = 4) -> Doubles:
    node.require_dtype("int8", position)
    weights, quantization = node.input(position), node.tensor(position).quantization
    node.require(weights.ndim == dimensions and weights.size > 0, f"weights of shape {weights.shape}")
    node.require(quantization is not None and not np.any(quantization.zero_point), "weights with a zero point")
    return weights.astype(np.float64)


def _window(node: Node, image: int) -> Window:
    shape, options = node.tensor(1).shape, node.options
    dilation = (options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1))
    return Window.of(node, node.tensor(image), (shape[1], shape[2]), dilation)


def _quantised(
    node: Node, total: Array | float, axis: int, image: int = 0, bias: int = 2, dense: bool = False
) -> Array:
    """Bias added to the accumulators and these brought to the output's scale; channels go along the last axis."""
    accumulators = np.asarray(total).astype(np.int64)
    channels = accumulators.shape[-1]
    biases = node.optional_input(bias)
    if biases is not None:
        node.require(biases.dtype == np.int32 and biases.size == channels, f"a bias of {biases.size} {biases.dtype}")
        accumulators = accumulators + biases.reshape(-1)
    factors = _factors(node, image, channels, axis, bias, dense)
    pairs = [quantise_multiplier(factor) for factor in factors]
    node.require(max(shift for _, shift in pairs) <= 30, "an output scale below 2^-30 of input times weight scale")
    multipliers, shifts = np.array(pairs, np.int64).T
    return node.quantised(multiply_quantised(wrap(accumulators), multipliers, shifts))


def _factors(node: Node, image: int, channels: int, axis: int, bias: int, dense: bool) -> list[float]:
    """Real factors from accumulator to output, one or one for each channel."""
    quantization = node.tensor(1).quantization
    assert quantization is not None
    scales = quantization.scale
    node.require(scales.size in (1, channels), f"{scales.size} weight scales for {channels} channels")
    node.require(scales.size == 1 or quantization.axis == axis, f"weights quantised along axis {quantization.axis}")
    node.require(bool(np.all(np.isfinite(scales)) and np.all(scales >= 0)), "weight scales must be positive")
    source, output = scale_of(node.tensor(image)), scale_of(node.output)
    if dense and scales.size == 1 and node.optional_input(bias) is not None:
        difference = abs(float(source) * float(scales[0]) - float(scale_of(node.tensor(bias))))
        node.require(
            difference / float(output) <= _BIAS_SCALE_TOLERANCE,
            "its bias scale is not the product of input and weight scale",
        )
    return [float(source) * float(scale) / float(output) for scale in scales]
