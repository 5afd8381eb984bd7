"""The engines in Python, run by CPython and driven as KernelLibrary drives the C kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tinympy.device.model import Model
from tinympy.device.program import Head

RAW = {"int16": np.int16, "int32": np.int32}


class EngineLibrary:
    """Loads programs for `engine`, a class with the interface of device/tinympy/native.py's."""

    def __init__(self, engine: type) -> None:
        self.engine = engine

    def load(self, program: bytes) -> LoadedModel:
        return LoadedModel(Model(bytearray(program), engine=self.engine))


class LoadedModel:
    """A program with its arena."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.head: Head = model.head

    def reset(self) -> None:
        self.model.reset()

    def infer(self, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        for view, values in zip(self.model.inputs, inputs, strict=True):
            view[:] = values.tobytes()
        self.model.run()
        return [
            np.frombuffer(bytes(view), RAW.get(tensor.dtype, np.int8)).reshape(tensor.shape)
            for view, tensor in zip(self.model.outputs, self.head.outputs, strict=True)
        ]
