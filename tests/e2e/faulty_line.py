"""A serial line that fails on demand: a pseudo-terminal between a program and a board's port, with faults in between.

line = FaultyLine(board.port)      # open line.port instead of board.port
line.to_board = corrupt(at=20)     # flips bits of the 20th byte from now on its way to the board
line.to_host = stall               # from now on nothing comes back
"""

import os
import select
import threading
import time
import tty


class FaultyLine:
    """`to_board` and `to_host` are faults: functions from the bytes that came to the bytes that go on."""

    def __init__(self, board_port):
        self.to_board = self.to_host = intact
        self._board = os.open(board_port, os.O_RDWR | os.O_NOCTTY)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._wake_reader, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def say(self, data):
        """Let the program hear `data`, as if the board had said it."""
        _write(self._master, data)

    def close(self):
        """Pull the plug: the program's end of the line disappears. May be called twice."""
        if self._thread.is_alive():
            os.write(self._wake, b"x")
            self._thread.join()
            for descriptor in (self._board, self._slave, self._wake, self._wake_reader):
                os.close(descriptor)

    def _carry(self):
        try:
            while True:
                readable, _, _ = select.select([self._board, self._master, self._wake_reader], [], [])
                if self._wake_reader in readable:
                    return
                if self._master in readable:
                    _write(self._board, self.to_board(os.read(self._master, 4096)))
                if self._board in readable:
                    _write(self._master, self.to_host(os.read(self._board, 4096)))
        except OSError:
            return  # the board is gone, or a fault pulled the plug
        finally:
            os.close(self._master)


def _write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def intact(data):
    """No fault."""
    return data


def stall(data):
    """Everything is lost."""
    return b""


def drop(at, count=1):
    """`count` bytes are lost, the first at position `at` from now."""
    return _once(at, count, lambda piece: b"")


def corrupt(at, count=1, mask=0x55):
    """Bits of `count` bytes are flipped."""
    return _once(at, count, lambda piece: bytes(byte ^ mask for byte in piece))


def duplicate(at, count=1):
    """`count` bytes come twice."""
    return _once(at, count, lambda piece: piece * 2)


def insert(at, garbage):
    """`garbage` comes before the byte at position `at`."""
    return _once(at, 0, lambda piece: garbage)


def delay(seconds):
    """Everything comes late."""

    def fault(data):
        time.sleep(seconds)
        return data

    return fault


def _once(at, count, change):
    seen = 0
    done = False

    def fault(data):
        nonlocal seen, done
        start = at - seen
        seen += len(data)
        if done or start >= len(data):
            return data
        done = True
        return data[:start] + change(data[start : start + count]) + data[start + count :]

    return fault
