"""Links object files to a native `.mpy` module: GNU ld lays out the code, and says what the loader has to relocate.

What moves with its destination is a relocation. The same objects are linked again with one destination at another
address: the code, MicroPython's function table or the module's table of names. Words that differ by as much as the
destination moved are what the loader has to add its address to; any other difference is code that depends on where it
lies, which no loader can mend, and an error. So nothing here knows the relocation types of an architecture.

The format is that of MicroPython's py/persistentcode.c: mp_raw_code_load and mp_native_relocate.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

import windowed
from mpy import write

SCRIPT = Path(__file__).parent / "micropython/module.ld"
# Multiples of 64 whose bytes all differ: a part of such a number in an instruction is not taken for the whole.
_STEPS = {4: 0x01234540, 8: 0x0123456789ABCDC0}
_DESTINATIONS = {"text_base": "text", "mp_fun_table": "function table", "mp_native_qstr_table": "qstr table"}


class LinkError(Exception):
    """These objects cannot become a module."""


@dataclass(frozen=True)
class Target:
    """What distinguishes an architecture: `ld_flags` for the compiler as a linker, `word_bytes` of a pointer.

    `constants_in_code` is False where code cannot be read byte by byte, as in the instruction memory of an ESP32.
    """

    ld_flags: tuple[str, ...] = ()
    word_bytes: int = 4
    constants_in_code: bool = True


def link(name: str, target: Target, compiler: Sequence[str], objects: Sequence[Path], names: Sequence[str]) -> bytes:
    """The `.mpy` file. `names`: the module's table of names, in order, without the first, which is the file's.

    LinkError where the objects lack something, have data, or depend on where they lie.
    """
    addresses = dict.fromkeys(_DESTINATIONS, 0)
    code = _layout(target, compiler, objects, addresses)
    relocations = {}
    for symbol, destination in _DESTINATIONS.items():
        step = _STEPS[target.word_bytes]
        moved = _layout(target, compiler, objects, {**addresses, symbol: step})
        for offset in _words_that_moved(code, moved, step, target.word_bytes, symbol):
            relocations[offset] = destination
    return write(name, code, relocations, ["_native.mpy", *names])


def _layout(target: Target, compiler: Sequence[str], objects: Sequence[Path], addresses: dict[str, int]) -> bytes:
    """The code with these addresses of its destinations, beginning with what the loader calls."""
    symbols = {**addresses, "rodata_allowed": int(target.constants_in_code)}
    output = objects[0].with_name("linked.elf")
    definitions = [f"-Wl,--defsym={symbol}={value:#x}" for symbol, value in symbols.items()]
    flags = ["-nostdlib", "-static", "-Wl,--build-id=none", *target.ld_flags, *definitions, "-T", str(SCRIPT)]
    command = [*compiler, *flags, *(str(path) for path in objects), "-o", str(output)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        raise LinkError(f"{' '.join(command)}\n{finished.stderr}")
    windowed.make_calls_windowed(output)
    with output.open("rb") as file:
        code: bytes = ELFFile(file).get_section_by_name(".text").data()
    return code + bytes(-len(code) % target.word_bytes)


def _words_that_moved(still: bytes, moved: bytes, step: int, word_bytes: int, symbol: str) -> Iterator[int]:
    if len(still) != len(moved):
        raise LinkError(f"the size of the code depends on where {symbol} is")
    for offset in range(0, len(still), word_bytes):
        here, there = (int.from_bytes(code[offset : offset + word_bytes], "little") for code in (still, moved))
        if there - here == step:
            yield offset
        elif there != here:
            raise LinkError(f"the code at {offset:#x} holds a part of the address of {symbol}, not a word")
