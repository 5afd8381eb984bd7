"""The C kernels as a shared library: what `native_modules/Makefile` builds for the computer, driven through ctypes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tinympy.device.program import Head

NATIVE_MODULES = Path(__file__).parents[2] / "native_modules"
VARIANTS = {"fast": "build/libtk.so", "sanitized": "build/libtk-sanitized.so", "narrow": "build/libtk-narrow.so"}


class KernelLibrary:
    """One variant of the library; functions return negated errors as in tk.h."""

    def __init__(self, variant: str) -> None:
        if shutil.which("gcc") is None:
            pytest.skip("gcc is missing")
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
        self._program = _aligned_copy(program)
        self._length = len(program)
        size = self._functions.tk_handle_bytes(self._program.ctypes, self._length)
        if size < 0:
            raise ProgramRefused(size)
        self._handle = _aligned_copy(bytes(size))
        error = self._functions.tk_load(self._handle.ctypes, size, self._program.ctypes, self._length, None)
        if error < 0:
            raise ProgramRefused(error)
        self.head = Head(program)
        self.arena = _aligned_copy(bytes(self.head.arena_bytes))

    def run(self, first: int = 0, last: int | None = None) -> None:
        last = self.head.operation_count if last is None else last
        arena_bytes = len(self.arena)
        error = self._functions.tk_run(
            self._handle.ctypes, len(self._handle), self.arena.ctypes, arena_bytes, first, last
        )
        if error < 0:
            raise ProgramRefused(error)

    def infer(self, *inputs: npt.NDArray[np.int8]) -> list[npt.NDArray[np.int8]]:
        for tensor, values in zip(self.head.inputs, inputs, strict=True):
            self.arena[tensor.offset : tensor.offset + tensor.bytes] = values.reshape(-1).view(np.uint8)
        self.run()
        return [
            self.arena[tensor.offset : tensor.offset + tensor.bytes].view(np.int8).reshape(tensor.shape)
            for tensor in self.head.outputs
        ]


def _aligned_copy(content: bytes) -> npt.NDArray[np.uint8]:
    """At a multiple of 8, ending where its memory block ends."""
    words = np.zeros(-(-len(content) // 8) or 1, np.uint64)
    copy = words.view(np.uint8)[: len(content)]
    copy[:] = np.frombuffer(content, np.uint8)
    return copy
