"""kws01: which of twelve words was spoken (MLPerf Tiny keyword spotting, DS-CNN on 49 frames of 10 MFCCs)."""

from __future__ import annotations

from tinympy.tasks.base import LabelledTask, one_window
from tinympy.tasks.scoring import Int8


class Kws01(LabelledTask):
    name = "kws01"
    title = "keyword spotting"
    model_file = "kws_ref_model.tflite"
    data_set = "kws01"
    full_n = 1000
    file_bytes = 490
    file_how = "49 frames of 10 MFCCs, int8"
    wire_bytes = 490
    wire_input = "int8"
    wire_results = "truncated"

    def _inputs(self, data: bytes, name: str) -> Int8:
        return one_window(data)
