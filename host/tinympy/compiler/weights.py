"""Weights, bias and scales as constants by output channel, the input's zero point folded into the bias."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinympy.compiler.lowering import Lowering
from tinympy.compiler.operation import Channels
from tinympy.model.graph import Tensor
from tinympy.model.quantise import quantise_multiplier, scale_of, zero_point_of


def lower_channels(
    lowering: Lowering,
    weights: npt.NDArray[np.int8],
    axis: int,
    *,
    source: int = 0,
    bias: int = 2,
    bias_scale_matters: bool = False,
    taps_first: bool = False,
) -> Channels:
    """Constants for `weights` of shape (channels, taps); `axis` is where the weight tensor counts output channels.

    The operator's input 1 are the weights; `source` and `bias` say which its input and its bias are.
    `taps_first` lays the weights out tap by tap.

    TFLM multiplies the scales in double precision. Where the weights have one scale, FULLY_CONNECTED refuses a bias of
    another scale (`bias_scale_matters`), convolutions do not.
    """
    tensor, weight_tensor, output = lowering.input(source), lowering.input(1), lowering.output()
    channels = len(weights)
    scales = _weight_scales(lowering, weight_tensor, channels, axis)
    input_scale, output_scale = scale_of(tensor), scale_of(output)
    if bias_scale_matters and scales.size == 1:
        _require_bias_scale(lowering, bias, float(input_scale) * float(scales[0]), float(output_scale))
    real = [float(input_scale) * float(scale) / float(output_scale) for scale in scales]
    pairs = [quantise_multiplier(factor) for factor in real] * (channels // len(real))
    lowering.require(max(shift for _, shift in pairs) <= 30, "an output scale below 2^-30 of input times weight scale")
    folded = _bias(lowering, bias, channels) - zero_point_of(tensor) * weights.sum(axis=1, dtype=np.int64)
    return Channels(
        # The accumulator is a wrapping 32-bit integer, and so is this sum.
        bias=folded.astype(np.uint32).view(np.int32),
        multiplier=np.array([multiplier for multiplier, _ in pairs], np.int32),
        shift=np.array([shift for _, shift in pairs], np.int8),
        weights=weights,
        taps_first=taps_first,
    )


def constant_weights(lowering: Lowering) -> npt.NDArray[np.int8]:
    """The constant int8 weight tensor; ModelError when it is anything else."""
    tensor = lowering.input(1)
    lowering.require(tensor.data is not None, "its weights are not constant")
    lowering.require_int8(tensor)
    assert tensor.data is not None
    return tensor.data


def _weight_scales(lowering: Lowering, tensor: Tensor, channels: int, axis: int) -> npt.NDArray[np.float32]:
    quantization = tensor.quantization
    if quantization is None:
        raise lowering.refuse(f"weights {tensor.name!r} have no scale", "quantise the model to full int8")
    lowering.require(not np.any(quantization.zero_point), "weights with a zero point other than 0")
    scales = quantization.scale
    lowering.require(scales.size in (1, channels), f"{scales.size} weight scales for {channels} channels")
    if scales.size > 1:
        lowering.require(quantization.axis == axis, f"weights quantised along axis {quantization.axis}")
    lowering.require(bool(np.all(np.isfinite(scales)) and np.all(scales >= 0)), "weight scales must be positive")
    return scales


def _require_bias_scale(lowering: Lowering, position: int, product: float, output_scale: float) -> None:
    """TFLM's GetQuantizedConvolutionMultipler: the bias counts in units of input times weight scale, or nearly so."""
    tensor = lowering.optional_input(position)
    if tensor is not None:
        difference = abs(product - float(scale_of(tensor)))
        lowering.require(
            difference / output_scale <= 0.02, "its bias scale is not the product of input and weight scale"
        )


def _bias(lowering: Lowering, position: int, channels: int) -> npt.NDArray[np.int64]:
    tensor = lowering.optional_input(position)
    if tensor is None:
        return np.zeros(channels, np.int64)
    lowering.require(tensor.data is not None and tensor.dtype == "int32", "its bias is not a constant int32 tensor")
    lowering.require(tensor.elements == channels, f"{tensor.elements} biases for {channels} channels")
    assert tensor.data is not None
    return tensor.data.reshape(-1).astype(np.int64)
