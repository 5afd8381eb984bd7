"""digits: which handwritten digit an image of 8×8 pixels shows; bundled, so it needs no network."""

from __future__ import annotations

import io
from importlib import resources

import numpy as np

from tinympy import labels
from tinympy.tasks.base import Sample, Task, check_limit, one_window


class Digits(Task):
    name = "digits"
    title = "handwritten digits"
    official = False
    model_file = "digits_int8.tflite"
    full_n = 360
    wire_bytes = 64
    wire_input = "int8"
    wire_results = "truncated"

    def missing(self) -> list[str]:
        return []

    def model(self) -> bytes:
        return _bundled(self.model_file)

    def samples(self, limit: int | None = None) -> list[Sample]:
        check_limit(limit)
        images = np.load(io.BytesIO(_bundled("inputs.npy")), allow_pickle=False)
        rows = labels.parse(_bundled("y_labels.csv").decode(), "digits/y_labels.csv")
        return [
            Sample(row.file, row.label, one_window(image.tobytes()), image.tobytes())
            for row, image in zip(rows[:limit], images[:limit], strict=True)
        ]


def _bundled(file: str) -> bytes:
    return (resources.files("tinympy.datasets") / "digits" / file).read_bytes()
