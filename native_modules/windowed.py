"""Instructions of Xtensa cores that the assembler of Debian's gcc-xtensa-lx106 lacks: those of the windowed registers,
which its compiler emits with -mabi=windowed, and of the divider.

Every ESP32, ESP32-S2 and ESP32-S3 has them. Encodings: Xtensa Instruction Set Architecture Reference Manual, RRR, CALL,
CALLX and BRI12 formats. Espressif's compilers need none of this.
"""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

from elftools.elf.elffile import ELFFile

# r = s operation t
_THREE_REGISTERS = {"quou": 0xC20000, "quos": 0xD20000, "remu": 0xE20000, "rems": 0xF20000}
_RETURNS = {"retw.n": b"\x1d\xf0", "retw": b"\x90\x00\x00"}
_CALL0_OPCODE, _CALL8_OPCODE, _CALL_OPCODE_MASK = 0x05, 0x25, 0x3F
_LINE = re.compile(r"\s*(?P<operation>[a-z0-9.]+)(\s+(?P<operands>[^#]*?))?\s*(#.*)?$")


def translate(assembly: str) -> str:
    """Assembly text with those instructions as bytes, and each call8 as a call0 that is listed in .windowed_calls.

    ValueError for a windowed instruction that is not known here.
    """
    return "".join(_translate_line(line) + "\n" for line in assembly.splitlines())


def make_calls_windowed(linked: Path) -> None:
    """In an ELF file, turn what the linker made of each listed call0 into the call8 with the same destination.

    ValueError where a listed address is no call0.
    """
    content = bytearray(linked.read_bytes())
    elf = ELFFile(io.BytesIO(content))
    listed, text = elf.get_section_by_name(".windowed_calls"), elf.get_section_by_name(".text")
    for (address,) in struct.iter_unpack("<I", listed.data() if listed else b""):
        at = address - text["sh_addr"] + text["sh_offset"]
        if content[at] & _CALL_OPCODE_MASK != _CALL0_OPCODE:
            raise ValueError(f"no call at {address:#x}")
        content[at] = content[at] & ~_CALL_OPCODE_MASK | _CALL8_OPCODE
    linked.write_bytes(content)


def _translate_line(line: str) -> str:
    if not (match := _LINE.match(line)):
        return line
    operation, operands = match["operation"], (match["operands"] or "").replace(",", " ").split()
    if operation in _RETURNS:
        return _bytes(_RETURNS[operation])
    if operation in _THREE_REGISTERS:
        r, s, t = map(_register, operands)
        return _instruction(_THREE_REGISTERS[operation] | r << 12 | s << 8 | t << 4)
    if operation == "entry":
        frame_bytes = int(operands[1])
        if frame_bytes >= 1 << 15:
            raise ValueError(f"a frame of {frame_bytes} bytes: {line}")
        return _instruction(frame_bytes // 8 << 12 | _register(operands[0]) << 8 | 0x36)
    if operation == "callx8":
        return _instruction(_register(operands[0]) << 8 | 0xE0)
    if operation == "call8":
        return f"\t.pushsection .windowed_calls\n\t.word 9f\n\t.popsection\n9:\tcall0\t{operands[0]}"
    if operation.startswith(("call", "ret", "movsp", "rotw", "rfw", "l32e", "s32e")):
        raise ValueError(f"unknown windowed instruction: {line}")
    return line


def _register(name: str) -> int:
    return 1 if name == "sp" else int(name.removeprefix("a"))


def _instruction(word: int) -> str:
    return _bytes(word.to_bytes(3, "little"))


def _bytes(instruction: bytes) -> str:
    return "\t.byte\t" + ", ".join(f"{byte:#04x}" for byte in instruction)
