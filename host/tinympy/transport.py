"""The line to a board: raw REPL through mpremote, then a stream of bytes to the program running there.

The only module that knows serial ports and mpremote. Everything that goes wrong becomes NoBoardError (nothing usable
at the port) or BoardError (it was there, and failed).
"""

from __future__ import annotations

import contextlib
import os
import struct
import time
from collections.abc import Callable, Iterator

import serial
from mpremote import transport_serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from . import checked, port_trouble, ports
from .errors import BoardError, NoBoardError, raised_on_board

try:
    import termios

    _LINE_ERRORS: tuple[type[Exception], ...] = (OSError, termios.error)
except ImportError:  # Windows
    _LINE_ERRORS = (OSError,)

# How often a blocking read looks at its deadline.
_POLL_S = 0.1
# Raw REPL answers come in small pieces, and slow or emulated boards take a while for each.
_REPL_READ_S = 1.0
# How long code may execute without printing anything.
EXEC_S = 3.0
_WRITE_S = 3.0
_LEAVE_S = 4.8
# The same when something failed already, which took its time.
_LEAVE_FAILED_S = 2.9
# How long a board may take to come back after a reset.
_RETURN_S = 4.8
_ATTEMPTS = 3

# mpremote prints what it does not understand.
transport_serial.print = lambda *_: None

_RAW_REPL = b"raw REPL; CTRL-B to exit\r\n"

_DISTURBED = "the line is disturbed: try another cable or port"
_DAMAGED = (TransportError, struct.error, UnicodeDecodeError)
# What a board says that has forgotten all it was told.
_LOST = f"NameError: name '{checked.NAME}'"


class _DisappearedError(BoardError):
    """The port is gone."""


class _AwayError(NoBoardError):
    """The port was there, and is gone."""


class Transport:
    """An open line to a board at its raw REPL; after `start`, a byte stream to the program (`read`, `write`).

    `interrupt` is called beside sending Ctrl-C, for boards whose interrupt does not travel on the line. All limits are
    for a board in real time; one that is emulated gets `patience` times as much. `check` is called several times a
    second; what it raises ends whatever is going on.
    """

    def __init__(
        self,
        port: str,
        interrupt: Callable[[], None] | None = None,
        patience: float = 1.0,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.port = port
        self._check = check
        self._patience = patience
        self._interrupt = interrupt
        self._running = False
        self._defined = False
        self._silent = False
        # The board may remember requests of a program before this one.
        self._number = int.from_bytes(os.urandom(3), "little")
        self._link = _connect(port, patience)
        self._serial: serial.Serial = self._link.serial
        try:
            self.leave()
            self._define()
        except _DisappearedError as error:
            self.close()
            raise _AwayError(error.message, error.hint) from error
        except BoardError as error:
            self.close()
            raise NoBoardError(error.message, error.hint) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Whatever happened, no program is left running by the way.
        if self._running:
            failed = kind is not None and issubclass(kind, BoardError)
            with contextlib.suppress(BoardError):
                self.leave(_LEAVE_FAILED_S if failed else _LEAVE_S)
        self.close()

    def exec(self, code: str, timeout_s: float = EXEC_S) -> str:
        """Run `code` on the board, once and only if it arrived whole, and return what it prints.

        Raises:
            BoardError: it raises, prints nothing for timeout_s, or the line is too disturbed.
        """
        self._check()
        if self._silent:
            raise self._no_answer()
        if not self._defined:
            self._define()
        self._number += 1
        request = checked.request(self._number, code)
        failure = "every answer of the board arrives damaged"
        end_s = time.monotonic() + (timeout_s + EXEC_S) * self._patience
        for attempt in range(_ATTEMPTS):
            if attempt:
                if time.monotonic() >= end_s:
                    break
                self.leave(_LEAVE_FAILED_S)
            with self._failures():
                try:
                    said, error = self._link.exec_raw(request, timeout=timeout_s * self._patience)
                except _DAMAGED as damage:
                    failure = f"the board answered wrongly: {damage}"
                    continue
            if not error:
                answer = checked.output(self._number, _text(said))
                if answer is not None:
                    return answer
            elif _LOST in (last := _last_line(error)):
                raise BoardError("the board was reset", "if it resets by itself, look at its power and its watchdog")
            elif "MemoryError" in last:
                raise raised_on_board(last)
        raise BoardError(failure, _DISTURBED)

    def start(self, code: str) -> None:
        """Run `code` on the board without waiting for its end. From now on the line is a stream."""
        if not self._defined:
            self._define()
        with self._failures():
            self._link.exec_raw_no_follow(checked.program(code))
            self._serial.timeout = _POLL_S
        self._running, self._defined = True, False

    def read(self, size: int, deadline_s: float) -> bytes:
        """`size` bytes from the program, or as many as came by time.monotonic() == deadline_s."""
        data = b""
        with self._failures():
            while True:
                self._check()
                chunk: bytes = self._serial.read(size - len(data))
                data += chunk
                if len(data) == size or time.monotonic() >= deadline_s:
                    return data

    def write(self, data: bytes) -> None:
        """Send bytes to the program."""
        with self._failures():
            self._serial.write(data)

    def leave(self, limit_s: float = _LEAVE_S) -> None:
        """Bring the board back to its raw REPL, whatever it is doing. BoardError if it does not answer in limit_s."""
        deadline_s = time.monotonic() + limit_s * self._patience
        with self._failures():
            _set_timeouts(self._serial, _POLL_S, limit_s * self._patience / 5)
            padding_bytes = 64
            while not self._enter_raw_repl(padding_bytes, deadline_s):
                if time.monotonic() >= deadline_s:
                    self._running, self._silent = False, True  # nothing more can be done about it
                    raise self._no_answer()
                if self._interrupt:
                    self._interrupt()
                # A program that waits for the rest of a frame takes Ctrl-C for data: fill the frame up. A slow board
                # takes long to read much, so begin with little.
                padding_bytes = max(512, 4 * padding_bytes)
            _set_timeouts(self._serial, _REPL_READ_S * self._patience, _WRITE_S * self._patience)
        self._running = self._silent = False

    def detach(self) -> None:
        """Close the port and let the program on the board run on."""
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

    def _no_answer(self) -> BoardError:
        return BoardError(f"the board at {self.port} does not answer", "unplug it, plug it in, try again")

    def _define(self) -> None:
        """Give the board what `exec` and `start` need of it. No harm is done where it has that already."""
        failure = BoardError("every answer of the board arrives damaged", _DISTURBED)
        for _ in range(_ATTEMPTS):
            with self._failures(), contextlib.suppress(*_DAMAGED):
                said, error = self._link.exec_raw(checked.DEFINITION, timeout=EXEC_S * self._patience)
                if not error and checked.defined(_text(said)):
                    self._defined = True
                    return
                if "MemoryError" in (last := _last_line(error)):
                    failure = raised_on_board(last)
            self.leave(_LEAVE_FAILED_S)
        raise failure

    def _enter_raw_repl(self, padding_bytes: int, deadline_s: float) -> bool:
        patience_s = min(_LEAVE_S * self._patience / 5, max(0.0, deadline_s - time.monotonic()))
        token = os.urandom(8).hex().encode()
        end = token + b"\x04\x04>"
        try:
            self._serial.write(bytes(padding_bytes))
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
        except serial.SerialTimeoutException as error:
            raise BoardError("the board takes no more data", "reset it and try again") from error
        except _LINE_ERRORS as error:
            raise _DisappearedError("the board disappeared", "check the cable, and whether it was reset") from error
        except (TransportError, struct.error, UnicodeDecodeError, ValueError, SyntaxError) as error:
            raise BoardError(f"the board answered wrongly: {error}", "reset it and try again") from error


def open(
    port: str,
    interrupt: Callable[[], None] | None = None,
    patience: float = 1.0,
    check: Callable[[], None] = lambda: None,
) -> Transport:
    """Open the serial port `port` (a path, a name or an address) and bring the board there to its raw REPL.

    A board that was there and disappeared, because it was reset, is waited for, and found by its USB identity where it
    comes back under another name.
    """
    end_s = time.monotonic() + _RETURN_S
    away: _AwayError | None = None
    while True:
        try:
            found = Transport(_whereabouts(port), interrupt, patience, check)
        except _AwayError as error:
            away = away or error
        except NoBoardError:
            # A port that is just coming back may not be usable at once.
            if away is None:
                raise
        else:
            _remember(port, found.port)
            return found
        if time.monotonic() >= end_s:
            raise away
        check()
        time.sleep(_POLL_S)


# What boards that were seen call themselves on USB, by the port they were asked for at.
_seen: dict[str, ports.Unit] = {}


def _remember(port: str, device: str) -> None:
    unit = ports.unit_at(device)
    if unit is not None:
        _seen[port] = unit


def _whereabouts(port: str) -> str:
    """Where the board that was seen at `port` is now."""
    unit = _seen.get(port)
    if unit is None:
        return port
    device = ports.of_unit(unit)
    if device is None:
        raise _AwayError(f"the board that was at {port} is gone", "is it plugged in, and has it power?")
    return device


class _Link(SerialTransport):  # type: ignore[misc]
    """mpremote's, with an end to every wait."""

    patience = 1.0

    def enter_raw_repl(self, soft_reset: bool = False, timeout_overall: float = EXEC_S) -> None:
        assert not soft_reset
        end_s = time.monotonic() + timeout_overall
        self.serial.write(b"\r\x03")
        # A program that Ctrl-C does not end may print without a pause.
        while time.monotonic() < end_s and (waiting := self.serial.in_waiting):
            self.serial.read(waiting)
        self.serial.write(b"\r\x01")
        if not self.read_until(1, _RAW_REPL, timeout_overall=timeout_overall).endswith(_RAW_REPL):
            raise TransportError("no raw REPL")
        self.in_raw_repl = True

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = None,
        data_consumer: None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """What comes up to `ending`, or until nothing comes for `timeout`, or in spite of all until timeout_overall."""
        silence_s = EXEC_S * self.patience if timeout is None else timeout
        data = bytearray()
        heard_s = time.monotonic()
        end_s = None if timeout_overall is None else heard_s + timeout_overall
        while not data.endswith(ending):
            byte = self.serial.read(1)  # as long as the port's own timeout
            data += byte
            now_s = time.monotonic()
            if byte:
                heard_s = now_s
            elif now_s >= heard_s + silence_s:
                break
            if end_s is not None and now_s >= end_s:
                break
        return bytes(data)


def _connect(port: str, patience: float) -> _Link:
    try:
        link = _Link(port, timeout=_POLL_S)
    except (TransportError, OSError, ValueError) as error:
        raise NoBoardError(f"cannot open {port}", port_trouble.hint(port)) from error
    link.patience = patience
    return link


def _set_timeouts(port: serial.Serial, read_s: float, write_s: float) -> None:
    port.timeout = read_s
    try:
        port.write_timeout = write_s
    except NotImplementedError:  # rfc2217:// has one of its own
        port.write_timeout = None


def _text(answer: bytes) -> str:
    return answer.decode(errors="replace").replace("\r\n", "\n")


def _last_line(traceback: str | bytes) -> str:
    text = traceback.decode(errors="replace") if isinstance(traceback, bytes) else traceback
    return (text.strip().splitlines() or ["an error"])[-1]
