"""Whether a model fits a board, where its weights would live, and how long an inference would take there."""

from __future__ import annotations

from dataclasses import dataclass
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


class Fitting:
    """One compiled model, to be compared with boards. `content` is the model file."""

    def __init__(self, content: bytes, compiled: Compiled, built: dict[str, int]) -> None:
        self._content = content
        self._compiled = compiled
        self._built = built
        self._in_flash: tuple[int, int] | ModelError | None = None

    def on(self, board: Board) -> Fit:
        module_bytes = self._built.get(board.arch)
        fixed_bytes = PACKAGE_BYTES + (module_bytes or max(self._built.values()))
        arena_bytes, program_bytes = self._compiled.arena.bytes, len(self._compiled.program)
        needed_bytes = fixed_bytes + arena_bytes + program_bytes
        weights: Literal["heap", "flash"] | None = "heap"
        reason = _shortage(board, needed_bytes, max(arena_bytes, program_bytes))
        if reason and board.maps_files:
            head_bytes, file_bytes, reason = self._weights_in_flash()
            if not reason:
                weights = "flash"
                needed_bytes = fixed_bytes + arena_bytes + head_bytes
                reason = _shortage(board, needed_bytes, arena_bytes)
                if not reason and board.files_bytes is not None and file_bytes > board.files_bytes:
                    reason = f"its weights take {file_bytes} bytes of flash files, there are {board.files_bytes}"
        fits = not reason
        if fits and module_bytes is None:
            reason = f"no native module for {board.arch} yet"
        cycles = inference_cycles(self._compiled.graph, board.arch)
        latency_s = cycles / board.clock_hz if fits and cycles is not None and board.clock_hz else None
        return Fit(board, module_bytes, fits, weights if fits else None, needed_bytes, reason, latency_s)

    def _weights_in_flash(self) -> tuple[int, int, str]:
        """Bytes of heap for the program's head, bytes of flash for all of it, and why it cannot be, if it cannot."""
        if self._in_flash is None:
            try:
                tiled = compile_model(self._content, tile_bytes=TILE_BYTES)
            except ModelError as error:
                self._in_flash = error
            else:
                head = Head(tiled.program)
                self._in_flash = (head.head_bytes, len(tiled.program) + head.tile_count * (BLOCK_BYTES - TILE_BYTES))
        if isinstance(self._in_flash, ModelError):
            return 0, 0, self._in_flash.message
        return *self._in_flash, ""


def _shortage(board: Board, needed_bytes: int, largest_bytes: int) -> str:
    if needed_bytes > board.heap_bytes:
        return f"needs {needed_bytes} bytes of heap, has {board.heap_bytes}"
    if board.block_bytes is not None and largest_bytes > board.block_bytes:
        return f"needs {largest_bytes} bytes in one piece, has {board.block_bytes}"
    return ""
