"""The device under test, run by CPython over byte strings: for tests of what it says and how it recovers."""

import contextlib
import re
import struct

from tinympy.device import dut


class ReversingModel:
    """What a Model has; its outputs are its last inputs backwards, its one operation computes them.

    With `parts` its inputs and outputs are two tensors each, the first of them one byte long. `runs` is its state.
    Unless `keeps_input`, running it clears its inputs.
    """

    program_bytes = 1000
    flash_bytes = 0
    input_scale = 0.5
    input_zero_point = 3
    output_scale = 1 / 256
    output_zero_point = -128

    def __init__(self, input_bytes=8, output_bytes=3, parts=False, keeps_input=True):
        self.keeps_input = keeps_input
        self.arena_bytes = input_bytes + output_bytes
        self.arena = memoryview(bytearray(self.arena_bytes))
        inputs, outputs = self.arena[:input_bytes], self.arena[input_bytes:]
        self.inputs = [inputs[:1], inputs[1:]] if parts else [inputs]
        self.outputs = [outputs[:1], outputs[1:]] if parts else [outputs]
        self.input, self.output = self.inputs[0], self.outputs[0]
        self.runs = 0

    def output_integers(self):
        return [byte - 256 if byte > 127 else byte for byte in self.output]

    def check(self):
        pass

    def reset(self):
        self.runs = 0

    def run(self, first=0, last=1):
        if last > 1:
            raise ValueError("there are fewer operations")
        if first < last:
            self.runs += 1
            inputs = b"".join(self.inputs)
            self.arena[len(inputs) :] = bytes(reversed(inputs))[: self.arena_bytes - len(inputs)]
            if not self.keeps_input:
                self.arena[: len(inputs)] = bytes(len(inputs))


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
