"""tinympy on a board without writing to its flash: its files are bytes in the heap for as long as importing them takes.

A file system of our own, as MicroPython lets Python code mount, serves the package, the native module and the program.
When the model is loaded it is unmounted and its bytes are freed, so that inference has the heap that it has otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinympy import files
from tinympy.device.program import Head
from tinympy.errors import BoardError

MOUNT_POINT = "/tinympy-ram"
# What importing the package and loading a model leaves in the heap beside the module, the program and the arena.
_PACKAGE_BYTES = 24_000

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

MOUNT = f"""
import io, os, sys
class _Sink:
    def __init__(self, content):
        self._left = memoryview(content)
    def write(self, data):
        self._left[: len(data)] = data
        self._left = self._left[len(data) :]
    def close(self):
        pass
class _Ram:
    def __init__(self):
        self.files = {{}}
    def mount(self, readonly, mkfs):
        pass
    def umount(self):
        pass
    def chdir(self, path):
        pass
    def stat(self, path):
        if path.strip("/") == "tinympy":
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        content = self.files.get(path.strip("/"))
        if content is None:
            raise OSError(2)
        return (0x8000, 0, 0, 0, 0, 0, len(content), 0, 0, 0)
    def open(self, path, mode):
        self.stat(path)
        return io.BytesIO(self.files[path.strip("/")])
    def sink(self, path, size):
        self.files[path] = bytearray(size)
        return _Sink(self.files[path])
_tinympy_ram = _Ram()
os.mount(_tinympy_ram, {MOUNT_POINT!r})
sys.path.insert(0, {MOUNT_POINT!r})
"""

# For when everything that is needed has been imported and loaded; the modules stay.
RELEASE = f"""
import gc, os, sys
os.umount({MOUNT_POINT!r})
sys.path.remove({MOUNT_POINT!r})
del _tinympy_ram
gc.collect()
"""


def needed_bytes(package: Mapping[str, bytes], program: bytes, module_bytes: int) -> int:
    """Heap that it takes to load `program` from these files while they are in the heap themselves."""
    arena_bytes: int = Head(program).arena_bytes
    in_files = sum(map(len, package.values()))
    return in_files + module_bytes + len(program) + arena_bytes + _PACKAGE_BYTES


def inject(line: files.Line, package: Mapping[str, bytes], needed: int, free: int, progress: files.Progress) -> None:
    """Put the files of `package` (content by name) into the board's heap, to be imported from there.

    BoardError when the `free` bytes of heap are fewer than the `needed` ones; nothing was sent then.
    """
    if needed > free:
        raise _short(f"{needed} bytes of heap are needed, {free} are free")
    done, total = 0, sum(map(len, package.values()))
    try:
        line.exec(FORGET + MOUNT)
        for name, content in package.items():
            sink = f"_tinympy_ram.sink({'tinympy/' + name!r}, {len(content)})"
            files.send(line, sink, content, files.shifted(progress, done, total))
            done += len(content)
    except BoardError as error:
        if "MemoryError" in error.message:
            raise _short(error.message) from error
        raise


def _short(why: str) -> BoardError:
    return BoardError(
        f"the board's heap is too small to run without writing to its flash: {why}", "leave --in-ram away"
    )
