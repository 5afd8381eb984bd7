"""Whether a model fits a board, where its weights would live, and how long an inference would take there."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from tinympy import deploy
from tinympy.boards import Board
from tinympy.compiler import Compiled, compile_model
from tinympy.device import blocks
from tinympy.device import program as layout
from tinympy.engines import ENGINES
from tinympy.errors import BoardError, UsageError
from tinympy.inspection.cycles import inference_cycles, source

_MEASURED = "armv6m"

Weights = Literal["heap", "flash"]


@dataclass(frozen=True)
class Fit:
    """A model and a board.

    module_bytes is what the board's engine takes, None where no native module was built for it; fits then counts with
    the largest of those that were. needed_bytes is the heap that the model, the engine and the device package take
    together, with the weights in flash where they do not fit the heap. reason says why the model does not fit, or
    cannot run yet. estimate_source says what latency_s comes from.
    """

    board: Board
    module_bytes: int | None
    fits: bool
    weights: Weights | None
    needed_bytes: int
    reason: str
    latency_s: float | None
    estimate_source: str | None = None

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
    """One model, to be compared with boards.

    content -- the model file; compiled -- its program for the heap; built -- what `modules` says
    """

    def __init__(self, content: bytes, compiled: Compiled, built: dict[str, int], name: str = "model") -> None:
        self._content = content
        self._compiled = compiled
        self._built = built
        self._name = name
        self._in_flash: dict[int, Compiled] = {}

    def on(self, board: Board) -> Fit:
        interpreted = ENGINES[board.engine].interpreted
        module_bytes = ENGINES[board.engine].ram_bytes if interpreted else self._built.get(board.arch)
        fixed_bytes = deploy.PACKAGE_BYTES + (module_bytes or max(self._built.values()))
        arena_bytes, program_bytes = self._compiled.arena.bytes, len(self._compiled.program)
        needed_bytes = fixed_bytes + arena_bytes + program_bytes
        weights: Weights | None = "heap"
        reason = _shortage(board, needed_bytes, max(arena_bytes, program_bytes))
        if reason and board.mapped_block_bytes is not None:
            weights = "flash"
            needed_bytes, reason = self._with_weights_in_flash(board, board.mapped_block_bytes, fixed_bytes)
        fits = not reason
        if fits and module_bytes is None:
            reason = f"no native module for {board.arch} yet"
        # Those of the kernels in C.
        cycles = None if interpreted else inference_cycles(self._compiled.graph, board.arch)
        latency_s = cycles / board.clock_hz if fits and cycles is not None and board.clock_hz else None
        said = None if latency_s is None else source(board.arch)
        return Fit(board, module_bytes, fits, weights if fits else None, needed_bytes, reason, latency_s, said)

    def compiled(self, block_bytes: int | None) -> Compiled:
        """The model's program for the heap (None), or with constants for flash in blocks of this size."""
        if block_bytes is None:
            return self._compiled
        if block_bytes not in self._in_flash:
            self._in_flash[block_bytes] = compile_model(
                self._content, self._name, block_bytes=block_bytes, reuse_input=not self._compiled.arena.keeps_input
            )
        return self._in_flash[block_bytes]

    def _with_weights_in_flash(self, board: Board, block_bytes: int, fixed_bytes: int) -> tuple[int, str]:
        """Bytes of heap needed, and why it cannot be, if it cannot."""
        in_flash = self.compiled(block_bytes)
        needed_bytes = fixed_bytes + in_flash.arena.bytes + _bytes_in_heap(in_flash.program)
        reason = _shortage(board, needed_bytes, in_flash.arena.bytes)
        file_bytes = len(in_flash.program)
        if not reason and board.files_bytes is not None and file_bytes > board.files_bytes:
            reason = f"its weights take {file_bytes} bytes of flash files, there are {board.files_bytes}"
        return needed_bytes, reason


def compile_for(
    board: Board, content: bytes, name: str, weights: Weights | None = None, reuse_input: bool = False
) -> Compiled:
    """The program of a model for a board, its constants for heap or flash as said; None: flash where the heap is short.

    Raises:
        ModelError: the model is damaged or not supported.
        UsageError: the board's flash is not memory.
    """
    if weights == "flash" and board.mapped_block_bytes is None:
        raise UsageError(f"{board.name} cannot read weights in flash", "use --weights-in heap")
    compiled = compile_model(content, name, reuse_input=reuse_input)
    fitting = Fitting(content, compiled, modules({board.arch, _MEASURED}), name)
    if weights is None and board.mapped_block_bytes is not None:
        weights = "heap" if fitting.on(board).weights == "heap" else "flash"
    return fitting.compiled(board.mapped_block_bytes if weights == "flash" else None)


def _bytes_in_heap(program: bytes) -> int:
    """Of a program for flash: its head, and the tiles that fit no block."""
    head = layout.Head(program)
    total: int = head.head_bytes
    for index in range(head.tile_count):
        entry = struct.unpack_from(layout.TILE_ENTRY, program, head.tiles_at + index * layout.TILE_ENTRY_BYTES)
        size = layout.TILE_BYTES + entry[1]
        if blocks.block_of(entry[0], 1 << head.block_shift)[1] + size > 1 << head.block_shift:
            total += size
    return total


def _shortage(board: Board, needed_bytes: int, largest_bytes: int) -> str:
    if needed_bytes > board.heap_bytes:
        return f"needs {needed_bytes} bytes of heap, has {board.heap_bytes}"
    if board.largest_bytes is not None and largest_bytes > board.largest_bytes:
        return f"needs {largest_bytes} bytes in one piece, has {board.largest_bytes}"
    return ""
