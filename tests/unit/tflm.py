"""The reference: what tflite-micro makes of a task's samples."""

import numpy as np
import numpy.typing as npt
import pytest

from tinympy.tasks import Sample, Task

Int8 = npt.NDArray[np.int8]


def outputs(task: Task, samples: list[Sample]) -> list[Int8]:
    """One array (windows, output bytes) for each sample; skips the test where tflite-micro is not installed."""
    runtime = pytest.importorskip("tflite_micro").runtime
    interpreter = runtime.Interpreter.from_bytes(task.model())
    shape = interpreter.get_input_details(0)["shape"]

    def infer(window: Int8) -> Int8:
        interpreter.set_input(window.reshape(shape), 0)
        interpreter.invoke()
        output: Int8 = interpreter.get_output(0).reshape(-1).copy()
        return output

    return [np.array([infer(window) for window in sample.inputs]) for sample in samples]
