"""Pass 4, constants → tiles: an operation that does not fit the rest of a tile becomes several, by channel range."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinympy.compiler.operation import Channels, Lowered, Operation
from tinympy.errors import ModelError

ALIGNMENT = 4


@dataclass(frozen=True)
class Packed:
    """A lowered model whose operation i finds its constants at `places[i]` = (tile, offset)."""

    lowered: Lowered
    places: tuple[tuple[int, int], ...]
    tiles: tuple[bytes, ...]


def pack(lowered: Lowered, tile_bytes: int | None = None) -> Packed:
    """Constants in tiles of at most `tile_bytes` each; None: one tile as large as need be.

    Raises ModelError when the constants of one output channel do not fit a tile.
    """
    limit = tile_bytes if tile_bytes is not None else 1 << 32
    operations: list[Operation] = []
    places: list[tuple[int, int]] = []
    tiles: list[bytearray] = []
    for operation in lowered.operations:
        rest: Operation | None = operation
        while rest is not None:
            part, rest = _split(rest, limit - _end(tiles), limit)
            constants = _encode(part)
            if constants and (not tiles or _end(tiles) + len(constants) > limit):
                tiles.append(bytearray())
            if constants:
                tiles[-1] += bytes(_end(tiles) - len(tiles[-1]))
            places.append((len(tiles) - 1, len(tiles[-1])) if constants else (0, 0))
            operations.append(part)
            if constants:
                tiles[-1] += constants
    return Packed(replace(lowered, operations=tuple(operations)), tuple(places), tuple(map(bytes, tiles)))


def _split(operation: Operation, room: int, limit: int) -> tuple[Operation, Operation | None]:
    """As many channels as fit `room` (or an empty tile, when none do), and what is left."""
    constants = operation.constants
    if not isinstance(constants, Channels):
        if len(constants) > limit:
            raise ModelError(f"operator {operation.operator}: {len(constants)} bytes of constants in tiles of {limit}")
        return operation, None
    count = _fitting(constants, room) or _fitting(constants, limit)
    if count == 0:
        raise ModelError(
            f"operator {operation.operator}: one output channel takes {constants.encoded_bytes(1)} bytes of constants, "
            f"a tile has {limit}",
            "keep the weights in RAM",
        )
    if count == len(constants):
        return operation, None
    return operation.narrowed(0, count), operation.narrowed(count, len(constants) - count)


def _fitting(constants: Channels, room: int) -> int:
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


def _encode(operation: Operation) -> bytes:
    constants = operation.constants
    return constants.encode() if isinstance(constants, Channels) else constants
