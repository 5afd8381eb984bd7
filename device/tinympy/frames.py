"""What the device under test does with frames: requests beside the text commands, for samples and outputs as bytes.

docs/protocol.md specifies them; wire.py encodes and receives them.
"""

import gc
import json
import struct

from . import compat, temperature, wire

# Where the model's inputs come from: nowhere yet, the db buffer, a frame, or a frame that arrived damaged.
NOWHERE, BUFFER, FRAME, BROKEN = range(4)

# These change the model's state, or take long: each is executed once, however often the computer has to ask.
ONCE = (wire.INFER, wire.RUN_RANGE, wire.RESET)


class Frames:
    """Executes requests on `dut` (its model, name, source, window) over `read_into(view)` and `write(data)`."""

    def __init__(self, dut, read_into, write):
        self._dut = dut
        self._write = write
        self._receiver = wire.Receiver(read_into)
        self._scratch = memoryview(bytearray(wire.ECHO_BYTES))
        self._input_bytes = sum([len(view) for view in dut.model.inputs])
        self._executed = self._reply = None

    def handle(self):
        """Execute the frame whose start byte was read, recovering from damage. False: it said to leave."""
        receiver = self._receiver
        if not receiver.header(1):
            self._refuse(0, wire.DAMAGED, "header")
            if not receiver.hunt(wire.HEADER_BYTES):
                return True
        while not self._request():
            if not receiver.hunt(0):
                return True
        return receiver.kind != wire.EXIT or receiver.length > 0

    def _request(self):
        # False: the payload was damaged, and what follows on the line need not be the beginning of anything.
        receiver = self._receiver
        kind = receiver.kind
        sequence = receiver.sequence
        loads = kind in (wire.LOAD_INPUT, wire.INFER)
        if loads:
            expected = self._input_bytes
        elif kind == wire.ECHO:
            expected = min(receiver.length, wire.ECHO_BYTES)
        else:
            expected = wire.REQUEST_BYTES.get(kind)
        if expected is None:
            receiver.skip()
            self._refuse(sequence, wire.UNKNOWN, "request %d" % kind)
            return True
        if receiver.length != expected:
            receiver.skip()
            self._refuse(sequence, wire.BAD_LENGTH, "%d bytes instead of %d" % (receiver.length, expected))
            return True
        if loads:
            self._dut.source = BROKEN
        view = self._scratch[:expected]
        if not (receiver.payload(*self._dut.model.inputs) if loads else receiver.payload(view)):
            self._refuse(sequence, wire.DAMAGED, "payload")
            return False
        if loads:
            self._dut.source = FRAME
            self._dut.inferences = 0
        this = (sequence, kind, bytes(receiver.check))
        if this == self._executed:
            self._write(self._reply)
            return True
        try:
            reply = wire.encode(kind | wire.REPLY, sequence, self._answer(kind, view))
        except Exception as error:
            self._refuse(sequence, wire.FAILED, "%s: %s" % (type(error).__name__, error))
            return True
        if kind in ONCE:
            self._executed, self._reply = this, reply
        self._write(reply)
        return True

    def _answer(self, kind, view):
        model = self._dut.model
        if kind == wire.INFER:
            model.check()
            run = model.run
            start = compat.ticks_us()
            run()
            end = compat.ticks_us()
            self._dut.inferences += 1
            return self._outputs() + struct.pack(wire.INFER_TAIL, compat.elapsed_us(end, start))
        if kind == wire.ECHO:
            return bytes(view)
        if kind == wire.READ_OUTPUT:
            return self._outputs()
        if kind == wire.READ_WINDOW:
            return struct.pack(wire.WINDOW, *self._dut.window)
        if kind == wire.RUN_RANGE:
            return struct.pack(wire.RANGE_TAIL, self._run_range(*struct.unpack(wire.RANGE, view)))
        if kind == wire.READ_ARENA:
            at, count = struct.unpack(wire.ARENA, view)
            if count > wire.ARENA_BYTES or at + count > model.arena_bytes:
                raise ValueError("%d bytes at %d of the arena" % (count, at))
            return bytes(model.arena[at : at + count])
        if kind == wire.RESET:
            model.reset()
        if kind == wire.INFO:
            return json.dumps(self._info()).encode()
        return b""

    def _outputs(self):
        return b"".join([bytes(view) for view in self._dut.model.outputs])

    def _run_range(self, first, last, repeat):
        run = self._dut.model.run
        ticks_us = compat.ticks_us
        self._dut.interruptible(True)
        try:
            self._dut.model.check()
            gc.collect()
            start = ticks_us()
            for _ in range(repeat):
                run(first, last)
            end = ticks_us()
        finally:
            self._dut.interruptible(False)
        return compat.elapsed_us(end, start)

    def _info(self):
        info = compat.firmware()
        info["model"] = self._dut.name
        info["arena_bytes"] = self._dut.model.arena_bytes
        info["program_bytes"] = self._dut.model.program_bytes
        info["flash_bytes"] = self._dut.model.flash_bytes
        info["input_bytes"] = self._input_bytes
        info["output_bytes"] = len(self._outputs())
        info["heap_free_bytes"] = compat.heap_free_bytes()
        info["temperature_c"] = temperature.chip_c()
        return info

    def _refuse(self, sequence, code, text):
        self._write(wire.encode(wire.ERROR, sequence, bytes((code,)) + text.encode()))
