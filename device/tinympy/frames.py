"""What the device under test does with frames: requests beside the text commands, for samples and outputs as bytes.

docs/protocol.md specifies them; wire.py encodes and receives them.
"""

import json
import struct

from . import compat, wire

# Where the model's input comes from: nowhere yet, the db buffer, a frame, or a frame that arrived damaged.
NOWHERE, BUFFER, FRAME, BROKEN = range(4)


class Frames:
    """Executes requests on `dut` (its model, name, source, window) over `read_into(view)` and `write(data)`."""

    def __init__(self, dut, read_into, write):
        self._dut = dut
        self._write = write
        self._receiver = wire.Receiver(read_into)
        self._scratch = memoryview(bytearray(wire.ECHO_BYTES))

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
            view = self._dut.model.input
        elif kind == wire.ECHO:
            view = self._scratch[: receiver.length]
        elif wire.INFO <= kind <= wire.EXIT:
            view = self._scratch[:0]
        else:
            receiver.skip()
            self._refuse(sequence, wire.UNKNOWN, "request %d" % kind)
            return True
        if receiver.length != len(view):
            receiver.skip()
            self._refuse(sequence, wire.BAD_LENGTH, "%d bytes instead of %d" % (receiver.length, len(view)))
            return True
        if loads:
            self._dut.source = BROKEN
        if not receiver.payload(view):
            self._refuse(sequence, wire.DAMAGED, "payload")
            return False
        if loads:
            self._dut.source = FRAME
        try:
            answer = self._answer(kind, view)
        except Exception as error:
            self._refuse(sequence, wire.FAILED, "%s: %s" % (type(error).__name__, error))
        else:
            self._write(wire.encode(kind | wire.REPLY, sequence, answer))
        return True

    def _answer(self, kind, view):
        model = self._dut.model
        if kind == wire.INFER:
            run = model.run
            start = compat.ticks_us()
            run()
            end = compat.ticks_us()
            return bytes(model.output) + struct.pack(wire.INFER_TAIL, compat.elapsed_us(end, start))
        if kind == wire.ECHO:
            return bytes(view)
        if kind == wire.READ_OUTPUT:
            return bytes(model.output)
        if kind == wire.READ_WINDOW:
            return struct.pack(wire.WINDOW, *self._dut.window)
        if kind == wire.INFO:
            return json.dumps(self._info()).encode()
        return b""

    def _info(self):
        info = compat.firmware()
        info["model"] = self._dut.name
        info["arena_bytes"] = self._dut.model.arena_bytes
        info["program_bytes"] = self._dut.model.program_bytes
        info["input_bytes"] = len(self._dut.model.input)
        info["output_bytes"] = len(self._dut.model.output)
        info["heap_free_bytes"] = compat.heap_free_bytes()
        return info

    def _refuse(self, sequence, code, text):
        self._write(wire.encode(wire.ERROR, sequence, bytes((code,)) + text.encode()))
