"""Constants that stay in the program's file: read anew for each operation, for engines in Python.

For boards whose flash cannot be read like memory, and models that are larger than the heap.
"""

from struct import unpack_from

from .compat import crc32
from .program import TILE, TILE_BYTES, TILE_ENTRY, TILE_ENTRY_BYTES

_GONE = "the program's file was changed or removed: load it again"


class FileTiles:
    """The tiles of the program in the file `path`, of which `head` (bytes) is the head and `info` its Head.

    Indexed by a tile's number it is a view of the tile's constants, in `ram_bytes` of memory that all of them share:
    until the next one is asked for. ValueError when the file is not what the compiler wrote.
    """

    def __init__(self, path, head, info):
        self._path = path
        self._head = head
        self._info = info
        self.ram_bytes = TILE_BYTES
        for index in range(info.tile_count):
            self.ram_bytes = max(self.ram_bytes, TILE_BYTES + self._entry(index)[1])
        self._buffer = memoryview(bytearray(self.ram_bytes))
        self._file = open(path, "rb")  # noqa: SIM115 - as long as the model
        self._held = -1
        # What engines for constants in memory ask for the addresses of tiles.
        self.addresses = self
        for index in range(info.tile_count):
            data = self[index]
            if unpack_from(TILE, self._buffer)[3] != crc32(data) & 0xFFFFFFFF:
                raise ValueError("tile %d of the program is damaged" % index)

    def __len__(self):
        return self._info.tile_count

    def __getitem__(self, index):
        at, count = self._entry(index)
        tile = self._buffer[: TILE_BYTES + count]
        if index != self._held:
            self._held = -1
            self._file.seek(at)
            if self._file.readinto(tile) != len(tile):
                raise ValueError(_GONE)
            if unpack_from(TILE, tile)[:3] != (self._info.program_id, index, count):
                raise ValueError(_GONE)
            self._held = index
        return tile[TILE_BYTES:]

    def check(self):
        """Nothing: each tile is checked when it is read."""

    def _entry(self, index):
        return unpack_from(TILE_ENTRY, self._head, self._info.tiles_at + index * TILE_ENTRY_BYTES)
