"""What a native `.mpy` file says of itself: header, architecture, entry, relocations (MicroPython's docs, mpyfiles)."""

from __future__ import annotations

from dataclasses import dataclass

ARCHITECTURES = {2: "x64", 4: "armv6m", 5: "armv7m", 7: "armv7emsp", 10: "xtensawin", 11: "rv32imc"}
_HAS_RODATA, _HAS_BSS, _HAS_RELOCATIONS = 0x20, 0x40, 0x10
_VIPER = 2
_DESTINATIONS = {0: "text", 1: "rodata", 2: "bss", 6: "qstr table", 7: "object table", 8: "function table"}


@dataclass(frozen=True)
class NativeModule:
    """`entry` is where the code begins to run; `relocations` names what the loader has to point words at."""

    version: int
    sub_version: int
    architecture: str
    code_bytes: int
    rodata_bytes: int
    bss_bytes: int
    entry: int
    relocations: tuple[str, ...]

    @property
    def ram_bytes(self) -> int:
        """What loading takes, beside the few words of the module object."""
        return self.code_bytes + self.rodata_bytes + self.bss_bytes


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
    """Parse a native module. ValueError when it is not one."""
    reader = _Reader(content)
    if reader.byte() != ord("M"):
        raise ValueError("not a .mpy file")
    version, feature, _small_int_bits = reader.byte(), reader.byte(), reader.byte()
    qstrs, objects = reader.number(), reader.number()
    for _ in range(qstrs):
        length = reader.number()
        if not length & 1:
            reader.skip((length >> 1) + 1)
    for _ in range(objects):
        raise ValueError(f"a constant object of kind {reader.byte()} in a native module")
    kind_length = reader.number()
    if kind_length & 3 != _VIPER:
        raise ValueError("no native code at the top of the module")
    code_bytes = kind_length >> 3
    code = reader.skip(code_bytes)
    flags = reader.number()
    rodata = reader.number() if flags & _HAS_RODATA else 0
    bss = reader.number() if flags & _HAS_BSS else 0
    reader.skip(rodata)
    architecture = ARCHITECTURES.get(feature >> 2 & 0xF, f"architecture {feature >> 2 & 0xF}")
    return NativeModule(
        version=version,
        sub_version=feature & 3,
        architecture=architecture,
        code_bytes=code_bytes,
        rodata_bytes=rodata,
        bss_bytes=bss,
        entry=_jump_target(code, architecture),
        relocations=_relocations(reader) if flags & _HAS_RELOCATIONS else (),
    )


def _relocations(reader: _Reader) -> tuple[str, ...]:
    """Destinations, in the encoding of mp_native_relocate."""
    found = []
    while (code := reader.byte()) != 0xFF:
        if code & 1:
            reader.number()
        code >>= 1
        if code <= 5:
            if code & 1:
                reader.number()
            code >>= 1
        found.append(_DESTINATIONS.get(code, f"function {code - 9}"))
    return tuple(found)


def _jump_target(code: bytes, architecture: str) -> int:
    """Where the jump that begins the code leads."""
    if architecture == "x64":
        return {0xEB: 2 + code[1], 0xE9: 5 + int.from_bytes(code[1:5], "little")}[code[0]]
    offset = (int.from_bytes(code[:2], "little") & 0x7FF) << 1
    return 4 + offset - (0x1000 if offset & 0x800 else 0)
