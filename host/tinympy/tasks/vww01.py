"""vww01: is there a person in the picture (MLPerf Tiny visual wake words, MobileNetV1 0.25 on COCO 2014 images)."""

from __future__ import annotations

from tinympy.tasks.base import LabelledTask, image
from tinympy.tasks.scoring import Int8


class Vww01(LabelledTask):
    """Inputs are 96×96 pixels, row after row, each red, green, blue."""

    name = "vww01"
    title = "visual wake words"
    model_file = "vww_96_int8.tflite"
    data_set = "vww01"
    full_n = 1000
    file_bytes = 27_648
    file_how = "96×96 pixels of RGB, uint8, from which 128 is subtracted"
    wire_bytes = 27_648
    wire_input = "uint8-128"
    wire_results = "rounded"

    def _inputs(self, data: bytes, name: str) -> Int8:
        return image(data)
