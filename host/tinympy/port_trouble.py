"""Why a serial port cannot be opened: it is not there, not allowed, in use, or nothing listens at its address."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

_CONNECT_S = 3.0
_IN_USE = "close the other program that uses it"


def hint(port: str) -> str:
    """What stands in the way of opening `port` (a path, a name or an address), and what to do, in one sentence."""
    if "://" in port:
        return _address_hint(port)
    if os.name != "posix":
        return "name a serial port, and close every other program that uses it"
    if not Path(port).exists():
        return "there is no such port: is it plugged in?"
    try:
        os.close(os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno == errno.EACCES:
            return _permission_hint(port)
        if error.errno != errno.EBUSY:
            return os.strerror(error.errno or 0)
    holders = _holders(port)
    return f"{_IN_USE}: {', '.join(holders)}" if holders else f"{_IN_USE} (mpremote, Thonny, a serial monitor)"


def _holders(port: str) -> list[str]:
    """The programs that have `port` open, as far as this computer says: name and process id."""
    device, found = os.path.realpath(port), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or belongs to another user
            if int(process.name) != os.getpid() and device in map(os.readlink, (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
    return found


def _permission_hint(port: str) -> str:
    import grp

    status = Path(port).stat()
    if status.st_mode & 0o060 != 0o060:
        return f"your user may not use it, and no group may: its mode is {status.st_mode & 0o777:03o}"
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    return f"your user may not use it: join the group {group} (sudo usermod -aG {group} $USER) and log in again"


def _address_hint(port: str) -> str:
    """Why an address like socket://host:2217 cannot be opened, found out by connecting to it."""
    scheme, host, number = port.partition("://")[0], None, None
    with contextlib.suppress(ValueError):
        address = urlsplit(port)
        host, number = address.hostname, address.port
    if scheme not in ("socket", "rfc2217") or not host or number is None:
        return "addresses are like socket://host:2217 and rfc2217://host:2217"
    try:
        socket.create_connection((host, number), timeout=_CONNECT_S).close()
    except socket.gaierror:
        return f"there is no computer called {host}"
    except ConnectionRefusedError:
        return f"nothing listens at port {number} of {host}: is the server (ser2net) running?"
    except OSError as error:
        return f"{host} cannot be reached: {error.strerror or error}"
    return f"{host} listens at {number}, but not as {scheme}: does another program use it?"
