"""How TensorFlow Lite Micro turns scales into integers (its `quantization_util.cc` and `kernel_util.cc`)."""

from __future__ import annotations

import math

import numpy as np

from tinympy.compiler.graph import Tensor
from tinympy.errors import ModelError

INT8_MIN, INT8_MAX = -128, 127


def quantise_multiplier(real: float) -> tuple[int, int]:
    """A real factor as (multiplier, shift), real ≈ multiplier * 2^(shift - 31), 2^30 <= multiplier < 2^31 or both 0.

    Factors below 2^-32 become 0. Source: QuantizeMultiplier, double rounding.
    """
    if not math.isfinite(real) or real < 0:
        raise ModelError(f"a quantisation scale ratio of {real}", "the scales of a quantised tensor must be positive")
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def scale_of(tensor: Tensor) -> np.float32:
    """The one scale of a tensor quantised per tensor; ModelError when it has none or several."""
    if tensor.quantization is None or tensor.quantization.scale.size != 1:
        raise ModelError(f"tensor {tensor.name!r} is not quantised per tensor", "quantise the model to full int8")
    scale = np.float32(tensor.quantization.scale[0])
    if not np.isfinite(scale) or scale <= 0:
        raise ModelError(f"tensor {tensor.name!r} has scale {scale}", "the scale of a quantised tensor is positive")
    return scale


def zero_point_of(tensor: Tensor) -> int:
    """The one zero point of an int8 tensor; ModelError when it lies outside int8."""
    scale_of(tensor)
    assert tensor.quantization is not None
    if tensor.quantization.zero_point.size != 1 or not INT8_MIN <= tensor.quantization.zero_point[0] <= INT8_MAX:
        raise ModelError(
            f"tensor {tensor.name!r} has zero point {tensor.quantization.zero_point}", "int8 needs -128 … 127"
        )
    return int(tensor.quantization.zero_point[0])


def activation_range(activation: str, output: Tensor) -> tuple[int, int]:
    """The clamp (lowest, highest int8) that a fused activation means on `output`."""
    scale, zero_point = scale_of(output), zero_point_of(output)

    def quantised(real: float) -> int:
        # float32 division and halves away from zero, as in C's roundf.
        ratio = float(np.float32(real) / scale)
        return zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))

    low, high = {
        "NONE": (INT8_MIN, INT8_MAX),
        "RELU": (quantised(0.0), INT8_MAX),
        "RELU6": (quantised(0.0), quantised(6.0)),
        "RELU_N1_TO_1": (quantised(-1.0), quantised(1.0)),
    }.get(activation, (None, None))
    if low is None or high is None:
        raise ModelError(f"fused activation {activation} is not supported", "use NONE, RELU, RELU6 or RELU_N1_TO_1")
    return max(INT8_MIN, low), min(INT8_MAX, high)
