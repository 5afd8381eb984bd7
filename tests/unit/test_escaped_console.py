"""Frames over a console that takes Ctrl-C out of the line, as CircuitPython's does; and its coarse clock."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinympy.device import compat, dut, wire

from board_on_cpython import Line, ReversingModel
from tinympy.dut import Dut
from tinympy.errors import BoardError


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), min_size=1))
def test_what_was_escaped_arrives_in_whatever_pieces_it_is_read(data: bytes, sizes: list[int]) -> None:
    escaped = wire.escape(data)
    assert compat.CTRL_C not in escaped
    read = compat.unescaping(Line(escaped).read_into)
    received, turn = b"", 0
    while len(received) < len(data):
        piece = bytearray(min(sizes[turn % len(sizes)], len(data) - len(received)))
        read(memoryview(piece))
        received += bytes(piece)
        turn += 1
    assert received == data


def test_text_commands_need_no_escape() -> None:
    every = bytes(range(0x20, 0x7F)) + b"\r\n\0"
    assert wire.escape(every) == every


@given(st.binary(min_size=8, max_size=8))
def test_samples_pass_a_console_that_keeps_ctrl_c(sample: bytes) -> None:
    class Console:
        """A board behind it; it answers when all has come."""

        answers = b""

        def write(self, data: bytes) -> None:
            assert compat.CTRL_C not in data
            line = Line(data)
            serve(line)
            self.answers += line.sent

        def read(self, size: int, deadline_s: float) -> bytes:
            assert time.monotonic() < deadline_s
            data, self.answers = self.answers[:size], self.answers[size:]
            return data

    board = ReversingModel()

    def serve(line: Line) -> None:
        read = compat.unescaping(line.read_into)
        device = dut.DeviceUnderTest(board, "toy", "int8", "truncated", 8, read, line.write)
        with pytest.raises(EOFError):
            device.loop()

    assert Dut(Console(), escaped=True).infer_sample(sample)[0] == bytes(reversed(sample))[:3]


@pytest.mark.parametrize("step_us", [1, 31, 977])
def test_the_step_of_a_clock_is_found_however_long_it_is(monkeypatch: pytest.MonkeyPatch, step_us: int) -> None:
    readings = iter(range(10**6))
    monkeypatch.setattr(compat, "ticks_us", lambda: next(readings) * 3 // step_us * step_us)
    assert compat.ticks_step_us() in (step_us, 3)


def test_the_plain_line_is_not_escaped() -> None:
    frame = wire.encode(wire.ECHO, 3, bytes((compat.CTRL_C, compat.ESCAPE)))
    sent = []

    class Console:
        def write(self, data: bytes) -> None:
            sent.append(data)

        def read(self, size: int, deadline_s: float) -> bytes:
            return b""

    with pytest.raises(BoardError):
        Dut(Console(), timeout_s=0.01)._request(wire.ECHO, bytes((compat.CTRL_C, compat.ESCAPE)))
    assert sent[0][wire.HEADER_BYTES :][:2] == frame[wire.HEADER_BYTES :][:2]
