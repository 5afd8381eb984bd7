"""Whether a model fits a board, where its weights would live, and how long an inference would take there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tinympy import deploy
from tinympy.boards import Board
from tinympy.compiler import Compiled, compile_model
from tinympy.device.program import Head
from tinympy.errors import BoardError, ModelError
from tinympy.inspection.cycles import inference_cycles

# Heap that the device package and a loaded model's objects take on a 32-bit board (tests/board/test_estimates.py).
PACKAGE_BYTES = 24_000

# A file in flash occupies blocks of 4 KiB. littlefs keeps up to 36 bytes of each, and a tile has a header of 16.
BLOCK_BYTES = 4096
TILE_BYTES = (BLOCK_BYTES - 36 - 16) & ~15


@dataclass(frozen=True)
class Fit:
    """A model and a board.

    module_bytes is None where no native module was built for the board's architecture; fits then counts with the
    largest of those that were. needed_bytes is the heap that the model, the module and the device package take
    together, with the weights in flash where they do not fit the heap. reason says why the model does not fit, or
    cannot run yet.
    """

    board: Board
    module_bytes: int | None
    fits: bool
    weights: Literal["heap", "flash"] | None
    needed_bytes: int
    reason: str
    latency_s: float | None

    @property
    def free_bytes(self) -> int:
        """Heap that is left, negative where it does not suffice."""
        return self.board.heap_bytes - self.needed_bytes


def modules(architectures: set[str]) -> dict[str, int]:
    """Bytes of RAM that the native module takes, by architecture, for those it was built for."""
    built = {}
    for architecture in sorted(architectures):
        try:
            built[architecture] = deploy.native_module(deploy.Mpy(deploy.MPY_VERSION, architecture)).ram_bytes
        except BoardError:
            continue
    return built


@dataclass(frozen=True)
class _Flash:
    """What a model takes with its weights in flash: heap for arena and head, and blocks for the file."""

    arena_bytes: int
    head_bytes: int
    file_bytes: int


class Fitting:
    """One compiled model, to be compared with boards. `content` is the model file."""

    def __init__(self, content: bytes, compiled: Compiled, built: dict[str, int]) -> None:
        self._content = content
        self._compiled = compiled
        self._built = built

    def on(self, board: Board) -> Fit:
        module_bytes = self._built.get(board.arch)
        fixed_bytes = PACKAGE_BYTES + (module_bytes or max(self._built.values()))
        arena_bytes, program_bytes = self._compiled.arena.bytes, len(self._compiled.program)
        needed_bytes = fixed_bytes + arena_bytes + program_bytes
        weights: Literal["heap", "flash"] | None = "heap"
        reason = _shortage(board, needed_bytes, max(arena_bytes, program_bytes))
        if reason and board.maps_files:
            weights = "flash"
            needed_bytes, reason = self._with_weights_in_flash(board, fixed_bytes, needed_bytes)
        fits = not reason
        if fits and module_bytes is None:
            reason = f"no native module for {board.arch} yet"
        cycles = inference_cycles(self._compiled.graph, board.arch)
        latency_s = cycles / board.clock_hz if fits and cycles is not None and board.clock_hz else None
        return Fit(board, module_bytes, fits, weights if fits else None, needed_bytes, reason, latency_s)

    def _with_weights_in_flash(self, board: Board, fixed_bytes: int, in_heap_bytes: int) -> tuple[int, str]:
        """Bytes of heap needed, and why it cannot be, if it cannot."""
        flash = self._flash
        if isinstance(flash, ModelError):
            return in_heap_bytes, flash.message
        needed_bytes = fixed_bytes + flash.arena_bytes + flash.head_bytes
        reason = _shortage(board, needed_bytes, flash.arena_bytes)
        if not reason and board.files_bytes is not None and flash.file_bytes > board.files_bytes:
            reason = f"its weights take {flash.file_bytes} bytes of flash files, there are {board.files_bytes}"
        return needed_bytes, reason

    @cached_property
    def _flash(self) -> _Flash | ModelError:
        """The model compiled for weights in flash; the error where one channel's weights do not fit a block."""
        try:
            tiled = compile_model(
                self._content, tile_bytes=TILE_BYTES, reuse_input=not self._compiled.arena.keeps_input
            )
        except ModelError as error:
            return error
        head = Head(tiled.program)
        return _Flash(tiled.arena.bytes, head.head_bytes, head.head_bytes + head.tile_count * BLOCK_BYTES)


def _shortage(board: Board, needed_bytes: int, largest_bytes: int) -> str:
    if needed_bytes > board.heap_bytes:
        return f"needs {needed_bytes} bytes of heap, has {board.heap_bytes}"
    if board.block_bytes is not None and largest_bytes > board.block_bytes:
        return f"needs {largest_bytes} bytes in one piece, has {board.block_bytes}"
    return ""
