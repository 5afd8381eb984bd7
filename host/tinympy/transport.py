"""The line to a board: raw REPL through mpremote, then a stream of bytes to the program running there.

The only module that knows serial ports and mpremote. Everything that goes wrong becomes NoBoardError (nothing usable
at the port) or BoardError (it was there, and failed).
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from .errors import BoardError, NoBoardError

try:
    import termios

    _LINE_ERRORS: tuple[type[Exception], ...] = (OSError, termios.error)
except ImportError:  # Windows
    _LINE_ERRORS = (OSError,)

# How often a blocking read looks at its deadline.
_POLL_S = 0.1
# Raw REPL answers come in small pieces, and slow or emulated boards take a while for each.
_REPL_READ_S = 2.0
_WRITE_S = 4.0
_LEAVE_S = 4.8


class Transport:
    """An open line to a board at its raw REPL; after `start`, a byte stream to the program (`read`, `write`).

    `interrupt` is called beside sending Ctrl-C, for boards whose interrupt does not travel on the line. All limits are
    for a board in real time; one that is emulated gets `patience` times as much.
    """

    def __init__(self, port: str, interrupt: Callable[[], None] | None = None, patience: float = 1.0) -> None:
        self.port = port
        self._patience = patience
        self._interrupt = interrupt
        self._running = False
        self._link = _connect(port)
        self._serial: serial.Serial = self._link.serial
        try:
            self.leave()
        except BoardError as error:
            self.close()
            raise NoBoardError(error.message, error.hint) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A board that failed would only cost more time; one that runs is not left running by the way.
        if self._running and not (kind and issubclass(kind, BoardError)):
            with contextlib.suppress(BoardError):
                self.leave()
        self.close()

    def exec(self, code: str, timeout_s: float = 10.0) -> str:
        """Run `code` on the board and return what it prints. BoardError if it raises, or is silent for timeout_s."""
        with self._failures():
            output, error = self._link.exec_raw(code, timeout=timeout_s * self._patience)
        if error:
            raise BoardError(f"the board raised {_last_line(error)}", "run with --debug to see the whole traceback")
        return bytes(output).decode(errors="replace").replace("\r\n", "\n")

    def start(self, code: str) -> None:
        """Run `code` on the board without waiting for its end. From now on the line is a stream."""
        with self._failures():
            self._link.exec_raw_no_follow(code)
            self._serial.timeout = _POLL_S
        self._running = True

    def read(self, size: int, deadline_s: float) -> bytes:
        """`size` bytes from the program, or as many as came by time.monotonic() == deadline_s."""
        data = b""
        with self._failures():
            while True:
                chunk: bytes = self._serial.read(size - len(data))
                data += chunk
                if len(data) == size or time.monotonic() >= deadline_s:
                    return data

    def write(self, data: bytes) -> None:
        """Send bytes to the program."""
        with self._failures():
            self._serial.write(data)

    def leave(self) -> None:
        """Bring the board back to its raw REPL, whatever it is doing. BoardError within 5 s if it does not answer."""
        deadline_s = time.monotonic() + _LEAVE_S * self._patience
        interrupt = self._interrupt if self._running else None
        with self._failures():
            self._serial.timeout = _POLL_S
            self._serial.write_timeout = _LEAVE_S * self._patience / 5
            padding_bytes = 64
            while not self._enter_raw_repl(padding_bytes, deadline_s):
                if time.monotonic() >= deadline_s:
                    raise BoardError(f"the board at {self.port} does not answer", "unplug it, plug it in, try again")
                if interrupt:
                    interrupt()
                    interrupt = None  # a second one would find no program, and end the interpreter
                # A program that waits for the rest of a frame takes Ctrl-C for data: fill the frame up. A slow board
                # takes long to read much, so begin with little.
                padding_bytes = max(512, 4 * padding_bytes)
            self._serial.timeout = _REPL_READ_S * self._patience
            self._serial.write_timeout = _WRITE_S * self._patience
        self._running = False

    def detach(self) -> None:
        """Close the port and let the program on the board run on."""
        self._running = False
        with contextlib.suppress(*_LINE_ERRORS):
            self._link.close()
        with contextlib.suppress(*_LINE_ERRORS):  # mpremote leaves it open when the board is gone
            self._serial.close()

    def close(self) -> None:
        """Close the port; a board at its raw REPL is brought to its friendly one first. Never raises."""
        with contextlib.suppress(*_LINE_ERRORS):
            if self._link.in_raw_repl and not self._running:
                self._link.exit_raw_repl()
        self.detach()

    def _enter_raw_repl(self, padding_bytes: int, deadline_s: float) -> bool:
        patience_s = min(_LEAVE_S * self._patience / 5, max(0.0, deadline_s - time.monotonic()))
        token = os.urandom(8).hex().encode()
        end = token + b"\x04\x04>"
        try:
            self._serial.write(bytes(padding_bytes))
            with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it does not understand
                self._link.enter_raw_repl(soft_reset=False, timeout_overall=patience_s)
                # The board may still have answers to earlier attempts to give; what follows this one is new.
                self._serial.write(b"print('" + token + b"', end='')\x04")
                if not self._link.read_until(1, end, timeout_overall=patience_s).endswith(end):
                    return False
                self._link.enter_raw_repl(soft_reset=False, timeout_overall=patience_s)
        except (TransportError, serial.SerialTimeoutException):
            return False
        return True

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except TransportExecError as error:
            raise BoardError(f"the board raised {_last_line(error.error_output)}") from error
        except serial.SerialTimeoutException as error:
            raise BoardError("the board takes no more data", "reset it and try again") from error
        except _LINE_ERRORS as error:
            raise BoardError("the board disappeared", "check the cable, and whether it was reset") from error
        except (TransportError, struct.error, UnicodeDecodeError, ValueError, SyntaxError) as error:
            raise BoardError(f"the board answered wrongly: {error}", "reset it and try again") from error


def open(port: str, interrupt: Callable[[], None] | None = None, patience: float = 1.0) -> Transport:
    """Open the serial port `port` (a path or name) and bring the board there to its raw REPL."""
    return Transport(port, interrupt, patience)


def _connect(port: str) -> SerialTransport:
    try:
        return SerialTransport(port, timeout=_POLL_S)
    except (TransportError, OSError, ValueError) as error:
        raise NoBoardError(f"cannot open {port}", _open_hint(port)) from error


def _open_hint(port: str) -> str:
    if not port.startswith("/dev/"):
        return "name a serial port, and close every other program that uses it"
    if not Path(port).exists():
        return "there is no such port: is the board plugged in?"
    try:
        os.close(os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno == errno.EACCES:
            return "your user may not use serial ports: join the group dialout and log in again"
        return f"{os.strerror(error.errno or 0)}"
    return "close the other program that uses it (mpremote, Thonny, a serial monitor)"


def _last_line(traceback: str | bytes) -> str:
    text = traceback.decode(errors="replace") if isinstance(traceback, bytes) else traceback
    return (text.strip().splitlines() or ["an error"])[-1]
