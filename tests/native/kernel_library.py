"""The C kernels as a shared library: what `native_modules/Makefile` builds for the computer, driven through ctypes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tinympy.device.program import Head

from program_view import ProgramView

NATIVE_MODULES = Path(__file__).parents[2] / "native_modules"
RAW = {"int16": np.int16, "int32": np.int32}
VARIANTS = {
    "fast": "build/libtk.so",
    "sanitized": "build/libtk-sanitized.so",
    "narrow": "build/libtk-narrow.so",
    "dsp": "build/libtk-dsp.so",
}


class KernelLibrary:
    """One variant of the library; functions return negated errors as in tk.h."""

    def __init__(self, variant: str) -> None:
        if shutil.which("gcc") is None:
            pytest.skip("gcc is missing")
        self.variant = variant
        target = VARIANTS[variant]
        subprocess.run(["make", "--silent", "-C", str(NATIVE_MODULES), target], check=True)
        self.functions = ctypes.CDLL(str(NATIVE_MODULES / target))

    def load(self, program: bytes) -> Loaded:
        return Loaded(self, program)


class ProgramRefused(Exception):
    """tk_load or tk_run returned this negated error."""


class Loaded:
    """A checked program with its arena. Buffers are of the exact size, so that a sanitizer sees one byte too many."""

    def __init__(self, library: KernelLibrary, program: bytes) -> None:
        self._functions = library.functions
        self._program = _exact_copy(program)
        size = self._functions.tk_handle_bytes(self._program.ctypes, len(program))
        if size < 0:
            raise ProgramRefused(size)
        self._handle = _exact_copy(bytes(size))
        error = self._functions.tk_load(self._handle.ctypes, size, self._program.ctypes, len(program), None)
        if error < 0:
            raise ProgramRefused(error)
        self.view = ProgramView(program)

    @cached_property
    def head(self) -> Head:
        return Head(bytes(self.view))

    @cached_property
    def arena(self) -> npt.NDArray[np.uint8]:
        return _exact_copy(bytes(self.view.header.arena_bytes))

    def run(self, first: int = 0, last: int | None = None) -> None:
        last = self.view.header.operation_count if last is None else last
        error = self._functions.tk_run(
            self._handle.ctypes, len(self._handle), self.arena.ctypes, len(self.arena), first, last
        )
        if error < 0:
            raise ProgramRefused(error)

    def reset(self) -> None:
        """Give the state its initial value, as must be done before the first inference of a model that has any."""
        self.run(0, self.head.initial_operations)

    def infer(self, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        for tensor, values in zip(self.head.inputs, inputs, strict=True):
            self.arena[tensor.offset : tensor.offset + tensor.bytes] = values.reshape(-1).view(np.uint8)
        self.run(self.head.initial_operations)
        return [
            self.arena[tensor.offset : tensor.offset + tensor.bytes]
            .view(RAW.get(tensor.dtype, np.int8))
            .reshape(tensor.shape)
            for tensor in self.head.outputs
        ]


def _exact_copy(content: bytes) -> npt.NDArray[np.uint8]:
    """A memory block of just these bytes, which malloc aligns for anything."""
    copy = np.frombuffer(content, np.uint8).copy()
    assert copy.ctypes.data % 8 == 0
    return copy
