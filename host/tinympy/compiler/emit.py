"""Pass 8, placed and packed operations → the bytes of a program (docs/program-format.md)."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence

from tinympy.compiler.lowering import size_bytes
from tinympy.compiler.operation import NOWHERE, Span
from tinympy.compiler.pack import Packed
from tinympy.compiler.place import Arena
from tinympy.device import blocks
from tinympy.device import program as layout
from tinympy.errors import ModelError
from tinympy.model.edges import inner_tensor
from tinympy.model.graph import Graph
from tinympy.model.quantise import is_count, scale_of, zero_point_of

TILE_ALIGNMENT = 16
MAX_ARENA_BYTES = 1 << 30
_CRC_BEGIN = 16


def emit(
    graph: Graph, packed: Packed, arena: Arena, name: str, model_sha256: bytes, block_bytes: int | None = None
) -> bytes:
    """The program; with `block_bytes`, each tile within a block of the file. The same model gives the same bytes.

    Raises ModelError when a count or size exceeds the format's limits.
    """
    if arena.bytes > MAX_ARENA_BYTES:
        raise ModelError(f"the model needs an arena of {arena.bytes} bytes", f"{MAX_ARENA_BYTES} bytes at most")
    try:
        return _emit(graph, packed, arena, name, model_sha256, block_bytes)
    except struct.error as error:
        raise ModelError(f"the model exceeds the program format's limits ({error})") from error


def _emit(graph: Graph, packed: Packed, arena: Arena, name: str, model_sha256: bytes, block_bytes: int | None) -> bytes:
    lowered = packed.lowered
    input_flags = 0 if arena.keeps_input else layout.INPUT_REUSED
    ends = ((graph.inputs, lowered.inputs, input_flags), (graph.outputs, lowered.outputs, 0))
    tensors = b"".join(
        _encode_tensor(graph, tensor, arena.value_offsets[value], flags)
        for indices, values, flags in ends
        for tensor, value in zip(indices, values, strict=True)
    )
    operations = b"".join(_encode_operation(packed, arena, index) for index in range(len(lowered.operations)))
    head_bytes = layout.HEADER_BYTES + len(tensors) + len(operations) + layout.TILE_ENTRY_BYTES * len(packed.tiles)
    tile_offsets, program_bytes = _tile_offsets(packed.tiles, head_bytes, block_bytes)
    entries = b"".join(
        struct.pack(layout.TILE_ENTRY, offset, len(tile))
        for offset, tile in zip(tile_offsets, packed.tiles, strict=True)
    )
    identity = hashlib.sha256(b"".join((model_sha256, tensors, operations, entries, *packed.tiles))).digest()
    program_id = int.from_bytes(identity[:4], "little")

    def header(crc32: int) -> bytes:
        return struct.pack(
            layout.HEADER,
            layout.MAGIC,
            layout.VERSION,
            layout.HEADER_BYTES,
            program_bytes,
            crc32,
            program_id,
            0,
            len(graph.inputs),
            len(graph.outputs),
            block_bytes.bit_length() - 1 if block_bytes else 0,
            len(lowered.operations),
            len(packed.tiles),
            arena.bytes,
            head_bytes,
            lowered.initial_operations,
            name.encode("ascii", "replace")[:25],
            model_sha256,
        )

    body = tensors + operations + entries
    out = bytearray(header(zlib.crc32(header(0)[_CRC_BEGIN:] + body)) + body)
    for index, (offset, tile) in enumerate(zip(tile_offsets, packed.tiles, strict=True)):
        out += bytes(offset - len(out))
        out += struct.pack(layout.TILE, program_id, index, len(tile), zlib.crc32(tile)) + tile
    return bytes(out)


def _tile_offsets(tiles: Sequence[bytes], at: int, block_bytes: int | None) -> tuple[list[int], int]:
    """Offset of each tile's header, and the end of the program."""
    offsets = []
    for tile in tiles:
        at = blocks.next_block(at, block_bytes) if block_bytes else -(-at // TILE_ALIGNMENT) * TILE_ALIGNMENT
        offsets.append(at)
        at += layout.TILE_BYTES + len(tile)
    return offsets, at


def _encode_tensor(graph: Graph, index: int, offset: int, flags: int) -> bytes:
    """An entry of the tensor table: dtype is what the model's user sees, the rest is what the arena holds."""
    tensor = graph.tensors[inner_tensor(graph, index)]
    shape = (*tensor.shape, *(0,) * (6 - len(tensor.shape)))
    return struct.pack(
        layout.TENSOR,
        offset,
        size_bytes(tensor),
        *((1.0, 0) if is_count(tensor) else (float(scale_of(tensor)), zero_point_of(tensor))),
        layout.DTYPES.index(graph.tensors[index].dtype),
        len(tensor.shape),
        *shape,
        flags,
    )


def _encode_operation(packed: Packed, arena: Arena, index: int) -> bytes:
    operation = packed.lowered.operations[index]
    tile, constants = packed.places[index]
    parameters = operation.parameters.encode()
    further = b"".join(struct.pack("<I", _place(arena, span)) for span in operation.further)
    # What comes from the constants has a place there instead of one in the arena.
    source = operation.input.offset if operation.input.value == NOWHERE else _place(arena, operation.input)
    return struct.pack(
        layout.OPERATION,
        operation.opcode,
        operation.block,
        tile,
        constants,
        source,
        _place(arena, operation.output),
        arena.scratch_offsets[index],
        further + parameters[len(further) :],
    )


def _place(arena: Arena, span: Span) -> int:
    return arena.value_offsets[span.value] + span.offset
