"""The boards `rp2040-emu` and `circuitpython-emu`: a Raspberry Pi Pico in software, with official firmware on the
emulator rp2040py.

Files are put into a flash image before it starts, so that nothing has to go through the emulated USB, which is slow.
The emulator is a process of its own and offers the firmware's console on a pseudo-terminal. Its clock counts the
processor's cycles at 125 MHz; waiting for flash is not emulated.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tinympy.errors import NoBoardError

from . import fat12
from .process import Lifeline

# The file system of a Pico: ports/rp2/modules/_boot.py of MicroPython, and extmod/vfs_lfsx.c for what it leaves open.
BLOCK_BYTES = 4096
BLOCKS = 352
GEOMETRY: dict[str, Any] = {
    "prog_size": 256,
    "read_size": 32,
    "cache_size": 1024,
    "lookahead_size": 32,
    "disk_version": 0x00020000,
}

# What rp2040py loads as CircuitPython's drive, and how much of that is in a Pico's 2 MiB (flash.c of the port).
_DRIVE_BYTES = 2 * 1024 * 1024
DRIVE_SECTORS = 2048
# A computer that has the drive is not emulated: the code may write to it, as on a board with this boot.py.
_DRIVE: Mapping[str, bytes] = {"/boot.py": b"import storage\nstorage.disable_usb_drive()\n", "/code.py": b""}

_COMMAND = """
import sys
from rp2040py.cli import main
sys.argv[1:] = {arguments!r}
sys.exit(main())
"""


def file_system(files: Mapping[str, bytes]) -> bytes:
    """A littlefs image, as large as a Pico's file system, that holds `files` (absolute path: content).

    Raises:
        NoBoardError: they do not fit.
    """
    from littlefs import LittleFS, LittleFSError, UserContext

    flash = UserContext(buffsize=BLOCK_BYTES * BLOCKS)
    volume = LittleFS(context=flash, block_size=BLOCK_BYTES, block_count=BLOCKS, **GEOMETRY)
    try:
        for path, content in files.items():
            volume.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
            with volume.open(path, "wb") as file:
                file.write(content)
    except LittleFSError as error:
        raise NoBoardError(f"{path} does not fit the board's file system ({error})", "use a smaller model") from error
    volume.unmount()
    return bytes(flash.buffer)


def drive(files: Mapping[str, bytes]) -> bytes:
    """CircuitPython's drive as `file_system` has MicroPython's. NoBoardError when the files do not fit."""
    return fat12.image({**_DRIVE, **files}, DRIVE_SECTORS).ljust(_DRIVE_BYTES, b"\xff")


class Rp2040Emulator:
    """A running emulator: `port` is its serial port. Also a context manager.

    firmware -- an official RPI_PICO-*.uf2 or, with circuitpython, adafruit-circuitpython-raspberry_pi_pico-*.uf2
    files -- what its file system holds, by absolute path

    Raises:
        NoBoardError: rp2040py is not installed, or the firmware does not start.
    """

    def __init__(self, firmware: Path, files: Mapping[str, bytes], circuitpython: bool = False) -> None:
        for package in ("rp2040py", "littlefs"):
            if find_spec(package) is None:
                raise NoBoardError(f"the emulator needs {package}", "pip install 'tinympy[emulator]'")
        self._folder = tempfile.TemporaryDirectory(prefix="tinympy-rp2040-")
        image = Path(self._folder.name) / "files.img"
        image.write_bytes(drive(files) if circuitpython else file_system(files))
        kind = ["--circuitpython", "--fat12"] if circuitpython else ["--littlefs"]
        arguments = ["micropython", "--pty", "--image", str(firmware), *kind, str(image)]
        self._lifeline = Lifeline()
        with self._lifeline:
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._lifeline.bind(_COMMAND.format(arguments=arguments))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=self._lifeline.descriptors,
                start_new_session=True,
                text=True,
            )
        assert self._process.stderr is not None
        self._finalizer = weakref.finalize(
            self, _stop, self._process, self._process.stderr, self._folder, self._lifeline
        )
        try:
            self.port = self._announced_port(self._process.stderr)
        except BaseException:
            self.stop()
            raise

    def interrupt(self) -> None:
        """Nothing: Ctrl-C on the line does what it does on a board."""

    def stop(self) -> None:
        """End the emulator and remove its files. May be called twice."""
        self._finalizer()

    def __enter__(self) -> Rp2040Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _announced_port(self, errors: IO[str]) -> str:
        said = ""
        for line in errors:
            said += line
            if match := re.search(r"listening on (\S+)", line):
                return match[1]
        reason = (said.strip().splitlines() or ["without a word"])[-1]
        raise NoBoardError(f"the emulator ended before the firmware was up: {reason}", "is the firmware image whole?")


def _stop(
    process: subprocess.Popen[str], errors: IO[str], folder: tempfile.TemporaryDirectory[str], lifeline: Lifeline
) -> None:
    process.kill()
    process.wait()
    errors.close()
    lifeline.cut()
    folder.cleanup()
