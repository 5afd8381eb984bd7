"""A Raspberry Pi Pico in software: official MicroPython firmware on the emulator rp2040py, its files put into flash.

The emulator is a process of its own and offers the firmware's USB console on a pseudo-terminal. Its clock counts the
processor's cycles at 125 MHz; waiting for flash is not emulated.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import platformdirs

# The file system of a Pico: ports/rp2/modules/_boot.py of MicroPython, and extmod/vfs_lfsx.c for what it leaves open.
BLOCK_BYTES = 4096
BLOCKS = 352
GEOMETRY = {"prog_size": 256, "read_size": 32, "cache_size": 1024, "lookahead_size": 32, "disk_version": 0x00020000}


def firmware_folder() -> Path:
    """Where firmware images are looked for: TINYMPY_FIRMWARE_DIR, else the user's cache."""
    return Path(
        os.environ.get("TINYMPY_FIRMWARE_DIR")
        or Path(platformdirs.user_cache_dir("tinympy", appauthor=False)) / "firmware"
    )


def firmware_images() -> list[Path]:
    """The images for a Raspberry Pi Pico that are there, oldest first."""
    return sorted(firmware_folder().glob("RPI_PICO-*.uf2"))


def file_system(files: Mapping[str, bytes]) -> bytes:
    """A littlefs image, as large as a Pico's file system, that holds `files` (absolute path: content)."""
    from littlefs import LittleFS, UserContext

    flash = UserContext(buffsize=BLOCK_BYTES * BLOCKS)
    volume = LittleFS(context=flash, block_size=BLOCK_BYTES, block_count=BLOCKS, **GEOMETRY)
    for path, content in files.items():
        volume.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        with volume.open(path, "wb") as file:
            file.write(content)
    volume.unmount()
    return bytes(flash.buffer)


class Rp2040Emulator:
    """A running emulator: `port` is its serial port. Also a context manager."""

    def __init__(self, firmware: Path, files: Mapping[str, bytes]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tinympy-rp2040-")
        image = Path(self._folder.name) / "files.img"
        image.write_bytes(file_system(files))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rp2040py", "micropython", "--pty", "--image", firmware, "--littlefs", image],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self.port = self._announced_port()
        except BaseException:
            self.stop()
            raise

    def interrupt(self) -> None:
        """Nothing: Ctrl-C on the line does what it does on a board."""

    def stop(self) -> None:
        """End the emulator and remove its files. May be called twice."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Rp2040Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _announced_port(self) -> str:
        said = ""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            said += line
            if match := re.search(r"listening on (\S+)", line):
                return match[1]
        raise RuntimeError(f"the emulator ended before the firmware was up:\n{said}")
