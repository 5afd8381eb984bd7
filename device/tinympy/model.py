"""A model on the board: a program, an engine that runs it, and the arena it runs in."""

from . import compat
from .program import Head, check_crc


class Model:
    """One model, ready to run.

    program -- bytes of a compiled program (docs/program-format.md); kept as long as the model
    engine -- makes an engine from the program; the native one when not given

    `input` and `output` are memoryviews of the first input's and output's bytes in the arena. Inference leaves the
    input as it is. ValueError when the program is damaged, MemoryError when the heap is too small.
    """

    def __init__(self, program, engine=None):
        if engine is None:
            from .native import NativeEngine as engine
        head = Head(program)
        check_crc(program, head, compat.crc32)
        self.head = head
        self.name = head.name
        self.program_bytes = len(program)
        self.arena_bytes = head.arena_bytes
        self._last = head.operation_count
        self._arena = bytearray(head.arena_bytes)
        self._engine = engine(program)
        arena = memoryview(self._arena)
        tensor = head.inputs[0]
        self.input = arena[tensor.offset : tensor.offset + tensor.bytes]
        self.input_scale, self.input_zero_point = tensor.scale, tensor.zero_point
        tensor = head.outputs[0]
        self.output = arena[tensor.offset : tensor.offset + tensor.bytes]
        self.output_scale, self.output_zero_point = tensor.scale, tensor.zero_point

    def run(self, first=0, last=None):
        """One inference, or the operations first … last - 1 of one."""
        self._engine.run(self._arena, first, self._last if last is None else last)

    def predict(self, values):
        """Run one inference on `values`, quantised inputs from -128 to 127; returns the list of quantised outputs."""
        if len(values) != len(self.input):
            raise ValueError("%d values instead of %d" % (len(values), len(self.input)))
        for i, value in enumerate(values):
            self.input[i] = value & 0xFF
        self.run()
        return [byte - 256 if byte > 127 else byte for byte in self.output]
