"""Energy mode: edges of a pin in place of laps, commands over a UART, as in the reference firmware's energy build."""

import contextlib
import itertools
import sys
import types

import pytest
from tinympy.device import compat, dut

from board_on_cpython import Line, ReversingModel
from tinympy import deploy

LOAD_8 = b"db load 8%db 0102030405060708%"


def energy_board(line, model, events):
    model.run = lambda first=0, last=1, run=model.run: (events.append("run"), run(first, last))
    return dut.DeviceUnderTest(
        model, "kws01", "int8", "truncated", 8, line.read_into, line.write, lambda: events.append("edge")
    )


def talk(received):
    """What the board says to `received`, and the runs and edges in their order."""
    line, events = Line(received), []
    with contextlib.suppress(EOFError):
        energy_board(line, ReversingModel(), events).loop()
    return line.sent, events


def test_a_window_stands_between_two_edges_and_has_no_laps():
    said, events = talk(LOAD_8 + b"infer 3 2%")
    assert said.endswith(
        b"m-warmup-start-2\r\nm-warmup-done\r\nm-infer-start-3\r\nm-infer-done\r\n"
        b"m-results-[0.531,0.527,0.523]\r\nm-ready\r\n"
    )
    assert events == ["run", "run", "edge", "run", "run", "run", "edge"]


def test_a_timestamp_is_an_edge():
    assert talk(b"timestamp%") == (b"m-ready\r\n", ["edge"])


def test_greeting_is_that_of_the_reference():
    line, events = Line(b""), []
    energy_board(line, ReversingModel(), events).greet()
    assert line.sent == b"m-timestamp-mode-energy\r\nm-init-done\r\nm-ready\r\n" and events == ["edge"]


class Pin:
    OUT = "out"

    def __init__(self, name, mode=None, value=None):
        self.name = name
        if mode is not None:
            WIRES.append((name, value))

    def __call__(self, value):
        WIRES.append((self.name, value))


class UART:
    """Takes two bytes of a write, gives one byte of a read, and times out once before."""

    def __init__(self, number, **options):
        WIRES.append((number, {key: getattr(value, "name", value) for key, value in options.items()}))
        self.received, self.sent, self.flushed, self.patient = LOAD_8 + b"infer 1 0%\x03\x03", b"", 0, False

    def readinto(self, view):
        self.patient = not self.patient
        if self.patient:
            return None
        view[:1], self.received = self.received[:1], self.received[1:]
        return 1

    def write(self, data):
        self.sent += bytes(data[:2])
        return min(2, len(data))

    def flush(self):
        self.flushed = len(self.sent)


WIRES = []


@pytest.fixture
def machine(monkeypatch):
    WIRES.clear()
    ports = []

    def uart(*arguments, **options):
        ports.append(UART(*arguments, **options))
        return ports[-1]

    monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(Pin=Pin, UART=uart))
    monkeypatch.setattr(compat.time, "sleep_us", lambda us: WIRES.append(us), raising=False)
    return ports


def test_it_is_served_over_the_uart_and_says_on_the_console_that_it_begins(machine, monkeypatch):
    console = []
    monkeypatch.setattr(compat, "write", console.append)
    monkeypatch.setattr(compat, "interrupt_character", lambda on: pytest.fail("Ctrl-C is the console's"))
    dut.serve_energy(ReversingModel(), "kws01", "int8", "truncated", 8, "D7", 1, 9600, 4, 5)
    [port] = machine
    assert console == [b"m-ready\r\n"]
    assert WIRES[:2] == [("D7", 1), (1, {"baudrate": 9600, "timeout": 1000, "tx": 4, "rx": 5})]
    pulse = [("D7", 0), compat.PULSE_US, ("D7", 1)]
    assert WIRES[2:] == 3 * pulse
    assert port.sent.endswith(b"m-infer-done\r\nm-results-[0.531,0.527,0.523]\r\nm-ready\r\n")
    assert b"m-lap-us" not in port.sent and port.flushed == len(port.sent)


def test_pins_that_are_not_named_are_left_to_the_port(machine):
    compat.uart(3, 9600)
    assert WIRES == [(3, {"baudrate": 9600, "timeout": 1000})]


def test_levels_and_their_times_are_written_to_a_path(tmp_path, monkeypatch):
    monkeypatch.setattr(compat, "ticks_us", iter([0, 10, 20, 3000]).__next__)
    level = compat.output(str(tmp_path / "line"))
    for value in (1, 0, 1):
        level(value)
    assert (tmp_path / "line").read_bytes() == b"0@0\n1@10\n0@20\n1@3000\n"


def test_a_marked_window_is_pulsed_at_both_ends_inside_of_its_clock(monkeypatch):
    events, ticks = [], itertools.count(0, 1000)
    monkeypatch.setattr(compat, "ticks_us", lambda: events.append("clock") or next(ticks))
    monkeypatch.setattr(compat, "output", lambda pin, value=0: lambda level: events.append((pin, level)))
    monkeypatch.setattr(compat.time, "sleep_us", events.append, raising=False)
    monkeypatch.setattr(compat, "write", lambda data: None)
    monkeypatch.setattr(compat, "read_into", Line(LOAD_8 + b"infer 2 0%\r\x03").read_into)
    model = ReversingModel()
    model.run = lambda first=0, last=1, run=model.run: (events.append("run"), run(first, last))
    dut.serve(model, "kws01", "int8", "truncated", 8, mark="D7", pulses=True)
    pulse = [("D7", 0), compat.PULSE_US, ("D7", 1)]
    at = events.index(("D7", 0)) - 1
    # From each reading of the clock to the edge it is the same way, so the edges are as far apart as the readings.
    assert events[at:] == ["clock", *pulse, "run", "run", "clock", *pulse]


def test_the_board_is_told_the_pin_of_marks():
    code = deploy.serve_code("digits", "int8", "truncated", 64, mark=deploy.Mark(15))
    assert code.endswith("'truncated', 64, mark=15)\n")
    code = deploy.serve_code("digits", "int8", "truncated", 64, mark=deploy.Mark("D7", pulses=True))
    assert code.endswith("'truncated', 64, mark='D7', pulses=True)\n")


def test_the_board_is_told_pins_as_numbers_or_names():
    code = deploy.serve_code("kws01", "int8", "truncated", 490, energy=deploy.Energy("D7", 1, 9600, 4))
    assert code.endswith("dut.serve_energy(model, 'kws01', 'int8', 'truncated', 490, 'D7', 1, 9600, 4, None)\n")
