"""The device under test, run by CPython over byte strings: for tests of what it says and how it recovers."""

import contextlib
import re
import struct

from tinympy.device import dut


class ReversingModel:
    """The attributes of tinympy.device.model.Model; its outputs are its last inputs backwards."""

    program_bytes = 1000
    input_scale = 0.5
    input_zero_point = 3
    output_scale = 1 / 256
    output_zero_point = -128

    def __init__(self, input_bytes=8, output_bytes=3):
        self.arena_bytes = input_bytes + output_bytes
        arena = memoryview(bytearray(self.arena_bytes))
        self.input, self.output = arena[:input_bytes], arena[input_bytes:]
        self.runs = 0

    def run(self):
        self.runs += 1
        self.output[:] = bytes(reversed(self.input))[: len(self.output)]


class Line:
    """What the board reads and writes: `received` is served to it, then the line ends."""

    def __init__(self, received):
        self.received = received
        self.position = 0
        self.sent = b""

    def read_into(self, view):
        data = self.received[self.position : self.position + len(view)]
        self.position += len(data)
        if len(data) < len(view):
            raise EOFError
        view[:] = data

    def write(self, data):
        self.sent += bytes(data)


def board(line, model=None, wire_input="int8", wire_results="truncated", wire_bytes=None, name="kws01"):
    model = model or ReversingModel()
    size = len(model.input) * struct.calcsize("f" if wire_input == "float32" else "b")
    return dut.DeviceUnderTest(model, name, wire_input, wire_results, wire_bytes or size, line.read_into, line.write)


def talk(received, **options):
    """All bytes a board answers to `received`. Laps are replaced by m-lap-us-<n>."""
    line = Line(received)
    with contextlib.suppress(EOFError):
        board(line, **options).loop()
    return re.sub(rb"m-lap-us-\d+", b"m-lap-us-<n>", line.sent)
