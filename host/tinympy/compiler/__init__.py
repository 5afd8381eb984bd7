"""The compiler: a `.tflite` model in, a program for the kernels out, in passes of one idea each.

    read → fold → check → fuse → lower → pack → place → emit

`write` is `read`'s inverse, for models made by programs rather than by a converter.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from tinympy.compiler.blocking import SHARES
from tinympy.compiler.check import check
from tinympy.compiler.emit import emit
from tinympy.compiler.fold import fold
from tinympy.compiler.fuse import fuse
from tinympy.compiler.lower import lower
from tinympy.compiler.operation import Lowered
from tinympy.compiler.pack import pack
from tinympy.compiler.place import ALIGNMENT, Arena, place_blocks
from tinympy.device import blocks
from tinympy.device.program import TILE_BYTES
from tinympy.model.graph import Graph
from tinympy.model.read import read


@dataclass(frozen=True)
class Compiled:
    """A program, and what it was made from; the graph is the model's, before operators were fused."""

    program: bytes
    graph: Graph
    lowered: Lowered
    arena: Arena
    model_sha256: str


def compile_model(
    content: bytes,
    name: str = "model",
    tile_bytes: int | None = None,
    block_bytes: int | None = None,
    *,
    reuse_input: bool = False,
    alignment: int = ALIGNMENT,
) -> Compiled:
    """Compile the bytes of a `.tflite` file.

    `name` (25 ASCII characters at most) is stored in the program; `tile_bytes` limits each tile of constants (None: one
    tile, for programs that are loaded into RAM). With `block_bytes` each tile lies within a block of that size of the
    file that the program will be in flash, except those that cannot be made so small. With `reuse_input` an inference
    may overwrite the inputs, which must then be written before each. `alignment` is that of everything in the arena, in
    bytes: a power of two, ALIGNMENT or more. Raises ModelError when the model is damaged or not supported.
    """
    graph = check(fold(read(content)))
    if block_bytes is not None:
        tile_bytes = min(tile_bytes or block_bytes, blocks.capacity(block_bytes) - TILE_BYTES)
    packed = pack(lower(fuse(graph)), tile_bytes)
    # Constants stay in flash where the heap is short.
    shares = SHARES if block_bytes is None else SHARES[-1:]
    lowered, arena = place_blocks(packed.lowered, reuse_input, alignment, shares)
    packed = replace(packed, lowered=lowered)
    digest = hashlib.sha256(content)
    program = emit(graph, packed, arena, name, digest.digest(), block_bytes)
    return Compiled(program, graph, packed.lowered, arena, digest.hexdigest())
