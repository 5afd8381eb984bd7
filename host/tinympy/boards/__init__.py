"""The boards tinympy knows, as data. docs/boards.md says where the figures come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ..errors import UsageError


class Launched(Protocol):
    """A board that was started here: its serial port, and how to interrupt and to end it."""

    port: str

    def interrupt(self) -> None:
        """Do what Ctrl-C on the line does to a program on other boards."""

    def stop(self) -> None:
        """End it and release everything it holds. May be called twice."""


@dataclass(frozen=True)
class Board:
    """A kind of board, with stock MicroPython firmware.

    arch names the architecture of its native modules, clock_hz is its usual clock (None: varies), library the folder
    on its `sys.path` that packages are copied to. launch starts one of those that are programs, with files on it by
    absolute path; its firmware is an image where it needs one. patience is by how much longer than a board it may take.

    heap_bytes is what Python has free after boot, largest_bytes the largest single object (None: all of the heap),
    files_bytes the flash file system (None: no limit). Where it is mapped into memory, files can be read in its blocks
    of mapped_block_bytes.
    """

    name: str
    title: str
    arch: str
    heap_bytes: int
    emulated: bool = False
    clock_hz: int | None = None
    largest_bytes: int | None = None
    files_bytes: int | None = None
    mapped_block_bytes: int | None = None
    library: str = "/lib"
    launch: Callable[[Board, Mapping[str, bytes]], Launched] | None = None
    needs_firmware: bool = False
    firmware: Path | None = None
    patience: float = 1.0

    @property
    def shares_computer(self) -> bool:
        """Whether its inferences take the time of this computer's processor."""
        return self.launch is not None and not self.emulated

    @property
    def reachable(self) -> bool:
        """Whether something can be run on it."""
        return self.launch is not None


def _launch_unix(board: Board, files: Mapping[str, bytes]) -> Launched:
    from .unix import UnixBoard

    return UnixBoard()  # empty: copying files to it takes no time


def _launch_rp2040_emu(board: Board, files: Mapping[str, bytes]) -> Launched:
    from .rp2040_emu import Rp2040Emulator

    assert board.firmware is not None
    return Rp2040Emulator(board.firmware, files)


MOST = 64

_KIB = 1024
_MIB = 1024 * 1024

BOARDS = (
    Board("unix", "MicroPython's Unix port on this computer", arch="x64", heap_bytes=33_162_944, launch=_launch_unix),
    Board(
        "rp2040-emu",
        "Raspberry Pi Pico, emulated",
        arch="armv6m",
        emulated=True,
        clock_hz=125_000_000,
        heap_bytes=228_496,
        files_bytes=1408 * _KIB,
        mapped_block_bytes=4 * _KIB,
        launch=_launch_rp2040_emu,
        needs_firmware=True,
        patience=40.0,
    ),
    Board(
        "rp2040",
        "Raspberry Pi Pico",
        arch="armv6m",
        clock_hz=125_000_000,
        heap_bytes=241_456,
        files_bytes=1408 * _KIB,
        mapped_block_bytes=4 * _KIB,
    ),
    Board(
        "rp2350",
        "Raspberry Pi Pico 2",
        arch="armv7emsp",
        clock_hz=150_000_000,
        heap_bytes=493_600,
        files_bytes=3 * _MIB,
        mapped_block_bytes=4 * _KIB,
    ),
    Board(
        "esp32",
        "ESP32 without PSRAM",
        arch="xtensawin",
        clock_hz=160_000_000,
        heap_bytes=164_640,
        largest_bytes=110_592,
        files_bytes=2 * _MIB,
    ),
    Board(
        "esp32s3",
        "ESP32-S3 without PSRAM",
        arch="xtensawin",
        clock_hz=160_000_000,
        heap_bytes=250_784,
        largest_bytes=188_352,
        files_bytes=6 * _MIB,
    ),
    Board(
        "esp32c3",
        "ESP32-C3",
        arch="rv32imc",
        clock_hz=160_000_000,
        heap_bytes=191_872,
        largest_bytes=139_264,
        files_bytes=2 * _MIB,
    ),
    Board(
        "stm32",
        "Pyboard v1.1 (STM32F405)",
        arch="armv7emsp",
        clock_hz=168_000_000,
        heap_bytes=93_632,
        files_bytes=112 * _KIB,
    ),
    Board(
        "nrf52840",
        "nRF52840 boards (Arduino Nano 33 BLE)",
        arch="armv7emsp",
        clock_hz=64_000_000,
        heap_bytes=219_000,
        files_bytes=64 * _KIB,
    ),
    Board(
        "samd51",
        "SAMD51 boards (Adafruit Feather M4 Express)",
        arch="armv7emsp",
        clock_hz=120_000_000,
        heap_bytes=161_400,
        files_bytes=2 * _MIB,
    ),
    Board(
        "teensy41",
        "Teensy 4.1",
        arch="armv7emdp",
        clock_hz=600_000_000,
        heap_bytes=764_000,
        files_bytes=7 * _MIB - 4 * _KIB,
    ),
)


def known(name: str) -> Board:
    """The board called `name`, whether it can be reached or not. UsageError if there is none."""
    for board in BOARDS:
        if board.name == name:
            return board
    raise UsageError(f"no board is called {name}", "known: " + ", ".join(board.name for board in BOARDS))


def get(name: str, firmware: str | None = None) -> Board:
    """The board called `name`, to run something on it; `firmware` is the path or version of an image for it.

    Raises:
        UsageError: there is none, it cannot be reached yet, or there is no such image.
        NoBoardError: the image that it needs is not here.
    """
    board = known(name)
    if not board.reachable:
        reachable = ", ".join(board.name for board in BOARDS if board.reachable)
        raise UsageError(
            f"{name} is known, but cannot be reached yet",
            f"`tinympy check MODEL --board {name}` says whether a model fits; what can be run: {reachable}",
        )
    if board.needs_firmware:
        from ..firmware import find

        return replace(board, firmware=find(firmware))
    if firmware is not None:
        raise UsageError(f"{name} has firmware of its own", "--firmware is for emulated boards")
    return board


def several(names: Sequence[str], firmware: str | None = None) -> dict[str, Board]:
    """The boards that `names` mean, by a label for each. `unix:16` are 16 of them.

    Raises:
        UsageError, NoBoardError: as `get`; or the number is none.
    """
    found = []
    for each in names:
        name, colon, number = each.partition(":")
        count = int(number) if number.isdecimal() else 0
        if colon and not 0 < count <= MOST:
            raise UsageError(f"{each} is no number of boards", f"{name}:1 to {name}:{MOST}")
        found += [get(name, firmware)] * (count or 1)
    if len(found) == 1:
        return {found[0].name: found[0]}
    return {f"{board.name}:{index}": board for index, board in enumerate(found, 1)}
