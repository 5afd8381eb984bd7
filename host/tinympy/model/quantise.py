"""How TensorFlow Lite Micro turns scales into integers (its `quantization_util.cc` and `kernel_util.cc`)."""

from __future__ import annotations

import math

import numpy as np

from tinympy.errors import ModelError
from tinympy.model.graph import Tensor

# Least and greatest number of each quantised dtype.
INTEGER_RANGES = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-(1 << 15), (1 << 15) - 1),
    "int32": (-(1 << 31), (1 << 31) - 1),
}

# Lowest and highest real output; None: whatever the output's dtype holds.
_ACTIVATIONS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}


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
    """The one zero point of a tensor quantised per tensor; ModelError when it lies outside the tensor's dtype."""
    scale_of(tensor)
    assert tensor.quantization is not None
    low, high = integer_range(tensor)
    if tensor.quantization.zero_point.size != 1 or not low <= tensor.quantization.zero_point[0] <= high:
        raise ModelError(
            f"tensor {tensor.name!r} has zero point {tensor.quantization.zero_point}",
            f"{tensor.dtype} needs {low} … {high}",
        )
    return int(tensor.quantization.zero_point[0])


def is_count(tensor: Tensor) -> bool:
    """Whether its int32 stand for themselves (an index, as ARG_MAX makes), not for real numbers."""
    return tensor.dtype == "int32" and (tensor.quantization is None or tensor.quantization.scale.size == 0)


def integer_range(tensor: Tensor) -> tuple[int, int]:
    """Least and greatest number of the tensor's dtype; ModelError when that is no quantised one."""
    if tensor.dtype not in INTEGER_RANGES:
        raise ModelError(f"tensor {tensor.name!r} is {tensor.dtype}", "quantise the model to full int8")
    return INTEGER_RANGES[tensor.dtype]


def activation_range(activation: str, output: Tensor) -> tuple[int, int]:
    """The clamp (lowest, highest integer) that a fused activation means on `output`."""
    if activation not in _ACTIVATIONS:
        raise ModelError(f"fused activation {activation} is not supported", f"use one of {', '.join(_ACTIVATIONS)}")
    low, high = _ACTIVATIONS[activation]
    least, greatest = integer_range(output)
    return (
        least if low is None else max(least, _quantised(low, output)),
        greatest if high is None else min(greatest, _quantised(high, output)),
    )


def _quantised(real: float, tensor: Tensor) -> int:
    """A real number in units of `tensor`, not clamped; ModelError where TFLM's 32-bit integers end."""
    # float32 division and halves away from zero, as in C's roundf.
    with np.errstate(over="ignore"):
        ratio = float(np.float32(real) / scale_of(tensor))
    if abs(ratio) >= 1 << 31:
        raise ModelError(f"tensor {tensor.name!r} has scale {scale_of(tensor)}", "it is too small for its activation")
    return zero_point_of(tensor) + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))
