"""The images of CircuitPython's drive, read by the FAT driver that CircuitPython has from MicroPython (oofatfs)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tinympy import transport
from tinympy.boards import fat12
from tinympy.boards.unix import UnixBoard
from tinympy.errors import NoBoardError

FILES = {
    "/boot.py": b"",
    "/code.py": b"print(1)\n",
    **{f"/lib/tinympy/a_rather_long_name_{index:02}.py": bytes((index,)) * (index * 211) for index in range(40)},
    "/lib/exactly13.txt": bytes(512),
    "/lib/sub/x": b"x" * 513,
}
MOUNT = """
import os
class Ram:
    def __init__(self, data):
        self.data = data
    def readblocks(self, block, buffer, offset=0):
        buffer[:] = self.data[block * 512 + offset : block * 512 + offset + len(buffer)]
    def writeblocks(self, block, buffer, offset=0):
        self.data[block * 512 + offset : block * 512 + offset + len(buffer)] = buffer
    def ioctl(self, operation, argument):
        return len(self.data) // 512 if operation == 4 else 512 if operation == 5 else 0
volume = os.VfsFat(Ram(bytearray(open("/drive.img", "rb").read())))
def walk(path):
    for name, kind, *_ in volume.ilistdir(path):
        inner = path + "/" + name
        if kind == 0x4000:
            walk(inner)
        else:
            with volume.open(inner, "rb") as file:
                print(repr((inner, file.read())))
walk("")
with volume.open("/lib/tinympy/new.py", "wb") as file:
    file.write(b"new" * 1000)
with volume.open("/lib/tinympy/new.py", "rb") as file:
    print(repr(("/new", file.read() == b"new" * 1000)))
print(repr(("/free", volume.statvfs("/")[:5])))
"""


def test_the_driver_reads_what_was_stored_and_can_write_more(tmp_path: Path) -> None:
    with UnixBoard(root=tmp_path) as board, transport.open(board.port, board.interrupt) as line:
        (board.root / "drive.img").write_bytes(fat12.image(FILES, 2048))
        found = dict(map(ast.literal_eval, line.exec(MOUNT).splitlines()))
    assert found.pop("/new") is True
    block, _, blocks, free, _ = found.pop("/free")
    assert (block, blocks) == (512, 2008)  # as CircuitPython's own has
    assert 0 < free < blocks - sum(map(len, FILES.values())) // 512
    assert found == FILES


def test_what_does_not_fit_is_an_error() -> None:
    with pytest.raises(NoBoardError, match="do not fit"):
        fat12.image({"/big": bytes(1_100_000)}, 2048)
