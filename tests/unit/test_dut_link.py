"""Both ends of the serial command loop over a line in memory: whatever is damaged, the answer is right or an error."""

import contextlib
import gc
import queue
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinympy.device import wire

from board_on_cpython import ReversingModel, board
from test_wire import FAULTS, damage
from tinympy.dut import Dut
from tinympy.errors import BoardError, UsageError

TIMEOUT_S = 0.3
SAMPLE = bytes(range(0xF8, 0x100))
OUTPUT = b"\xff\xfe\xfd"


@pytest.fixture(scope="module", autouse=True)
def small_heap():
    """A board collects its own heap only, not that of all tests before these, which takes longer than they wait."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Way:
    """One direction of the line. `faults` damage the next thing written."""

    def __init__(self):
        self.faults = []
        self.written = queue.SimpleQueue()
        self._ready = b""

    def write(self, data):
        faults, self.faults = self.faults, []
        self.written.put(damage(bytes(data), faults))

    def read(self, size, deadline_s):
        while len(self._ready) < size:
            try:
                data = self.written.get(timeout=max(0.0, deadline_s - time.monotonic()))
            except queue.Empty:
                break
            if data is None:
                raise EOFError
            self._ready += data
        data, self._ready = self._ready[:size], self._ready[size:]
        return data


class BoardEnd:
    def __init__(self, to_board, to_host):
        self._to_board = to_board
        self.write = to_host.write

    def read_into(self, view):
        view[:] = self._to_board.read(len(view), time.monotonic() + 60)


class HostEnd:
    """A stream to a board that runs in a thread."""

    def __init__(self, model=None, **options):
        self.to_board, self.to_host = Way(), Way()
        self.device = board(BoardEnd(self.to_board, self.to_host), model, **options)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with contextlib.suppress(EOFError):
            self.device.loop()

    def write(self, data):
        self.to_board.write(data)

    def read(self, size, deadline_s):
        return self.to_host.read(size, deadline_s)

    def close(self):
        self.to_board.written.put(None)
        self.thread.join(5)


@contextlib.contextmanager
def linked(model=None, **options):
    line = HostEnd(model, **options)
    try:
        yield line, Dut(line, TIMEOUT_S)
    finally:
        line.close()


def test_sample_goes_in_and_output_comes_back():
    with linked() as (_, dut):
        outputs, elapsed_us = dut.infer_sample(SAMPLE)
        assert outputs == OUTPUT
        assert 0 <= elapsed_us < 1_000_000
        assert dut.read_output() == OUTPUT


def test_info_tells_model_and_memory():
    with linked() as (_, dut):
        info = dut.info()
        assert (info.model, info.arena_bytes, info.program_bytes) == ("kws01", 11, 1000)
        assert (info.input_bytes, info.output_bytes) == (8, 3)
        assert info.implementation == "cpython"


def test_window_runs_on_the_input_that_a_frame_loaded():
    model = ReversingModel()
    with linked(model) as (_, dut):
        dut.load_input(SAMPLE)
        assert dut.window(5, 2, TIMEOUT_S) >= 0
        assert model.runs == 7
        assert dut.read_output() == OUTPUT


def test_window_without_an_input_is_refused():
    with linked() as (_, dut), pytest.raises(BoardError, match="Input db has 0 elemented"):
        dut.window(1, 0, TIMEOUT_S)


def test_window_too_long_for_the_clock_is_refused():
    with linked() as (_, dut), pytest.raises(UsageError, match="900 s"):
        dut.window(1, 0, 901.0)


def test_window_on_an_input_that_arrived_damaged_is_refused():
    with linked() as (line, dut):
        frame = bytearray(wire.encode(wire.LOAD_INPUT, 1, SAMPLE))
        frame[14] ^= 1
        line.write(bytes(frame))
        with pytest.raises(BoardError, match="arrived damaged"):
            dut.window(1, 0, TIMEOUT_S)


def test_input_of_the_wrong_size_is_refused_and_the_next_request_served():
    with linked() as (_, dut):
        with pytest.raises(BoardError, match="9 bytes instead of 8"):
            dut.infer_sample(bytes(9))
        assert dut.infer_sample(SAMPLE)[0] == OUTPUT
        assert dut.command("name") == ["m-name-dut-[tinympy]"]


def test_failing_inference_is_reported_and_not_repeated():
    model = ReversingModel()

    def fail():
        model.runs += 1
        raise MemoryError("no room")

    model.run = fail
    with linked(model) as (_, dut), pytest.raises(BoardError, match="MemoryError: no room"):
        dut.infer_sample(SAMPLE)
    assert model.runs == 1


def test_lost_reply_is_asked_for_again_and_the_late_one_is_not_taken_for_another():
    with linked() as (line, dut):
        line.to_host.faults = [("drop", 0.0, 40, b"x")]
        assert dut.infer_sample(SAMPLE)[0] == OUTPUT
        stale = wire.encode(wire.INFER | wire.REPLY, dut._sequence, b"bad\0\0\0\0")
        line.to_host.written.put(stale)
        assert dut.infer_sample(SAMPLE)[0] == OUTPUT
        line.to_host.written.put(stale)
        line.to_board.faults = [("corrupt", 0.5, 1, b"\xff")]
        dut.load_input(SAMPLE)
        assert dut.command("name") == ["m-name-dut-[tinympy]"]


def test_an_inference_whose_reply_was_lost_is_not_executed_again():
    model = ReversingModel()
    with linked(model) as (line, dut):
        line.to_host.faults = [("corrupt", 0.9, 1, b"\xff")]
        assert dut.infer_sample(SAMPLE)[0] == OUTPUT
        assert model.runs == 1
        line.to_host.faults = [("drop", 0.0, 40, b"x")]
        assert dut.run_range(0, 1, 5) >= 0
        assert model.runs == 6


def test_a_range_of_operations_outside_the_program_is_refused():
    with linked() as (_, dut), pytest.raises(BoardError, match="fewer operations"):
        dut.run_range(0, 2)


def test_the_arena_is_read_in_pieces():
    model = ReversingModel(input_bytes=5000)
    with linked(model) as (_, dut):
        dut.load_input(bytes(range(250)) * 20)
        assert dut.read_arena(3, 4990) == (bytes(range(250)) * 20)[3:4993]
        assert dut.read_arena(5, 0) == b""


def test_a_reset_reaches_the_model():
    model = ReversingModel()
    with linked(model) as (_, dut):
        dut.infer_sample(SAMPLE)
        dut.reset()
        assert model.runs == 0


def test_board_that_waits_for_lost_bytes_is_filled_up():
    with linked() as (line, dut):
        line.to_board.faults = [("drop", 0.9, 3, b"x")]
        assert dut.infer_sample(SAMPLE)[0] == OUTPUT


def test_timed_window_is_never_repeated():
    model = ReversingModel()
    with linked(model) as (line, dut):
        dut.load_input(SAMPLE)
        dut.synchronise()
        line.to_host.faults = [("drop", 0.0, 5, b"x")]
        with pytest.raises(BoardError, match="garbage"):
            dut.window(3, 1, TIMEOUT_S)
    assert model.runs == 4


@pytest.mark.parametrize("digit", range(1, 4))
def test_lap_with_a_wrong_digit_is_noticed(digit):
    with linked() as (line, dut):
        dut.load_input(SAMPLE)
        dut.synchronise()
        say = line.device._say

        def misread(text):
            if text.startswith("m-lap-us-"):
                text = text[:-digit] + str((int(text[-digit]) + 1) % 10) + text[len(text) - digit + 1 :]
            say(text)

        line.device._say = misread
        line.device._lap_us = 1234567
        with pytest.raises(BoardError, match="damaged in transfer"):
            dut.window(3, 1, TIMEOUT_S)


def test_program_that_ends_is_reported_with_its_last_words():
    with linked() as (line, dut):
        line.write(b"\x03\x03")
        line.thread.join(5)
        line.to_host.written.put(b"\x04Traceback:\r\n  ...\r\nValueError: no room\r\n\x04>")
        with pytest.raises(BoardError, match="ended: ValueError: no room"):
            dut.infer_sample(SAMPLE)


def test_silent_board_is_an_error_in_time():
    with linked() as (line, dut):
        line.write(b"\x03\x03")
        line.thread.join(5)
        for request in (lambda: dut.infer_sample(SAMPLE), lambda: dut.window(1, 0, TIMEOUT_S)):
            start_s = time.monotonic()
            with pytest.raises(BoardError, match="silent"):
                request()
            assert time.monotonic() - start_s < 2 * TIMEOUT_S + 0.5


def test_exit_frame_ends_the_loop():
    with linked() as (line, dut):
        dut.close()
        line.thread.join(5)
        assert not line.thread.is_alive()


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=8, max_size=8), FAULTS, FAULTS, st.sampled_from(["out", "back", "both"]))
def test_under_any_damage_an_output_is_right_or_an_error(sample, faults_out, faults_back, ways):
    with linked() as (line, dut):
        line.to_board.faults = faults_out if ways != "back" else []
        line.to_host.faults = faults_back if ways != "out" else []
        start_s = time.monotonic()
        with contextlib.suppress(BoardError):
            assert dut.infer_sample(sample)[0] == sample[:4:-1]
        assert time.monotonic() - start_s < TIMEOUT_S + 0.5
        with contextlib.suppress(BoardError):
            assert dut.command("name") == ["m-name-dut-[tinympy]"]


@settings(max_examples=25, deadline=None)
@given(FAULTS, st.sampled_from(["out", "back"]))
def test_under_any_damage_a_window_is_right_or_an_error(faults, way):
    model = ReversingModel()
    with linked(model) as (line, dut):
        dut.load_input(SAMPLE)
        dut.synchronise()
        (line.to_board if way == "out" else line.to_host).faults = faults
        with contextlib.suppress(BoardError):
            elapsed_us = dut.window(3, 1, TIMEOUT_S)
            count, warmup, first_us, last_us, *_ = line.device.window
            assert (count, warmup, last_us - first_us) == (3, 1, elapsed_us)
            assert model.runs == 4
