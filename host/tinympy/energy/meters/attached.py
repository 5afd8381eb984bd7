"""The meters that are attached, by the identities of their USB ports. Opens none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports

from tinympy.errors import MeterError

_PPK2 = (0x1915, 0xC00A)
# ST's number for serial ports of any kind; an LPM01A says PowerShield as well.
_ST_PORT = (0x0483, 0x5740)
_INTERFACE = re.compile(r":[^:.]*\.?(\d+)$")


@dataclass(frozen=True)
class Attached:
    """kind -- of the meter; place -- its port; certain -- False where its USB identity is shared with other things"""

    kind: str
    place: str
    product: str
    serial: str | None
    certain: bool = True

    @property
    def address(self) -> str:
        return f"{self.kind}:{self.place}"


def attached_meters(ports: Iterable[Any] | None = None) -> list[Attached]:
    """Meters on serial ports, in the order of these; `ports` are as pyserial lists them."""
    listed = sorted(list_ports.comports() if ports is None else ports, key=lambda port: str(port.device))
    found = []
    for port in listed:
        identity, product = (port.vid, port.pid), port.product or port.description or ""
        if identity == _PPK2 and port is _first_of(port, listed):
            found.append(Attached("ppk2", port.device, product, port.serial_number))
        elif identity == _ST_PORT:
            found.append(Attached("lpm01a", port.device, product, port.serial_number, "powershield" in product.lower()))
    return found


def only(kind: str) -> str:
    """The port of the one meter of that kind that is attached.

    Raises:
        MeterError: there is none, or several.
    """
    found = [meter for meter in attached_meters() if meter.kind == kind]
    found = [meter for meter in found if meter.certain] or found
    if not found:
        raise MeterError(
            f"no {kind} is attached", f"plug it in, or say where it is: {kind}:PORT; emu:{kind} needs none"
        )
    if len(found) > 1:
        raise MeterError(
            f"several meters may be a {kind}: {', '.join(meter.place for meter in found)}", f"say which: {kind}:PORT"
        )
    return found[0].place


def _first_of(port: Any, listed: list[Any]) -> Any:
    """Of the ports of the same instrument the one that measures: a PPK2's lowest interface."""
    same = [
        other
        for other in listed
        if (other.vid, other.pid, other.serial_number) == (port.vid, port.pid, port.serial_number)
    ]
    return min(same, key=_interface)


def _interface(port: Any) -> int:
    match = _INTERFACE.search(port.location or "")
    return int(match[1]) if match else 0
