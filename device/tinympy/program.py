"""The program format, as far as Python reads it (docs/program-format.md): the head's fields, inputs and outputs.

Shared by the board, which loads programs, and the computer, which writes them.
"""

import struct

MAGIC = b"TMPY"
VERSION = 2
HEADER = "<4sHHIIIBBBBHHIIH26s32s"
HEADER_BYTES = 96
BLOCK_SHIFT_AT = 23
ARENA_BYTES_AT = 28
HEAD_BYTES_AT = 32
TENSOR = "<IIfiBB6HBx"
TENSOR_BYTES = 32
OPERATION = "<BBHIIII44s"
OPERATION_BYTES = 64
TILE_ENTRY = "<II"
TILE_ENTRY_BYTES = 8
TILE = "<IIII"
TILE_BYTES = 16
# A flag of an input: an inference may overwrite it.
INPUT_REUSED = 1
DTYPES = ("", "int8", "uint8", "float32", "int16", "int32")
FORMATS = {"int16": "<%dh", "int32": "<%di"}


class TensorInfo:
    """An input or output: its place in the arena (bytes), real = scale * (q - zero_point), and its shape.

    kept -- whether an inference leaves an input as it is
    """

    def __init__(self, fields):
        self.offset, self.bytes, self.scale, self.zero_point, dtype, rank = fields[:6]
        if not 0 < dtype < len(DTYPES) or rank > 6:
            raise ValueError("an input or output of the program is damaged")
        self.dtype = DTYPES[dtype]
        self.shape = tuple(fields[6 : 6 + rank])
        self.kept = not fields[12] & INPUT_REUSED
        self.item_bytes = {"int16": 2, "int32": 4}.get(self.dtype, 1)

    def values(self, view):
        """The list of the integers that the bytes of `view` hold."""
        if self.item_bytes > 1:
            return list(struct.unpack(FORMATS[self.dtype] % (len(view) // self.item_bytes), view))
        return [byte - 256 if byte > 127 and self.dtype != "uint8" else byte for byte in view]

    def store(self, view, values):
        """Fill the bytes of `view` with integers; whether these are as many as fit, and each in the tensor's range."""
        half = 1 << 8 * self.item_bytes - 1
        low = 0 if self.dtype == "uint8" else -half
        high = low + 2 * half - 1
        try:
            if len(values) * self.item_bytes != len(view) or min(values) < low or max(values) > high:
                return False
            if self.item_bytes > 1:
                view[:] = struct.pack(FORMATS[self.dtype] % len(values), *values)
            else:
                for i in range(len(view)):
                    view[i] = values[i] & 0xFF
        except TypeError:  # not whole numbers
            return False
        return True


class Head:
    """The head of a program. ValueError when `program` is none, of another version, or damaged."""

    def __init__(self, program):
        if len(program) < HEADER_BYTES or bytes(program[:4]) != MAGIC:
            raise ValueError("not a tinympy program")
        fields = struct.unpack_from(HEADER, program, 0)
        if fields[1] != VERSION:
            raise ValueError("program format %d, this is for %d: compile the model again" % (fields[1], VERSION))
        self.program_bytes, self.head_crc32, self.program_id = fields[3:6]
        self.layout, inputs, outputs, self.block_shift = fields[6:10]
        self.operation_count, self.tile_count, self.arena_bytes, self.head_bytes = fields[10:14]
        self.initial_operations = fields[14]
        self.name = bytes(fields[15]).rstrip(b"\0").decode()
        self.model_sha256 = bytes(fields[16])
        self.tiles_at = HEADER_BYTES + TENSOR_BYTES * (inputs + outputs) + OPERATION_BYTES * self.operation_count
        if self.head_bytes != self.tiles_at + TILE_ENTRY_BYTES * self.tile_count:
            raise ValueError("the program's head is damaged")
        if self.head_bytes > len(program):
            raise ValueError("the program is truncated")
        tensors = [
            TensorInfo(struct.unpack_from(TENSOR, program, HEADER_BYTES + i * TENSOR_BYTES))
            for i in range(inputs + outputs)
        ]
        self.inputs = tensors[:inputs]
        self.outputs = tensors[inputs:]
        self.keeps_input = all(tensor.kept for tensor in self.inputs)


def reserve(path):
    """An arena for the program in the file `path`. None when it is no whole program, or the heap is too small.

    It is the largest piece of memory that a model takes. What reading leaves behind would split the room for it.
    """
    with open(path, "rb") as file:
        begin = file.read(HEADER_BYTES)
    try:
        return bytearray(struct.unpack_from("<I", begin, ARENA_BYTES_AT)[0]) if begin[:4] == MAGIC else None
    except (ValueError, IndexError, MemoryError, OverflowError):
        return None


def read(path, interpreted=False):
    """The program in the file `path`: (all of it, None), or (its head, its tiles) when the constants stay in flash.

    The tiles are FlashTiles or, for an engine in Python where flash is no memory, FileTiles.
    """
    Tiles = None
    # read() would extend its buffer by 256 bytes at a time, which takes seven times as long.
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        begin = file.read(HEADER_BYTES)
        if len(begin) == HEADER_BYTES and begin[BLOCK_SHIFT_AT]:
            try:
                from .flash import FlashTiles as Tiles
            except ImportError:  # no flash that is mapped into memory
                if interpreted:
                    from .file_tiles import FileTiles as Tiles
        if Tiles:
            size = min(size, struct.unpack_from("<I", begin, HEAD_BYTES_AT)[0])
        program = bytearray(size)
        file.seek(0)
        file.readinto(program)
    head = Head(program)
    return program, Tiles(path, program, head) if len(program) < head.program_bytes else None


def check_head(program, head, crc32):
    """ValueError when the head is not what the compiler wrote."""
    if crc32(memoryview(program)[16 : head.head_bytes]) & 0xFFFFFFFF != head.head_crc32:
        raise ValueError("the program's head is damaged")


def check_tiles(program, head, crc32):
    """ValueError when the tiles of a program that holds them are not what the compiler wrote."""
    view = memoryview(program)
    if len(program) != head.program_bytes:
        raise ValueError("the program has %d bytes instead of %d" % (len(program), head.program_bytes))
    for i in range(head.tile_count):
        at, count = struct.unpack_from(TILE_ENTRY, program, head.tiles_at + i * TILE_ENTRY_BYTES)
        begin = at + TILE_BYTES
        end = begin + count
        if end > len(program) or crc32(view[begin:end]) & 0xFFFFFFFF != struct.unpack_from(TILE, program, at)[3]:
            raise ValueError("tile %d of the program is damaged" % i)
