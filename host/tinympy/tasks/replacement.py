"""A model in place of an official one: on the same data, so with the same inputs and outputs."""

from __future__ import annotations

import math
from pathlib import Path

from tinympy.errors import UsageError
from tinympy.generated import table
from tinympy.signature import End, Signature

# The tables have scales with seven digits and more.
_SAME = 1e-6


def read(file: Path, task: str, quantises: bool) -> bytes:
    """The content of `file`, whose input and output are those of the task's official model.

    quantises -- the task takes scales and zero points from the model

    Raises:
        UsageError: it cannot be read, or they differ.
        ModelError: it is no model that the compiler takes.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", "name a .tflite file") from error
    signature, rows = Signature.read(content), table.rows(task)
    for what, ends, row in (("input", signature.inputs, rows[0]), ("output", signature.outputs, rows[-1])):
        if len(ends) != 1:
            raise UsageError(f"{file} has {len(ends)} {what}s, {task} has one", "a model alone: --model")
        found, wanted = ends[0], End(what, row.shape, "int8", "int8", row.scale, row.zero_point, (-128, 127))
        same = (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        if not same or not (quantises or _quantised_alike(found, wanted)):
            raise UsageError(
                f"the {what} of {file} is {_said(found)}, that of {task} {_said(wanted)}",
                "a model for other data can be timed alone: --model",
            )
    return content


def _quantised_alike(a: End, b: End) -> bool:
    return a.zero_point == b.zero_point and math.isclose(a.scale, b.scale, rel_tol=_SAME)


def _said(end: End) -> str:
    shape = "x".join(map(str, end.shape))
    return f"{end.dtype} {shape}, scale {end.scale:.6g}, zero point {end.zero_point}"
