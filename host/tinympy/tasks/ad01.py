"""ad01: does a toy car sound as it should (MLPerf Tiny anomaly detection, an autoencoder on log-mel spectrograms).

A file is 200 frames of 128 float32, frame after frame; a window of 5 frames, moved on by one frame, is one model input.
Quantisation and error are those of the reference firmware in mlcommons/tiny (reference_submissions/anomaly_detection/
submitter_implemented.cpp and util/quantization_helpers.h).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinympy import assets
from tinympy.errors import UsageError
from tinympy.labels import Row
from tinympy.signature import Signature
from tinympy.tasks import scoring
from tinympy.tasks.base import Accuracy, LabelledTask, Sample
from tinympy.tasks.scoring import Int8

Float32 = npt.NDArray[np.float32]

# The tensors' parameters as ad01_int8.tflite has them.
INPUT_SCALE = np.float32(0.3910152316093445)
INPUT_ZERO_POINT = 89
OUTPUT_SCALE = np.float32(0.36449846625328064)
OUTPUT_ZERO_POINT = 96

WINDOW_BYTES = 2560
STRIDE_BYTES = 512

EXAMPLE = Row("normal_id_01_00000000_hist_librosa.bin", 2, 0, WINDOW_BYTES, STRIDE_BYTES)
"""The only input that is published; the label file does not list it."""


class Ad01(LabelledTask):
    """Scores all 248 files by AUC; where none of them is here, the published example by its mean error."""

    name = "ad01"
    title = "anomaly detection"
    model_file = "ad01_int8.tflite"
    data_set = "ad01"
    full_n = 248
    classifies = False
    quantises = True
    file_bytes = 102_400
    file_how = "200 frames of 128 log mel energies, float32, of which each input has 5, quantised as the reference does"
    wire_bytes = WINDOW_BYTES
    wire_input = "float32"
    wire_results = "mse"

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self._input = INPUT_SCALE, INPUT_ZERO_POINT
        self._output = OUTPUT_SCALE, OUTPUT_ZERO_POINT

    def replace_model(self, file: Path) -> None:
        super().replace_model(file)
        signature = Signature.read(self.model())
        self._input, self._output = (
            (np.float32(end.scale), end.zero_point) for end in (signature.inputs[0], signature.outputs[0])
        )

    def score(self, samples: Sequence[Sample], outputs: Sequence[Int8]) -> Accuracy:
        """AUC of the files' scores when both classes are among them, else their mean.

        A file's score is the mean over its windows of the mean squared error between output and float input.
        """
        scores = [
            file_score(windows(s.data), output, *self._output) for s, output in zip(samples, outputs, strict=True)
        ]
        known = [sample.label for sample in samples]
        digest = scoring.outputs_sha256(outputs)
        if len(set(known)) < 2:
            return Accuracy("mean_score", float(np.mean(scores)), len(samples), digest)
        return Accuracy("auc", scoring.auc(known, scores), len(samples), digest)

    def _rows(self) -> list[Row]:
        example = self._find(EXAMPLE)
        if example is None or any(other.name != EXAMPLE.file for other in example.parent.glob("*.bin")):
            return super()._rows()
        assets.path(self._input_name(EXAMPLE), self.folder)
        return [EXAMPLE]

    def _inputs(self, data: bytes, name: str) -> Int8:
        spectrogram = windows(data)
        if not np.isfinite(spectrogram).all():
            raise UsageError(f"{name} holds values that are not finite numbers")
        return quantise(spectrogram, *self._input)


def windows(data: bytes) -> Float32:
    """The sliding windows of a file of little-endian float32, shape (windows, 640)."""
    values = np.frombuffer(data, "<f4").astype(np.float32, copy=False)
    return np.lib.stride_tricks.sliding_window_view(values, WINDOW_BYTES // 4)[:: STRIDE_BYTES // 4]


def quantise(values: Float32, scale: np.float32 = INPUT_SCALE, zero_point: int = INPUT_ZERO_POINT) -> Int8:
    """Real numbers as the model's int8 inputs: divided in float32, rounded half away from zero, clamped."""
    # In float64 adding a half is exact, so 0.49999997 stays below 1 as it does with C's round().
    with np.errstate(over="ignore"):
        quotient = (values / scale).astype(np.float64)
    rounded = np.trunc(quotient + np.copysign(0.5, quotient)) + zero_point
    quantised: Int8 = np.clip(rounded, -128, 127).astype(np.int8)
    return quantised


def file_score(
    inputs: Float32, outputs: Int8, scale: np.float32 = OUTPUT_SCALE, zero_point: int = OUTPUT_ZERO_POINT
) -> float:
    """Mean squared error between dequantised outputs and float inputs, both of shape (windows, 640)."""
    real = (outputs.astype(np.float32) - zero_point) * scale
    return float(np.mean(np.square(real.astype(np.float64) - inputs)))
