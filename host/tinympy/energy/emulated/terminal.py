"""The instrument's end of a pseudo-terminal, whose other end is a port that programs open by its path."""

from __future__ import annotations

import contextlib
import os
import select
import tty

# A terminal takes a few kB at a time; what it does not take waits here.
_READ_BYTES = 4096


class Terminal:
    """Without echo and conversions. Nothing in it waits for longer than it is told to."""

    def __init__(self) -> None:
        self._ours, theirs = os.openpty()
        self.path = os.ttyname(theirs)
        tty.setraw(theirs)
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self._waiting = bytearray()

    @property
    def connected(self) -> bool:
        """Whether some program has it open."""
        poll = select.poll()
        poll.register(self._ours, select.POLLIN)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    @property
    def waiting_bytes(self) -> int:
        """Written, and not taken by the terminal."""
        return len(self._waiting)

    def read(self, limit_s: float) -> bytes:
        """What the program wrote; waits up to `limit_s` for it."""
        ready, _, _ = select.select([self._ours], [self._ours] if self._waiting else [], [], limit_s)
        if ready:
            with contextlib.suppress(OSError):  # nobody has it open
                return os.read(self._ours, _READ_BYTES)
        return b""

    def write(self, data: bytes = b"") -> None:
        """Gives the program as much as there is room for, and keeps the rest; nobody there: it is gone."""
        self._waiting += data
        if not self.connected:
            self._waiting.clear()
        with contextlib.suppress(OSError):
            while self._waiting:
                del self._waiting[: os.write(self._ours, self._waiting[:_READ_BYTES])]

    def unplug(self) -> None:
        os.close(self._ours)
