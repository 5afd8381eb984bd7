"""A program's bytes as the structures of tk.h, each field by its name: to look into a program, and to damage it."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

TK_H = (Path(__file__).parents[2] / "native_modules/kernels/tk.h").read_text(encoding="utf-8")
_CODE = re.sub(r"/\*.*?\*/", "", TK_H, flags=re.DOTALL)
_TYPES = {
    "uint8_t": ctypes.c_uint8,
    "int8_t": ctypes.c_int8,
    "uint16_t": ctypes.c_uint16,
    "int16_t": ctypes.c_int16,
    "uint32_t": ctypes.c_uint32,
    "int32_t": ctypes.c_int32,
    "float": ctypes.c_float,
    "char": ctypes.c_char,
}

Structure = ctypes.LittleEndianStructure


def structure(name: str) -> type[Structure]:
    """`struct tk_<name>`; the members of its union, if it has one, count as its own fields."""
    [body] = re.findall(rf"\nstruct tk_{name} {{(.*?)\n}};", _CODE, re.DOTALL)
    own, _, union = body.partition("union {")
    fields = [
        (field, _TYPES[kind] * int(count) if count else _TYPES[kind])
        for kind, names in re.findall(r"(\w+) ([^;]+);", own)
        for field, count in re.findall(r"(\w+)(?:\[(\d+)\])?", names)
    ]
    if not union:
        return type(name, (Structure,), {"_fields_": fields})
    members = [(field, structure(kind)) for kind, field in re.findall(r"struct tk_(\w+) (\w+);", union)]
    fields.append(("union", type("Parameters", (ctypes.Union,), {"_fields_": members})))
    return type(name, (Structure,), {"_anonymous_": ["union"], "_fields_": fields})


Header, Tensor, Operation = structure("header"), structure("tensor"), structure("operation")
TileEntry, Tile, Loop = structure("tile_entry"), structure("tile"), structure("loop")
OPCODES = {name.upper(): int(code) for code, name in re.findall(r"KERNEL\((\d+), (\w+)\)", TK_H)}
ERRORS = {name: int(code) for name, code in re.findall(r"TK_ERROR_(\w+) = (\d+)", TK_H)}


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

    def constants_at(self, index: int) -> int:
        """Where in the program the constants of an operation begin."""
        operation = self.operations[index]
        return int(self.tile_entries[operation.tile].offset) + ctypes.sizeof(Tile) + int(operation.constants)

    def __bytes__(self) -> bytes:
        return bytes(self.content)
