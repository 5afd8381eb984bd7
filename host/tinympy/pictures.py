"""Pictures as a model's input: turned upright, resized, in the model's channels and range."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np

from tinympy.errors import UsageError
from tinympy.signature import Array, End

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")

# What trainers make of 0 … 255; the model's input range tells which of them it was.
_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (-128.0, 127.0))
_TOLERANCE = 0.03


@dataclass(frozen=True)
class Pixels:
    """What black and white mean to the model (None: to be seen from its input's range), and the order of channels."""

    levels: tuple[float, float] | None = None
    bgr: bool = False


def read(file: Path, end: End, pixels: Pixels) -> tuple[list[Array], str]:
    """A picture as one raw input tensor, and a sentence on how it was made.

    Raises:
        UsageError: the input is no picture's, its range is unclear, or the file or Pillow is missing or damaged.
    """
    if len(end.shape) != 4 or end.shape[0] != 1 or end.shape[3] not in (1, 3):
        raise UsageError(
            f"{file} is a picture, but input {end.name!r} has shape {end.shape}",
            "pictures go into inputs of shape (1, height, width, 1 or 3)",
        )
    low, high = pixels.levels or _levels(end)
    if not (np.isfinite([low, high]).all() and low != high):
        raise UsageError(f"pixels from {low:g} to {high:g}", "--pixels takes two different numbers")
    _, height, width, channels = end.shape
    values = _open(file, "L" if channels == 1 else "RGB", (width, height))
    if pixels.bgr and channels == 3:
        values = values[..., ::-1]
    order = "grey" if channels == 1 else "BGR" if pixels.bgr else "RGB"
    raw = end.quantised(low + values.astype(np.float64) * ((high - low) / 255))
    black, white = end.quantised(np.array([low, high]))
    return [raw.reshape(-1)], (
        f"pictures are resized to {width}×{height} (bilinear, proportions not kept), {order}, "
        f"pixel 0…255 → {low:g}…{high:g} → {end.raw_dtype} {black}…{white}"
    )


def _levels(end: End) -> tuple[float, float]:
    low, high = end.real_range
    for black, white in _RANGES:
        if max(abs(black - low), abs(white - high)) <= _TOLERANCE * (high - low):
            return black, white
    raise UsageError(
        f"input {end.name!r} has values from {low:.4g} to {high:.4g}: what black and white are is unclear",
        "say with --pixels LOW HIGH which values the model was trained with for them",
    )


def _open(file: Path, mode: str, size: tuple[int, int]) -> Array:
    """The picture as unsigned bytes of shape (height, width) or (height, width, 3)."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise UsageError("pictures need Pillow, which is not installed", "pip install 'tinympy[pictures]'") from error
    try:
        with catch_warnings():
            # Those of damaged notes and of great size; what cannot be read at all is an error.
            simplefilter("ignore")
            with Image.open(file) as picture:
                # What a camera notes about how it was held.
                upright = ImageOps.exif_transpose(picture).convert(mode)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise UsageError(f"{file} is no picture that can be read: {error}") from error
    return np.asarray(upright if upright.size == size else upright.resize(size, Image.Resampling.BILINEAR))
