"""Pass 6, constants → tiles: an operation that does not fit the rest of a tile becomes several, by channel range."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinympy.compiler.lowering import MAX_CONSTANT_BYTES
from tinympy.compiler.operation import NO_TILE, ByChannel, Lowered, Operation
from tinympy.errors import ModelError

ALIGNMENT = 4


@dataclass(frozen=True)
class Packed:
    """A lowered model whose operation i finds its constants at `places[i]` = (tile, offset)."""

    lowered: Lowered
    places: tuple[tuple[int, int], ...]
    tiles: tuple[bytes, ...]


@dataclass(frozen=True)
class _Part:
    """The constants of `channels` output channels from `first_channel` on, and where they lie."""

    first_channel: int
    channels: int
    place: tuple[int, int]


def pack(lowered: Lowered, tile_bytes: int | None = None) -> Packed:
    """Constants in tiles of at most `tile_bytes` each; None: one tile as large as need be.

    What cannot be divided, as the weights of one output channel, gets a tile of its own, however large. Raises
    ModelError when all constants are too large for a program.
    """
    # The operations of one operator, one for each batch, have the same constants object: it is packed once.
    distinct = {id(operation.constants): operation.constants for operation in lowered.operations}
    total = sum(len(c) if isinstance(c, bytes) else c.encoded_bytes(len(c)) for c in distinct.values())
    if total > MAX_CONSTANT_BYTES:
        raise ModelError(f"{total} bytes of constants", f"a program holds {MAX_CONSTANT_BYTES} at most")
    limit = MAX_CONSTANT_BYTES if tile_bytes is None else tile_bytes
    operations: list[Operation] = []
    places: list[tuple[int, int]] = []
    tiles: list[bytearray] = []
    parts: dict[int, list[_Part]] = {}
    for operation in lowered.operations:
        key = id(operation.constants)
        if key not in parts:
            parts[key] = _pack_constants(operation, tiles, limit)
        whole = len(parts[key]) == 1
        for each in [operation] if whole else operation.rounds():
            for part in parts[key]:
                operations.append(each if whole else each.narrowed(part.first_channel, part.channels))
                places.append(part.place)
    return Packed(replace(lowered, operations=tuple(operations)), tuple(places), tuple(map(bytes, tiles)))


def _pack_constants(operation: Operation, tiles: list[bytearray], limit: int) -> list[_Part]:
    """As many channels as fit the last tile (or a new one, when none do), then the rest in the same way."""
    constants = operation.constants
    if isinstance(constants, bytes):
        return [_Part(0, 0, _append(constants, tiles, limit))]
    parts: list[_Part] = []
    first = 0
    while first < len(constants):
        rest = constants[first:]
        count = _fitting(rest, limit - _end(tiles)) or _fitting(rest, limit) or 1
        parts.append(_Part(first, count, _append(rest[:count].encode(), tiles, limit)))
        first += count
    return parts


def _append(content: bytes, tiles: list[bytearray], limit: int) -> tuple[int, int]:
    """(tile, offset) of `content`, in the last tile or a new one; (NO_TILE, 0) of no content."""
    if not content:
        return NO_TILE, 0
    if not tiles or _end(tiles) + len(content) > limit:
        tiles.append(bytearray())
    offset = _end(tiles)
    tiles[-1] += bytes(offset - len(tiles[-1])) + content
    return len(tiles) - 1, offset


def _fitting(constants: ByChannel, room: int) -> int:
    """How many channels fit `room` bytes."""
    low, high = 0, len(constants)
    while low < high:
        middle = (low + high + 1) // 2
        if constants.encoded_bytes(middle) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _end(tiles: list[bytearray]) -> int:
    """Where the next constants begin in the last tile."""
    return -(-len(tiles[-1]) // ALIGNMENT) * ALIGNMENT if tiles else 0
