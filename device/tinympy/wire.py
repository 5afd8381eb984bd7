"""Frames, the binary fast path of the serial protocol: encoding, and receiving with resynchronisation.

One source for board and computer; docs/protocol.md specifies it. A header has a check of its own, so that a damaged
length never decides how many bytes anyone waits for. After any damage the receiver hunts: it drops bytes until a
header holds again, or until a run of NUL bytes (a text command or a frame never needs one) says that the line is idle.
"""

import struct

from .compat import CTRL_C, ESCAPE, FLIPPED, crc32

START = 0x02
HEADER = "<BBHI"
HEADER_BYTES = 12
CHECK_BYTES = 4
IDLE_RUN = 32
IDLE = bytes(2 * IDLE_RUN)

ECHO = 0x01
INFO = 0x02
LOAD_INPUT = 0x03
INFER = 0x04
READ_OUTPUT = 0x05
READ_WINDOW = 0x06
EXIT = 0x07
RUN_RANGE = 0x08
READ_ARENA = 0x09
RESET = 0x0A
PREAMBLE = 0x0B
REPLY = 0x80
ERROR = 0xFF

ECHO_BYTES = 64
INFER_TAIL = "<I"
WINDOW = "<IIQQIIQQ"
PREAMBLE_TAIL = "<Q"
RANGE = "<HHI"
RANGE_TAIL = "<I"
ARENA = "<II"
ARENA_BYTES = 2048
# Of requests whose payload always has the same length.
REQUEST_BYTES = {INFO: 0, READ_OUTPUT: 0, READ_WINDOW: 0, EXIT: 0, RUN_RANGE: 8, READ_ARENA: 8, RESET: 0, PREAMBLE: 0}

DAMAGED = 1
BAD_LENGTH = 2
UNKNOWN = 3
FAILED = 4


def encode(kind: int, sequence: int, payload: bytes) -> bytes:
    """A whole frame: header, CRC-32 of the header, payload, CRC-32 of header and payload."""
    head = struct.pack(HEADER, START, kind, sequence, len(payload))
    head_crc = crc32(head) & 0xFFFFFFFF
    return b"".join(
        (head, struct.pack("<I", head_crc), payload, struct.pack("<I", crc32(payload, head_crc) & 0xFFFFFFFF))
    )


def escape(frame: bytes) -> bytes:
    """`frame` for a console that takes byte 3 out of the line; compat.unescaping undoes it."""
    for byte in (ESCAPE, CTRL_C):
        frame = frame.replace(bytes((byte,)), bytes((ESCAPE, byte ^ FLIPPED)))
    return frame


class Receiver:
    """Receives frames through `read_into(view)`, which fills a memoryview or raises.

    `kind`, `sequence` and `length` (of the payload, bytes) describe the last header that held, `check` (bytes) is the
    CRC-32 that came behind the last payload.
    """

    def __init__(self, read_into):
        self._read_into = read_into
        self._head = bytearray(HEADER_BYTES)
        self._view = memoryview(self._head)
        self.check = bytearray(CHECK_BYTES)
        self._crc = 0
        self.kind = self.sequence = self.length = 0

    def header(self, have: int) -> bool:
        """Read a header of which `have` bytes (0, or 1: the start byte) were read already. False: it does not hold."""
        self._read_into(self._view[have:])
        if have:
            self._head[0] = START
        return self._holds()

    def hunt(self, have: int) -> bool:
        """Drop bytes until a header holds (True) or IDLE_RUN NUL bytes came in a row (False).

        `have`: bytes of the last header to search first (HEADER_BYTES after a header that failed), or 0.
        """
        head = self._head
        nuls = 0
        dropped = 0 if have else HEADER_BYTES
        if have:
            nuls = head[0] == 0
            dropped = 1
        while True:
            while dropped < HEADER_BYTES and head[dropped] != START:
                nuls = nuls + 1 if head[dropped] == 0 else 0
                dropped += 1
                if nuls >= IDLE_RUN:
                    return False
            if dropped == HEADER_BYTES:
                dropped -= 1
                self._read_into(self._view[dropped:])
                continue
            for i in range(dropped, HEADER_BYTES):
                head[i - dropped] = head[i]
            self._read_into(self._view[HEADER_BYTES - dropped :])
            if self._holds():
                return True
            nuls = 0
            dropped = 1

    def payload(self, *views: memoryview) -> bool:
        """Read the payload into `views` (together length bytes), then its check. False: payload or check is damaged."""
        crc = self._crc
        for view in views:
            if len(view):
                self._read_into(view)
                crc = crc32(view, crc) & 0xFFFFFFFF
        self._read_into(memoryview(self.check))
        return struct.unpack("<I", self.check)[0] == crc

    def skip(self):
        """Drop the payload and its check."""
        left = self.length + CHECK_BYTES
        while left:
            view = self._view[: min(left, HEADER_BYTES)]
            self._read_into(view)
            left -= len(view)

    def _holds(self) -> bool:
        head = self._head
        self._crc = crc32(self._view[: HEADER_BYTES - 4]) & 0xFFFFFFFF
        if head[0] != START or struct.unpack_from("<I", head, HEADER_BYTES - 4)[0] != self._crc:
            return False
        _, self.kind, self.sequence, self.length = struct.unpack_from(HEADER, head, 0)
        return True
