"""A model for tests of the line: its 12 outputs are its last 12 inputs backwards, and `run` takes sleep_s seconds.

Runs on the board and on the computer.
"""

import time


class ToyModel:
    input_scale = 0.5
    input_zero_point = 3
    keeps_input = True
    output_scale = 1 / 256
    output_zero_point = -128
    program_bytes = 1000
    flash_bytes = 0

    def __init__(self, input_bytes=490, sleep_s=0):
        self.arena_bytes = input_bytes + 12
        self.arena = memoryview(bytearray(self.arena_bytes))
        self.input, self.output = self.arena[:input_bytes], self.arena[input_bytes:]
        self.inputs, self.outputs = [self.input], [self.output]
        self.sleep_s = sleep_s

    def output_integers(self):
        return [byte - 256 if byte > 127 else byte for byte in self.output]

    def reset(self):
        pass

    def check(self):
        pass

    def run(self, first=0, last=1):
        if self.sleep_s:
            time.sleep(self.sleep_s)
        for i in range(12):
            self.output[i] = self.input[len(self.input) - 1 - i]
