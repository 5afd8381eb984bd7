"""tinympy on a board without writing to its flash: its files are bytes in the heap for as long as importing them takes.

A file system of our own, as MicroPython lets Python code mount, serves the package, the native module and the program.
When the model is loaded it is unmounted and its bytes are freed, so that inference has the heap that it has otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinympy import deploy, files
from tinympy.device.program import Head
from tinympy.errors import BoardError
from tinympy.line import Line

MOUNT_POINT = "/tinympy-ram"
# Undoes MOUNT, and drops what was imported of tinympy, from here or from flash.
FORGET = f"""
import gc, os, sys
try:
    os.umount({MOUNT_POINT!r})
except (AttributeError, OSError):
    pass
sys.path[:] = [each for each in sys.path if each != {MOUNT_POINT!r}]
for each in list(sys.modules):
    if each == "tinympy" or each.startswith("tinympy."):
        del sys.modules[each]
globals().pop("_tinympy_ram", None)
gc.collect()
"""

# One piece of memory for all files, and none more where they are read: many small ones would leave no large gap.
MOUNT = f"""
import gc, io, os, sys
class _Ram:
    def __init__(self, sizes):
        self.places = dict()
        end = 0
        for path, size in sizes:
            self.places[path] = end, end + size
            end += size
        self.memory = memoryview(bytearray(end))
    def mount(self, readonly, mkfs):
        pass
    def umount(self):
        pass
    def chdir(self, path):
        pass
    def stat(self, path):
        path = path.strip("/")
        if path == "tinympy":
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        if path not in self.places:
            raise OSError(2)
        begin, end = self.places[path]
        return (0x8000, 0, 0, 0, 0, 0, end - begin, 0, 0, 0)
    def open(self, path, mode):
        self.stat(path)
        begin, end = self.places[path.strip("/")]
        return _RamFile(self.memory[begin:end])
class _RamFile(io.IOBase):
    def __init__(self, content):
        self.content = content
        self.at = 0
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
    def close(self):
        pass
    def ioctl(self, request, argument):
        return 0
    def readinto(self, buffer):
        count = min(len(buffer), len(self.content) - self.at)
        buffer[:count] = self.content[self.at : self.at + count]
        self.at += count
        return count
    def read(self, count=-1):
        buffer = bytearray(len(self.content) - self.at if count < 0 else count)
        return bytes(memoryview(buffer)[: self.readinto(buffer)])
    def seek(self, offset, whence=0):
        self.at = offset + (0, self.at, len(self.content))[whence]
        return self.at
    def write(self, data):
        self.content[self.at : self.at + len(data)] = data
        self.at += len(data)
gc.collect()
_tinympy_ram = _Ram({{sizes!r}})
os.mount(_tinympy_ram, {MOUNT_POINT!r})
sys.path.insert(0, {MOUNT_POINT!r})
"""

# The native module is the largest thing to find room for, so it comes first.
LOAD = """
import gc
gc.collect()
from tinympy import _native
"""

# For when everything that is needed has been imported and loaded; the modules stay.
RELEASE = f"""
import gc, os, sys
os.umount({MOUNT_POINT!r})
sys.path.remove({MOUNT_POINT!r})
del _tinympy_ram
gc.collect()
"""


def needed_bytes(package: Mapping[str, bytes], program: bytes, engine_bytes: int) -> int:
    """Heap that it takes to load `program` from these files while they are in the heap themselves."""
    arena_bytes: int = Head(program).arena_bytes
    in_files = sum(map(len, package.values()))
    return in_files + engine_bytes + len(program) + arena_bytes + deploy.PACKAGE_BYTES


def inject(line: Line, package: Mapping[str, bytes], needed: int, free: int, progress: files.Progress) -> None:
    """Put the files of `package` (content by name) into the board's heap, to be imported from there.

    BoardError when the `free` bytes of heap are fewer than the `needed` ones; nothing was sent then.
    """
    if needed > free:
        raise _short(f"{needed} bytes of heap are needed, {free} are free")
    done, total = 0, sum(map(len, package.values()))
    try:
        sizes = [(f"tinympy/{name}", len(content)) for name, content in package.items()]
        line.exec(FORGET + MOUNT.format(sizes=sizes))
        for (path, _), content in zip(sizes, package.values(), strict=True):
            files.send(line, f"_tinympy_ram.open({path!r}, 'wb')", content, files.shifted(progress, done, total))
            done += len(content)
        if any(name.startswith("_native.") for name in package):
            line.exec(LOAD)
    except BoardError as error:
        if "MemoryError" in error.message:
            raise _short(error.message) from error
        raise


def _short(why: str) -> BoardError:
    return BoardError(
        f"the board's heap is too small to run without writing to its flash: {why}", "leave --in-ram away"
    )
