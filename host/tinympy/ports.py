"""The serial ports of this computer, and what their USB identities say. Opens none of them."""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports

from tinympy.boards import BOARDS, BRIDGES, Board

Unit = tuple[int, int, str]
"""One piece of hardware, wherever it is plugged in: vendor, product and serial number of its USB identity."""


@dataclass(frozen=True)
class Port:
    """A serial port: its path or name, the USB identity behind it (vid:pid in hexadecimal), and how it calls itself."""

    path: str
    usb: str
    product: str = ""

    @property
    def bridge(self) -> str | None:
        """The kind of bridge between USB and a serial line that this is; what is behind it is not known."""
        return BRIDGES.get(self.usb)

    @property
    def may_be(self) -> tuple[Board, ...]:
        """The kinds of boards that may be here."""
        return tuple(board for board in BOARDS if board.may_be_at(self.usb))


def present() -> list[Port]:
    """The ports with a USB identity that a board may have, in the order of their names."""
    found = [
        Port(info.device, f"{info.vid:04x}:{info.pid:04x}", info.product or info.description or "")
        for info in list_ports.comports()
        if info.vid is not None and info.pid is not None
    ]
    return sorted((port for port in found if port.may_be), key=lambda port: port.path)


def at(path: str) -> Port:
    """The port at `path`, whatever is there."""
    return next((port for port in present() if port.path == path), Port(path, ""))


def unit_at(path: str) -> Unit | None:
    """The piece of hardware behind `path`; None where that has no serial number."""
    return next((unit for device, unit in _units() if device == path), None)


def of_unit(unit: Unit) -> str | None:
    """The port that `unit` is at; None while it is at none."""
    return next((device for device, each in _units() if each == unit), None)


def _units() -> list[tuple[str, Unit]]:
    return [
        (info.device, (info.vid, info.pid, info.serial_number))
        for info in list_ports.comports()
        if info.vid is not None and info.serial_number
    ]
