"""ic02: the data of ic01 with a network six times as large (new in MLPerf Tiny v1.4)."""

from __future__ import annotations

from tinympy.tasks.ic01 import Ic01


class Ic02(Ic01):
    name = "ic02"
    title = "image classification, large"
    model_file = "pretrainedResnet_large_int8.tflite"
