"""The computer's end of the serial command loop: text commands, and frames with bounded retries (docs/protocol.md).

Only requests that may be repeated are repeated. A timed window is asked for once, and counts only when the lines the
board printed agree with what it says in a checked frame.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import struct
import time
from dataclasses import dataclass, fields
from typing import Protocol

from tinympy.device import wire

from .errors import BoardError, UsageError, raised_on_board

REPLY_TIMEOUT_S = 4.8
# Importing the package and loading the model.
READY_TIMEOUT_S = 6.0
# The board's clock may wrap after 2^30 microseconds, and only once in a window.
WINDOW_LIMIT_S = 900.0

_ATTEMPTS = 3
_LINE_BYTES = 16384
_PAYLOAD_BYTES = 1 << 20
_EOT = b"\x04"
# What a program that ends leaves at the raw REPL after its output: EOT, traceback, EOT, prompt.
_ENDED = re.compile(rb"\x04([^\x04]*)\x04>")
_DISTURBED = "the line is disturbed: try another cable or port"
_WINDOW = re.compile(
    r"m-warmup-start-(\d+)\nm-warmup-done\nm-infer-start-(\d+)\nm-lap-us-(\d+)\nm-lap-us-(\d+)\n"
    r"m-infer-done\nm-results-\[[^\]\n]*\]"
)


class Stream(Protocol):
    """A line to the program on the board; failures of the line raise BoardError."""

    def read(self, size: int, deadline_s: float) -> bytes:
        """`size` bytes, or as many as came by time.monotonic() == deadline_s."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""


@dataclass(frozen=True)
class DeviceInfo:
    """What the board says about itself. mpy and clock_hz are 0, temperature_c None, where it does not know."""

    model: str
    implementation: str
    version: str
    build: str
    machine: str
    platform: str
    mpy: int
    clock_hz: int
    ticks_step_us: int
    arena_bytes: int
    program_bytes: int
    flash_bytes: int
    input_bytes: int
    output_bytes: int
    heap_free_bytes: int
    temperature_c: float | None


@dataclass(frozen=True)
class Timed:
    """A timed window; free bytes of the board's heap directly before and after its inferences, 0 where unknown.

    begin_us, end_us: on the board's clock since it began to serve.
    """

    elapsed_us: int
    heap_free_bytes: int
    heap_left_bytes: int
    begin_us: int
    end_us: int


class _SilenceError(Exception):
    """The deadline passed before enough bytes came."""


class Dut:
    """The device under test at the other end of `stream`. Every method raises BoardError when the board fails.

    timeout_s limits an exchange, all its attempts together, where no other limit is given. All limits are for a board
    in real time; one that is emulated gets `patience` times as much. With `escaped`, the board's console keeps Ctrl-C
    for itself, and frames come there without that byte.
    """

    def __init__(
        self, stream: Stream, timeout_s: float = REPLY_TIMEOUT_S, patience: float = 1.0, escaped: bool = False
    ) -> None:
        self._stream = stream
        self._escaped = escaped
        self._patience = patience
        self._timeout_s = timeout_s
        self._receiver = wire.Receiver(self._read_into)
        self._deadline_s = 0.0
        # The board may remember requests of a program before this one.
        self._sequence = int.from_bytes(os.urandom(2), "little")
        self._longest_bytes = 0
        self._heard = bytearray()
        # Replies to repeated requests may still be under way; only frames can tell them from what is asked next.
        self._stale = True

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until the program that was just started on the board says that it is ready."""
        self._lines(time.monotonic() + timeout_s * self._patience)
        self._stale = False

    def command(self, text: str, timeout_s: float | None = None) -> list[str]:
        """Send a text command (without its `%`) and return the lines of the reply, without the closing m-ready."""
        if self._stale:
            self.synchronise()
        self._heard.clear()
        self._stream.write(text.encode("ascii") + b"%")
        try:
            return self._lines(time.monotonic() + (timeout_s or self._timeout_s) * self._patience)
        except BoardError:
            self._stale = True
            raise

    def synchronise(self) -> None:
        """Make sure that nothing of an earlier exchange is under way on the line."""
        for _ in range(_ATTEMPTS):
            self._stale = False
            token = os.urandom(8)
            if self._request(wire.ECHO, token) == token and not self._stale:
                return
        self._stale = True
        raise BoardError("the board's answers are out of step", _DISTURBED)

    def info(self) -> DeviceInfo:
        """What the board says about itself, its firmware and its model."""
        answer = json.loads(self._request(wire.INFO))
        return DeviceInfo(**{field.name: answer[field.name] for field in fields(DeviceInfo)})

    def load_input(self, data: bytes) -> None:
        """Put `data` (all input tensors, one after another) into the model's inputs."""
        self._request(wire.LOAD_INPUT, data)

    def infer_sample(self, data: bytes, timeout_s: float | None = None) -> tuple[bytes, int]:
        """Load `data` (all input tensors), run once; return all output tensors, one after another, and microseconds.

        timeout_s covers up to three attempts: allow three times what one inference takes.
        """
        answer = self._request(wire.INFER, data, timeout_s)
        return answer[:-4], struct.unpack(wire.INFER_TAIL, answer[-4:])[0]

    def read_output(self) -> bytes:
        """All output tensors of the last inference."""
        return self._request(wire.READ_OUTPUT)

    def run_range(self, first: int, last: int, repeat: int = 1, timeout_s: float | None = None) -> int:
        """Run the program's operations first … last - 1, `repeat` times; return the microseconds of them all.

        timeout_s covers up to three attempts, of which only one is executed.
        """
        answer = self._request(wire.RUN_RANGE, struct.pack(wire.RANGE, first, last, repeat), timeout_s)
        return int(struct.unpack(wire.RANGE_TAIL, answer)[0])

    def read_arena(self, offset: int, count: int) -> bytes:
        """`count` bytes of the arena from `offset` on."""
        pieces = [
            self._request(wire.READ_ARENA, struct.pack(wire.ARENA, at, min(wire.ARENA_BYTES, offset + count - at)))
            for at in range(offset, offset + count, wire.ARENA_BYTES)
        ]
        return b"".join(pieces)

    def reset(self) -> None:
        """Give the model's state its first value."""
        self._request(wire.RESET)

    def window(self, n: int, warmup: int, timeout_s: float) -> int:
        """As `timed`; the microseconds alone."""
        return self.timed(n, warmup, timeout_s).elapsed_us

    def timed(self, n: int, warmup: int, timeout_s: float) -> Timed:
        """Run `warmup` and then `n` timed inferences on the input loaded last.

        Uses the text command `infer`, once. timeout_s is for all of it, at most WINDOW_LIMIT_S.
        """
        if timeout_s > WINDOW_LIMIT_S:
            raise UsageError(f"a window of more than {WINDOW_LIMIT_S:.0f} s cannot be timed", "use fewer inferences")
        lines = self.command(f"infer {n} {warmup}", timeout_s)
        match = _WINDOW.fullmatch("\n".join(lines))
        if match is None:
            complaint = next((line for line in lines if line.startswith(("e-[", "Input db"))), "")
            if complaint:
                raise BoardError(f"the board refused to run: {complaint}", "load an input first")
            raise BoardError("garbage in the board's answer to infer", _DISTURBED)
        warmup_run, n_run, first_us, last_us = map(int, match.groups())
        # The lines carry no check; this does, and must say the same.
        printed = (n_run, warmup_run, first_us, last_us)
        checked = struct.unpack(wire.WINDOW, self._request(wire.READ_WINDOW))
        if (n_run, warmup_run) != (n, warmup) or checked[:4] != printed:
            raise BoardError("the window's times were damaged in transfer", _DISTURBED)
        return Timed(last_us - first_us, *checked[4:])

    def preamble(self) -> int:
        """Let the board's current show the pattern of device.marks; when that began, in microseconds as in `Timed`."""
        return int(struct.unpack(wire.PREAMBLE_TAIL, self._request(wire.PREAMBLE))[0])

    def close(self) -> None:
        """Ask the board to leave the command loop. Never raises: the transport's `leave` is what makes sure."""
        with contextlib.suppress(BoardError):
            self._request(wire.EXIT, timeout_s=1.0, attempts=1)

    def _request(
        self, kind: int, payload: bytes = b"", timeout_s: float | None = None, attempts: int = _ATTEMPTS
    ) -> bytes:
        self._sequence = self._sequence % 0xFFFF + 1
        frame = wire.encode(kind, self._sequence, payload)
        if self._escaped:
            frame = wire.escape(frame)
        self._longest_bytes = max(self._longest_bytes, len(frame))
        self._heard.clear()
        start_s = time.monotonic()
        end_s = start_s + (timeout_s or self._timeout_s) * self._patience
        for attempt in range(attempts):
            now_s = time.monotonic()
            self._deadline_s = now_s + (end_s - now_s) / (attempts - attempt)
            self._stream.write(frame)
            try:
                answer = self._answer(kind)
            except _SilenceError:
                answer = None
                self._check_running()
                self._fill_up(end_s)
            if answer is not None:
                return answer
            self._stale = True
        if time.monotonic() < end_s:
            raise BoardError("every answer of the board arrives damaged", _DISTURBED)
        if self._heard:
            raise BoardError("garbage instead of an answer from the board", _DISTURBED)
        raise BoardError(f"the board fell silent for {end_s - start_s:.1f} s", "reset it and try again")

    def _answer(self, kind: int) -> bytes | None:
        # None: something was damaged, ask again.
        receiver = self._receiver
        found = receiver.header(0)
        search_bytes = wire.HEADER_BYTES
        while True:
            while not found:
                self._stale = True
                found = receiver.hunt(search_bytes)
                search_bytes = 0
            if receiver.length > _PAYLOAD_BYTES:
                return None
            payload = bytearray(receiver.length)
            if not receiver.payload(memoryview(payload)):
                return None
            if receiver.sequence == self._sequence and receiver.kind == kind | wire.REPLY:
                return bytes(payload)
            if receiver.kind == wire.ERROR and receiver.sequence in (self._sequence, 0):
                if payload[0] == wire.DAMAGED:
                    return None
                raise BoardError(f"the board refused: {payload[1:].decode(errors='replace')}")
            found = receiver.header(0)
            search_bytes = wire.HEADER_BYTES

    def _fill_up(self, end_s: float) -> None:
        # The board may wait for bytes of a frame that were lost. What it says to the filling is of no interest.
        self._stream.write(bytes(self._longest_bytes) + wire.IDLE)
        quiet_s = min(end_s, time.monotonic() + 0.1 * self._patience)
        while self._stream.read(4096, quiet_s):
            pass

    def _read_into(self, view: memoryview) -> None:
        data = self._stream.read(len(view), self._deadline_s)
        self._heard += data
        if len(data) < len(view):
            raise _SilenceError
        view[:] = data

    def _lines(self, deadline_s: float) -> list[str]:
        lines: list[str] = []
        line = b""
        while True:
            byte = self._stream.read(1, deadline_s)
            self._heard += byte
            if byte == b"\n":
                text = line.rstrip(b"\r").decode("ascii", errors="replace")
                if text == "m-ready":
                    return lines
                if not (text.isascii() and text.isprintable()):
                    raise BoardError("garbage instead of an answer from the board", _DISTURBED)
                lines.append(text)
                line = b""
            elif not byte:
                raise BoardError("the board fell silent within an answer", "reset it and try again")
            elif byte == _EOT:
                self._heard += self._stream.read(_LINE_BYTES, min(deadline_s, time.monotonic() + 0.3))
                self._check_running()
                raise BoardError("garbage instead of an answer from the board", _DISTURBED)
            else:
                line += byte
                if len(line) > _LINE_BYTES:
                    raise BoardError("garbage instead of an answer from the board", _DISTURBED)

    def _check_running(self) -> None:
        ended = _ENDED.search(self._heard)
        if ended:
            text = ended[1].decode(errors="replace").strip()
            reason = text.splitlines()[-1] if text else "it returned to its prompt"
            if reason.startswith("MemoryError"):
                raise raised_on_board(reason)
            raise BoardError(f"the program on the board ended: {reason}", "run with --debug to see what it printed")
