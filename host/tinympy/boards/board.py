"""What a board is to tinympy: one entry of data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol


class Launched(Protocol):
    """A board that was started here: its serial port, and how to interrupt and to end it."""

    port: str

    def interrupt(self) -> None:
        """Do what Ctrl-C on the line does to a program on other boards."""

    def stop(self) -> None:
        """End it and release everything it holds. May be called twice."""


@dataclass(frozen=True)
class Board:
    """A kind of board, with stock firmware.

    arch names the architecture of its native modules, clock_hz is its usual clock (None: varies). launch starts one of
    those that are programs, with files on it by absolute path, find_firmware its firmware by path or version (None: the
    usual one), and library is the folder that packages are copied to before it starts. patience is by how much longer
    than a board it may take.

    usb lists patterns of the USB identities (vid:pid) of boards of this kind; others may have the same. machine is a
    regular expression that is found in what their firmware says it runs on (`sys.implementation._machine`).

    heap_bytes is what Python has free after boot, largest_bytes the largest single object (None: all of the heap),
    files_bytes the flash file system (None: no limit). Where it is mapped into memory, files can be read in its blocks
    of mapped_block_bytes.

    mark_pin is a pin for the board to show an energy meter its windows with: nothing else is on it, no LED either.

    circuitpython says that its firmware is CircuitPython, which the firmware of an attached one tells; engine is what
    runs models there unless another one is asked for (engines.py).

    Of one board rather than its kind: port, the serial port it is attached to; firmware, what it is started with;
    root, the folder that is the file system of one that is a process (None: an empty one each time).
    """

    name: str
    title: str
    arch: str
    heap_bytes: int
    usb: tuple[str, ...] = ()
    machine: str | None = None
    emulated: bool = False
    clock_hz: int | None = None
    largest_bytes: int | None = None
    files_bytes: int | None = None
    mapped_block_bytes: int | None = None
    library: str = "/lib"
    launch: Callable[[Board, Mapping[str, bytes]], Launched] | None = None
    find_firmware: Callable[[str | None], Path | None] | None = None
    keeps_files: bool = False
    patience: float = 1.0
    mark_pin: int | str | None = None
    circuitpython: bool = False
    engine: str = "native"
    port: str | None = None
    firmware: Path | None = None
    root: Path | None = None

    @property
    def shares_computer(self) -> bool:
        """Whether its inferences take the time of this computer's processor."""
        return self.launch is not None and not self.emulated

    def may_be_at(self, usb: str) -> bool:
        """Whether a board of this kind may have this USB identity (vid:pid in hexadecimal)."""
        return any(fnmatchcase(usb, pattern) for pattern in self.usb)

    def runs(self, machine: str) -> bool:
        """Whether firmware that says that it runs on `machine` runs on a board of this kind."""
        return self.machine is not None and re.search(self.machine, machine, re.IGNORECASE) is not None
