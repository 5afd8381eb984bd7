"""Both ends of the serial command loop over a line in memory: whatever is damaged, the answer is right or an error."""

import queue
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinympy.dut import Dut
from tinympy.errors import BoardError, UsageError

from board_on_cpython import ReversingModel, board
from test_wire import FAULTS, damage

TIMEOUT_S = 0.3


class MemoryLine:
    """A line to a board that runs in a thread. Faults damage the next thing written in their direction."""

    def __init__(self, model=None, **options):
        self.to_board_faults, self.to_host_faults = [], []
        self._to_board, self._to_host = queue.SimpleQueue(), queue.SimpleQueue()
        self._board_has, self._host_has = b"", b""
        self.board = board(self, model or ReversingModel(), **options)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # The board's side: read_into and write

    def read_into(self, view):
        while len(self._board_has) < len(view):
            data = self._to_board.get()
            if data is None:
                raise EOFError
            self._board_has += data
        view[:], self._board_has = self._board_has[: len(view)], self._board_has[len(view) :]

    def _run(self):
        try:
            self.board.loop()
        except EOFError:
            pass

    def _write_from_board(self, data):
        faults, self.to_host_faults = self.to_host_faults, []
        self._to_host.put(damage(bytes(data), faults))


@pytest.fixture
def line():
    line = MemoryLine()
    yield line
    line.close()
