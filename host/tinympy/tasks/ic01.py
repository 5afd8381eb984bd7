"""ic01: which of ten things a picture shows (MLPerf Tiny image classification, ResNet-8 on CIFAR-10 test images)."""

from __future__ import annotations

from tinympy.tasks.base import LabelledTask, image
from tinympy.tasks.scoring import Int8


class Ic01(LabelledTask):
    """Inputs are 32×32 pixels, row after row, each red, green, blue."""

    name = "ic01"
    title = "image classification"
    model_file = "pretrainedResnet_quant.tflite"
    data_set = "ic01"
    full_n = 200
    file_bytes = 3072
    file_how = "32×32 pixels of RGB, uint8, from which 128 is subtracted"
    wire_bytes = 3072
    wire_input = "uint8-128"
    wire_results = "rounded"

    def _inputs(self, data: bytes, name: str) -> Int8:
        return image(data)
