"""Native `.mpy` files, read and written: header, names, machine code, relocations.

The format is that of MicroPython's py/persistentcode.c: mp_raw_code_load, load_raw_code and mp_native_relocate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ARCHITECTURES = {2: "x64", 4: "armv6m", 5: "armv7m", 7: "armv7emsp", 10: "xtensawin", 11: "rv32imc"}
VERSION, SUB_VERSION = 6, 3
_SMALL_INT_BITS = 31
_HAS_RODATA, _HAS_BSS, _HAS_RELOCATIONS = 0x20, 0x40, 0x10
_VIPER = 2
_DESTINATIONS = {0: "text", 1: "rodata", 2: "bss", 6: "qstr table", 7: "object table", 8: "function table"}
_END_OF_RELOCATIONS = 0xFF


@dataclass(frozen=True)
class Relocation:
    """A word at `offset` in the section, to which the loader adds the address of the destination."""

    section: str
    offset: int
    destination: str


@dataclass(frozen=True)
class NativeModule:
    """The first byte of `code` is where it begins to run. `names` are those the code uses, the file's own first."""

    version: int
    sub_version: int
    architecture: str
    names: tuple[str, ...]
    code: bytes
    rodata: bytes
    bss_bytes: int
    relocations: tuple[Relocation, ...]

    @property
    def word_bytes(self) -> int:
        return 8 if self.architecture == "x64" else 4

    @property
    def ram_bytes(self) -> int:
        """What loading takes, beside the few words of the module object."""
        return len(self.code) + len(self.rodata) + self.bss_bytes


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def number(self) -> int:
        """A variable-length unsigned integer: seven bits a byte, the highest first."""
        value = 0
        while True:
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value

    def skip(self, count: int) -> bytes:
        self.at += count
        return self.content[self.at - count : self.at]


def inspect(content: bytes) -> NativeModule:
    """Parse a native module. ValueError when it is not one, or has what no module of ours has."""
    reader = _Reader(content)
    if reader.byte() != ord("M"):
        raise ValueError("not a .mpy file")
    version, feature, _small_int_bits = reader.byte(), reader.byte(), reader.byte()
    if feature & 0x40:
        raise ValueError("a module for extensions of its architecture")
    architecture = ARCHITECTURES.get(feature >> 2 & 0xF, f"architecture {feature >> 2 & 0xF}")
    name_count, object_count = reader.number(), reader.number()
    names = []
    for _ in range(name_count):
        length = reader.number()
        names.append(f"static name {length >> 1}" if length & 1 else reader.skip((length >> 1) + 1)[:-1].decode())
    for _ in range(object_count):
        raise ValueError(f"a constant object of kind {reader.byte()} in a native module")
    kind_length = reader.number()
    if kind_length & 7 != _VIPER:
        raise ValueError("no native code at the top of the module, or code below it")
    code = reader.skip(kind_length >> 3)
    flags = reader.number()
    rodata_bytes = reader.number() if flags & _HAS_RODATA else 0
    bss_bytes = reader.number() if flags & _HAS_BSS else 0
    rodata = reader.skip(rodata_bytes)
    word_bytes = 8 if architecture == "x64" else 4
    relocations = _relocations(reader, word_bytes) if flags & _HAS_RELOCATIONS else ()
    if reader.at != len(content):
        raise ValueError(f"{len(content) - reader.at} bytes behind the module")
    return NativeModule(version, feature & 3, architecture, tuple(names), code, rodata, bss_bytes, relocations)


def _relocations(reader: _Reader, word_bytes: int) -> tuple[Relocation, ...]:
    """In the encoding of mp_native_relocate."""
    found = []
    section, offset = "text", 0
    while (code := reader.byte()) != _END_OF_RELOCATIONS:
        if code & 1:
            place = reader.number()
            section, offset = ("text", "rodata")[place & 1], (place >> 1) * word_bytes
        code >>= 1
        count = 1
        if code <= 5:
            if code & 1:
                count = reader.number()
            code >>= 1
        for _ in range(count):
            found.append(Relocation(section, offset, _DESTINATIONS.get(code, f"function {code - 9}")))
            offset += word_bytes
    return tuple(found)


def write(architecture: str, code: bytes, relocations: Mapping[int, str], names: Sequence[str]) -> bytes:
    """A module of nothing but code, which begins with its entry. Of `names`, the first is the file's.

    relocations -- offset of a word in the code, and what the loader has to add to it
    """
    [feature] = [number << 2 | SUB_VERSION for number, name in ARCHITECTURES.items() if name == architecture]
    content = bytearray([ord("M"), VERSION, feature, _SMALL_INT_BITS])
    content += _number(len(names)) + _number(0)
    for name in names:
        content += _number(len(name) << 1) + name.encode() + b"\0"
    content += _number(len(code) << 3 | _VIPER) + code
    content += _number(_HAS_RELOCATIONS)
    numbers = {destination: number for number, destination in _DESTINATIONS.items()}
    word_bytes = 8 if architecture == "x64" else 4
    for offset, destination in sorted(relocations.items()):
        number = numbers[destination]
        # Up to the third destination, a bit says whether a count follows.
        content.append((number << 1 if number <= 2 else number) << 1 | 1)
        content += _number(offset // word_bytes << 1)
    content.append(_END_OF_RELOCATIONS)
    return bytes(content)


def _number(value: int) -> bytes:
    encoded = bytearray([value & 0x7F])
    while value := value >> 7:
        encoded.insert(0, 0x80 | value & 0x7F)
    return bytes(encoded)
