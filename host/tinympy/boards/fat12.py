"""A FAT12 volume as CircuitPython makes it in a chip's own flash, with files in it.

Source: Microsoft's "FAT: General Overview of On-Disk Format" 1.03; the figures are those of the volume that
CircuitPython 8.2.9 and 10.0.0 make on a Pico (oofatfs: f_mkfs with FM_SFD, one sector a cluster).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import PurePosixPath

from tinympy.errors import NoBoardError

SECTOR_BYTES = 512
LABEL = "CIRCUITPY"
_RESERVED, _FATS, _ROOT_ENTRIES, _MEDIA = 1, 1, 512, 0xF8
_ENTRY = "<11sBBBHHHHHHHI"
_ENTRY_BYTES = 32
_LONG = "<B10sBBB12sH4s"
_DIRECTORY, _VOLUME, _ARCHIVE, _LONG_NAME = 0x10, 0x08, 0x20, 0x0F
_END = 0xFFF
# What a cluster number of 12 bits cannot say begins here.
_MOST_CLUSTERS = 0xFF4


class _Volume:
    def __init__(self, sectors: int) -> None:
        self.fat_sectors = -(-(sectors + 2) * 3 // 2 // SECTOR_BYTES)
        root_sectors = _ROOT_ENTRIES * _ENTRY_BYTES // SECTOR_BYTES
        self.data_at = (_RESERVED + _FATS * self.fat_sectors + root_sectors) * SECTOR_BYTES
        self.clusters = min(sectors - self.data_at // SECTOR_BYTES, _MOST_CLUSTERS)
        self.sectors = sectors
        self.next = [_MEDIA | 0xF00, _END]
        self.data = bytearray()

    def store(self, content: bytes) -> int:
        """The first cluster of `content`; 0 when it is empty."""
        if not content:
            return 0
        first = len(self.next)
        count = -(-len(content) // SECTOR_BYTES)
        self.next += [*range(first + 1, first + count), _END]
        if len(self.next) - 2 > self.clusters:
            raise NoBoardError("the files do not fit the board's drive", "use a smaller model")
        self.data += content + bytes(-len(content) % SECTOR_BYTES)
        return first

    def image(self, root: bytes) -> bytes:
        boot = struct.pack(
            "<3s8sHBHBHHBHHHIIBBBI11s8s",
            *(b"\xeb\xfe\x90", b"MSDOS5.0", SECTOR_BYTES, 1, _RESERVED, _FATS, _ROOT_ENTRIES, self.sectors, _MEDIA),
            *(self.fat_sectors, 63, 255, 0, 0, 0x80, 0, 0x29, 0x54495059, b"NO NAME    ", b"FAT     "),
        )
        table = bytearray()
        for low, high in zip(self.next[::2], [*self.next, 0][1::2], strict=False):
            table += (low | high << 12).to_bytes(3, "little")
        begin = boot.ljust(510, b"\0") + b"\x55\xaa" + bytes(table).ljust(self.fat_sectors * SECTOR_BYTES, b"\0") + root
        return (begin.ljust(self.data_at, b"\0") + self.data).ljust(self.sectors * SECTOR_BYTES, b"\0")


def image(files: Mapping[str, bytes], sectors: int) -> bytes:
    """A volume of `sectors` sectors that holds `files` (absolute path: content).

    Raises:
        NoBoardError: they do not fit.
    """
    volume = _Volume(sectors)
    tree: dict[str, object] = {}
    for path, content in files.items():
        folder = tree
        *parents, name = PurePosixPath(path).parts[1:]
        for parent in parents:
            found = folder.setdefault(parent, {})
            assert isinstance(found, dict)
            folder = found
        folder[name] = content
    label = _entry(LABEL.ljust(11).encode(), _VOLUME, 0, 0)
    root = label + _entries(volume, tree, 0)
    if len(root) > _ROOT_ENTRIES * _ENTRY_BYTES:
        raise NoBoardError("the board's drive has no room for so many files", "put them into folders")
    return volume.image(root)


def _entries(volume: _Volume, folder: Mapping[str, object], own: int) -> bytes:
    """The entries of a folder whose first cluster is `own` (0: the root)."""
    listed = b""
    for number, (name, content) in enumerate(folder.items()):
        # No two short names in a folder may be the same; nobody reads them.
        short = f"TM{number:06X}".encode() + b"   "
        if isinstance(content, dict):
            cluster = _store_folder(volume, content, own)
            listed += _long(name, short) + _entry(short, _DIRECTORY, cluster, 0)
        else:
            assert isinstance(content, bytes)
            listed += _long(name, short) + _entry(short, _ARCHIVE, volume.store(content), len(content))
    return listed


def _store_folder(volume: _Volume, folder: Mapping[str, object], parent: int) -> int:
    # Its place has to be known before its content: the folders in it name it.
    size = (2 + sum(1 + -(-len(name) // 13) for name in folder)) * _ENTRY_BYTES
    own = volume.store(bytes(size))
    dots = _entry(b".          ", _DIRECTORY, own, 0) + _entry(b"..         ", _DIRECTORY, parent, 0)
    content = dots + _entries(volume, folder, own)
    at = (own - 2) * SECTOR_BYTES
    volume.data[at : at + len(content)] = content
    return own


def _entry(short: bytes, attributes: int, cluster: int, size: int) -> bytes:
    # 2020-01-01, as the firmware does without a clock.
    return struct.pack(_ENTRY, short, attributes, 0, 0, 0, 0x5021, 0x5021, 0, 0, 0x5021, cluster, size)


def _long(name: str, short: bytes) -> bytes:
    """The entries before that of `short` that hold the long name, last part first."""
    check = 0
    for byte in short:
        check = ((check >> 1 | check << 7) + byte) & 0xFF
    parts = [name[at : at + 13] for at in range(0, len(name), 13)]
    found = b""
    for number, part in reversed(list(enumerate(parts, 1))):
        units = part.encode("utf-16-le")
        units = (units + b"\0\0" if len(part) < 13 else units).ljust(26, b"\xff")
        last = 0x40 if number == len(parts) else 0
        found += struct.pack(_LONG, number | last, units[:10], _LONG_NAME, 0, check, units[10:22], 0, units[22:])
    return found
