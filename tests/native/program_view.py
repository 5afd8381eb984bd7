"""A program's bytes as the structures of tk.h, each field by its name: to look into a program, and to damage it."""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_float, c_int16, c_int32, c_uint8, c_uint16, c_uint32

Structure = ctypes.LittleEndianStructure


class Header(Structure):
    _fields_ = (
        ("magic", c_uint32),
        ("version", c_uint16),
        ("header_bytes", c_uint16),
        ("program_bytes", c_uint32),
        ("head_crc32", c_uint32),
        ("program_id", c_uint32),
        ("layout", c_uint8),
        ("input_count", c_uint8),
        ("output_count", c_uint8),
        ("reserved", c_uint8),
        ("operation_count", c_uint16),
        ("tile_count", c_uint16),
        ("arena_bytes", c_uint32),
        ("head_bytes", c_uint32),
        ("name", c_char * 28),
        ("model_sha256", c_uint8 * 32),
    )


class Tensor(Structure):
    _fields_ = (
        ("offset", c_uint32),
        ("bytes", c_uint32),
        ("scale", c_float),
        ("zero_point", c_int32),
        ("dtype", c_uint8),
        ("rank", c_uint8),
        ("shape", c_uint16 * 6),
        ("reserved", c_uint8 * 2),
    )


class Window(Structure):
    _fields_ = (
        *((f"{which}_{axis}", c_uint16) for which in ("input", "output") for axis in ("height", "width", "channels")),
        *((f"{which}_{axis}", c_uint16) for which in ("kernel", "stride", "dilation") for axis in ("height", "width")),
        ("pad_top", c_uint16),
        ("pad_left", c_uint16),
        ("input_zero_point", c_int16),
        ("output_zero_point", c_int16),
        ("output_min", c_int16),
        ("output_max", c_int16),
        ("first_channel", c_uint16),
        ("channels", c_uint16),
        ("depth_multiplier", c_uint16),
        ("reserved", c_uint16),
    )


class FullyConnected(Structure):
    _fields_ = (
        ("batches", c_uint32),
        ("inputs", c_uint32),
        ("outputs", c_uint32),
        ("first_channel", c_uint32),
        ("channels", c_uint32),
        ("output_zero_point", c_int16),
        ("output_min", c_int16),
        ("output_max", c_int16),
        ("reserved", c_uint16 * 9),
    )


class Softmax(Structure):
    _fields_ = (
        ("rows", c_uint32),
        ("depth", c_uint32),
        ("exponentials", c_uint32),
        ("reserved", c_uint32 * 8),
    )


class Parameters(ctypes.Union):
    _fields_ = (("window", Window), ("fully_connected", FullyConnected), ("softmax", Softmax))


class Operation(Structure):
    _anonymous_ = ("parameters",)
    _fields_ = (
        ("opcode", c_uint8),
        ("reserved", c_uint8),
        ("tile", c_uint16),
        ("constants", c_uint32),
        ("input", c_uint32),
        ("output", c_uint32),
        ("scratch", c_uint32),
        ("parameters", Parameters),
    )


class TileEntry(Structure):
    _fields_ = (("offset", c_uint32), ("bytes", c_uint32))


class Tile(Structure):
    _fields_ = (("program_id", c_uint32), ("index", c_uint32), ("bytes", c_uint32), ("crc32", c_uint32))


def offset_of(structure: type[Structure], field: str) -> int:
    return int(getattr(structure, field).offset)


class ProgramView:
    """Structures that share the memory of `content`. ValueError when it ends before they do."""

    def __init__(self, program: bytes) -> None:
        self.content = bytearray(program)
        self.header = Header.from_buffer(self.content)
        self._at = ctypes.sizeof(Header)
        self.tensors = self._array(Tensor, self.header.input_count + self.header.output_count)
        self.operations = self._array(Operation, self.header.operation_count)
        self.tile_entries = self._array(TileEntry, self.header.tile_count)

    def _array(self, structure: type[Structure], count: int) -> ctypes.Array[Structure]:
        array = (structure * count).from_buffer(self.content, self._at)
        self._at += ctypes.sizeof(array)
        return array

    def tile(self, index: int) -> Tile:
        return Tile.from_buffer(self.content, self.tile_entries[index].offset)

    def __bytes__(self) -> bytes:
        return bytes(self.content)
