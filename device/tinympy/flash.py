"""Constants that stay in flash: at which addresses a program's tiles are. For boards that map their flash (RP2).

littlefs itself says where a file ends: a second, read-only instance of the firmware's file system reads the last byte
through a device that notes the block it was in. From there the blocks point back to the file's first (blocks.py).
"""

import os
from array import array
from struct import unpack_from

import rp2
import uctypes

from . import blocks, compat
from .program import TILE, TILE_BYTES, TILE_ENTRY, TILE_ENTRY_BYTES

XIP_BASE = 0x10000000
XIP_BYTES = 0x1000000
_GONE = "the program's file was changed or removed: load it again"


class _Noting:
    # A block device that only reads, and notes the block it read last.
    def __init__(self, device):
        self._device = device
        self.last = 0

    def readblocks(self, block, buffer, offset=0):
        self.last = block
        return self._device.readblocks(block, buffer, offset)

    def writeblocks(self, block, buffer, offset=0):
        return -30  # EROFS

    def ioctl(self, operation, argument):
        return self._device.ioctl(operation, argument) if operation in (4, 5) else 0 if operation < 4 else -30


def _mapped(device, block_bytes):
    """All of the file system's flash as memory. OSError where the firmware does not map it."""
    try:
        return memoryview(device)
    except TypeError:  # MicroPython before 1.25
        pass
    begin = bytearray(64)
    device.readblocks(0, begin, 0)
    for address in range(XIP_BASE, XIP_BASE + XIP_BYTES, block_bytes):
        if uctypes.bytearray_at(address, len(begin)) == begin:
            return memoryview(uctypes.bytearray_at(address, block_bytes * device.ioctl(4, 0)))
    raise OSError("flash is not mapped into memory here")


class FlashTiles:
    """The tiles of the program in the file `path`, of which `head` (bytes) is the head and `info` its Head.

    `addresses` holds a machine word for each, the address of its header; those larger than a block are copied into RAM,
    `ram_bytes` in all. ValueError when the file is not what the compiler wrote, OSError when there is none.
    """

    def __init__(self, path, head, info):
        self._path = path
        self._device = _Noting(rp2.Flash())
        self._block_bytes = 1 << info.block_shift
        if self._device.ioctl(5, 0) != self._block_bytes:
            raise ValueError("the program is for flash in blocks of %d bytes" % self._block_bytes)
        self._flash = _mapped(rp2.Flash(), self._block_bytes)
        self._base = uctypes.addressof(self._flash)
        self._chain = self._find(info.program_bytes)
        # All that lasts is made before the loop: between what the loop leaves behind it would split the heap.
        self._headers = memoryview(bytearray(TILE_BYTES * info.tile_count))
        self._copies = []
        self.addresses = array("L", bytes(4 * info.tile_count))
        self.ram_bytes = 0
        with open(path, "rb") as file:
            for index in range(info.tile_count):
                offset, count = unpack_from(TILE_ENTRY, head, info.tiles_at + index * TILE_ENTRY_BYTES)
                number, into = blocks.block_of(offset, self._block_bytes)
                begin = self._chain[number] * self._block_bytes + into
                if into + TILE_BYTES + count <= self._block_bytes:
                    tile = self._flash[begin : begin + TILE_BYTES + count]
                    self.addresses[index] = self._base + begin
                else:
                    tile = memoryview(bytearray(TILE_BYTES + count))
                    file.seek(offset)
                    file.readinto(tile)
                    self.addresses[index] = uctypes.addressof(tile)
                    self._copies.append(tile)
                    self.ram_bytes += len(tile)
                self._header(index)[:] = tile[:TILE_BYTES]
                if unpack_from(TILE, tile) != (info.program_id, index, count, compat.crc32(tile[TILE_BYTES:])):
                    raise ValueError("tile %d of the program is damaged" % index)

    def check(self):
        """ValueError when the file is no longer where it was, or no longer the same."""
        try:
            chain = self._find(self._bytes)
        except OSError:
            raise ValueError(_GONE) from None
        if chain != self._chain:
            raise ValueError(_GONE)
        for index, address in enumerate(self.addresses):
            begin = address - self._base
            in_flash = 0 <= begin < len(self._flash)
            if in_flash and self._flash[begin : begin + TILE_BYTES] != self._header(index):
                raise ValueError(_GONE)

    def _header(self, index):
        return self._headers[index * TILE_BYTES : (index + 1) * TILE_BYTES]

    def _find(self, size):
        """The blocks of the file, which has `size` bytes, in order."""
        self._bytes = size
        volume = os.VfsLfs2(self._device, progsize=256)
        with volume.open(self._path, "rb") as file:
            if file.seek(0, 2) != size:
                raise ValueError("the program's file has %d bytes instead of %d" % (file.seek(0, 2), size))
            file.seek(size - 1)
            file.read(1)
        block = self._device.last
        count = blocks.block_of(size - 1, self._block_bytes)[0] + 1
        total = self._device.ioctl(4, 0)
        chain = array("H", bytes(2 * count))
        for index in range(count - 1, -1, -1):
            if not 0 < block < total:
                raise ValueError("the program's file is not laid out as littlefs does")
            chain[index] = block
            block = unpack_from("<I", self._flash, block * self._block_bytes)[0]
        return chain
