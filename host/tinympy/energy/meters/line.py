"""The serial line of a meter: a thread of its own reads, and does nothing but append what it reads."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Self

import serial
from serial.tools import list_ports

from tinympy.errors import MeterError
from tinympy.port_trouble import hint

Chunk = tuple[float, bytes]
"""When bytes had been read (s, time.monotonic), and they."""

# Reading every few milliseconds is enough at 400 kB/s (systems hold 64 kB and more), and takes little of a core.
_PAUSE_S = 0.002
_WRITE_S = 2.0


class Line:
    """An open port. `trouble` says why nothing comes from it any more, once that is so.

    Raises:
        MeterError: the port cannot be opened.
    """

    def __init__(self, path: str, baud: int = 115200) -> None:
        self.path = path
        self.trouble: str | None = None
        self._chunks: list[Chunk] = []
        self._open = True
        try:
            self._port = serial.Serial(path, baud, timeout=0.1, write_timeout=_WRITE_S, exclusive=True)
        except (OSError, ValueError) as error:  # a SerialException is an OSError
            raise MeterError(f"cannot open {path}", hint(path)) from error
        self.reader = threading.Thread(target=self._read, name=f"meter at {path}", daemon=True)
        self.reader.start()

    def write(self, data: bytes) -> None:
        """Raises MeterError when the meter is gone, or takes nothing."""
        try:
            self._port.write(data)
            self._port.flush()
        except OSError as error:
            raise MeterError(
                f"the meter at {self.path} does not take commands: {error}", "unplug it, plug it in"
            ) from (error)
        except Exception as error:  # termios.error, which is not an OSError, and does not exist everywhere
            raise MeterError(f"the meter at {self.path} is gone", "plug it in again") from error

    def take(self) -> list[Chunk]:
        """What has come since the last time."""
        taken = self._chunks[:]
        del self._chunks[: len(taken)]
        return taken

    def text(self, skip: int = 0) -> bytes:
        """What has come and was not taken, without the first `skip` pieces."""
        return b"".join(data for _, data in self._chunks[skip:])

    def wait(self, arrived: Callable[[bytes], bool], limit_s: float, new: bool = False) -> bool:
        """Until `arrived` is true of what has come and was not taken; False when it is not after `limit_s`.

        new -- only of what comes from now on
        """
        deadline, skip = time.monotonic() + limit_s, len(self._chunks) if new else 0
        while not arrived(self.text(skip)):
            if self.trouble or time.monotonic() > deadline:
                return arrived(self.text(skip))
            time.sleep(0.005)
        return True

    def settle(self, quiet_s: float, limit_s: float) -> bool:
        """Until nothing has come for `quiet_s`; False when something still comes after `limit_s`."""
        start = time.monotonic()
        while not self.trouble:
            now = time.monotonic()
            last = self._chunks[-1][0] if self._chunks else start
            if now - max(last, start) > quiet_s:
                return True
            if now - start > limit_s:
                return False
            time.sleep(0.005)
        return True

    def close(self) -> None:
        self._open = False
        self.reader.join(1.0)
        with contextlib.suppress(Exception):  # a meter that is gone makes it termios.error as well as OSError
            self._port.close()

    def _read(self) -> None:
        try:
            while self._open:
                data = self._port.read(1)
                # All of it, so that the time is that of the last byte.
                while more := self._port.in_waiting:
                    data += self._port.read(more)
                if data:
                    self._chunks.append((time.monotonic(), data))
                    time.sleep(_PAUSE_S)
        except Exception as error:  # an OSError or whatever else the driver has for a device that is gone
            self.trouble = str(error) or type(error).__name__


class AtLine:
    """A meter at a serial line, which is open while the context lasts: `_begin` and `_end` say what to do on it."""

    def __init__(self, path: str, baud: int = 115200) -> None:
        self._path, self._baud = path, baud
        self._serial: str | None = None
        self._line: Line | None = None

    def __enter__(self) -> Self:
        self._line = Line(self._path, self._baud)
        try:
            self._serial = serial_number(self._path)
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is None:
            return
        with contextlib.suppress(MeterError):  # it is gone
            self._end()
        self._line.close()
        self._line = None

    def _begin(self) -> None:
        """When the line is open; what it raises closes it."""
        raise NotImplementedError

    def _end(self) -> None:
        """Before it is closed, whatever has happened."""
        raise NotImplementedError

    def _opened(self) -> Line:
        if self._line is None:
            raise MeterError("the meter is not open", "use it in a with statement")
        return self._line


def serial_number(path: str) -> str | None:
    """The USB serial number of what is at `path`."""
    return next((port.serial_number for port in list_ports.comports() if port.device == path), None)
