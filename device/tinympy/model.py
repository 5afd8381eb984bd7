"""A model on the board: a program, an engine that runs it, and the arena it runs in."""

from . import compat
from .program import Head, check_head, check_tiles


class Model:
    """One model, ready to run.

    program -- bytes of a compiled program (docs/program-format.md); kept as long as the model
    tiles -- the FlashTiles of a program of which `program` is the head only; None when it is all of it
    engine -- makes an engine from the program; the native one when not given
    arena -- a bytearray of the size that the program says; made here when not given

    `inputs` and `outputs` list memoryviews of their bytes in `arena`, in the model's order; `input` and `output` are
    the first ones; `engine` is the engine's name. Inference leaves the inputs as they are if `keeps_input`; else they
    are to be written before each. Of the program's `program_bytes`, `flash_bytes` are not in RAM. ValueError when the
    program is damaged, MemoryError when the heap is too small.
    """

    def __init__(self, program, tiles=None, engine=None, arena=None):
        if engine is None:
            from .native import NativeEngine as engine
        head = Head(program)
        check_head(program, head, compat.crc32)
        if not tiles:
            check_tiles(program, head, compat.crc32)
        self.head = head
        self.program = program
        self.name = head.name
        self.keeps_input = head.keeps_input
        self.program_bytes = head.program_bytes
        self.flash_bytes = head.program_bytes - len(program) - tiles.ram_bytes if tiles else 0
        self._tiles = tiles
        self.arena_bytes = head.arena_bytes
        self._first = head.initial_operations
        self._last = head.operation_count
        self._arena = bytearray(head.arena_bytes) if arena is None else arena
        self.arena = memoryview(self._arena)
        self._engine = engine(program, tiles.addresses if tiles else None)
        self.engine = self._engine.name
        self.inputs = [self.arena[tensor.offset : tensor.offset + tensor.bytes] for tensor in head.inputs]
        self.outputs = [self.arena[tensor.offset : tensor.offset + tensor.bytes] for tensor in head.outputs]
        self.input, self.output = self.inputs[0], self.outputs[0]
        self.input_scale, self.input_zero_point = head.inputs[0].scale, head.inputs[0].zero_point
        self.output_scale, self.output_zero_point = head.outputs[0].scale, head.outputs[0].zero_point
        self.reset()

    def reset(self):
        """Give the model's state its first value: the next inference is as if it were the first."""
        if self._first:
            self.run(0, self._first)

    def run(self, first=None, last=None):
        """One inference, or the operations first … last - 1 of the program."""
        self._engine.run(self._arena, self._first if first is None else first, self._last if last is None else last)

    def output_integers(self):
        """The list of the first output's quantised numbers."""
        return self.head.outputs[0].values(self.output)

    def check(self):
        """ValueError when constants in flash are no longer what they were: their file was changed or removed.

        For before an inference; predict() does it. It takes some milliseconds.
        """
        if self._tiles:
            self._tiles.check()

    def layers(self):
        """What an inference consists of: a list of Layers (describe.py), which shows itself as a table."""
        from .describe import layers

        return layers(self)

    def profile(self):
        """The same with the time that each layer takes, measured now, on the input that is there."""
        from .describe import profile

        return profile(self)

    def __repr__(self):
        from .describe import summary

        return summary(self)

    def predict(self, values):
        """Run one inference on `values`, quantised inputs; returns the list of quantised outputs.

        They are from -128 to 127, of uint8 tensors from 0 to 255, of int16 and int32 tensors whatever those hold;
        ValueError or TypeError when they are not, or not as many as the model takes.
        Several inputs or outputs stand one after another.
        """
        at = 0
        for view, tensor in zip(self.inputs, self.head.inputs):
            end = at + len(view) // tensor.item_bytes
            if not tensor.store(view, values[at:end]):
                break
            at = end
        if at != len(values):
            from .trouble import refused

            raise refused(self, values)
        self.check()
        self.run()
        found = []
        for view, tensor in zip(self.outputs, self.head.outputs):
            found += tensor.values(view)
        return found
