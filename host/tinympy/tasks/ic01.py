"""ic01: which of ten things a picture shows (MLPerf Tiny image classification, ResNet-8 on CIFAR-10 test images)."""

from __future__ import annotations

from tinympy.labels import Row
from tinympy.tasks.base import LabelledTask, image
from tinympy.tasks.scoring import Int8


class Ic01(LabelledTask):
    """Inputs are 32×32 pixels, row after row, each red, green, blue."""

    name = "ic01"
    title = "image classification"
    model_file = "pretrainedResnet_quant.tflite"
    data_set = "ic01"
    full_n = 200
    target = 0.85
    file_bytes = 3072
    wire_bytes = 3072
    wire_input = "uint8-128"
    wire_results = "rounded"

    def _inputs(self, row: Row, data: bytes) -> Int8:
        return image(data)
