"""A bare-metal image of the kernels on the emulated Cortex-M0+ of rp2040py: calls of functions, cycles counted.

No firmware runs: the image is linked for RAM, and a call is registers and a stack as the procedure call standard has
them, with a breakpoint as its return address. The emulator's memory takes no time beyond the core's own: flash (XIP)
has no latency here, and there is one core. An unaligned access, which a Cortex-M0+ answers with a fault, ends the run.
"""

from __future__ import annotations

import importlib.util
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from rp2040py.clock.simulation_clock import SimulationClock
from rp2040py.execute_batch import execute_batch
from rp2040py.rp2040 import RP2040

HERE = Path(__file__).resolve().parent
NATIVE_MODULES = HERE.parents[1] / "native_modules"
BUILD = NATIVE_MODULES / "build" / "cycles"
COMPILER = "arm-none-eabi-gcc"

RAM, STACK_TOP = 0x20000000, 0x20042000
FLASH, PROGRAM = 0x10000000, 0x10010000
ARENA, HANDLE = 0x20008000, 0x20040000
ALIGNMENT_FAULT = "unaligned access"


class Fault(Exception):
    """What a Cortex-M0+ would have answered with a HardFault."""


def build() -> Path:
    """The image with the native module's own flags, as an ELF file."""
    module = _build_script()
    if shutil.which(COMPILER) is None:
        sys.exit(f"error: {COMPILER} is missing\nhint: install Debian's gcc-arm-none-eabi")
    BUILD.mkdir(parents=True, exist_ok=True)
    image = BUILD / "image.elf"
    flags = [flag for flag in (*module.FLAGS, *module.ARCHITECTURES["armv6m"].flags) if "MICROPY" not in flag]
    sources = [str(NATIVE_MODULES / source) for source in module.kernel_sources("armv6m")]
    link = ["-nostdlib", "-Wl,--build-id=none", f"-Wl,-T,{HERE / 'image.ld'}"]
    command = [COMPILER, *flags, *link, str(HERE / "image.S"), *sources, "-o", str(image)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"error: {' '.join(command)}\n{finished.stderr}")
    return image


def _build_script() -> Any:
    """native_modules/build.py, which has the name of a package."""
    sys.path.append(str(NATIVE_MODULES))  # for its own imports
    spec = importlib.util.spec_from_file_location("build_native_modules", NATIVE_MODULES / "build.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    return script


class _StrictLogger:
    """The emulator reports an unaligned read and goes on; a Cortex-M0+ does not."""

    def warning(self, component: str, message: str) -> None:
        raise Fault(message)

    error = warning

    def info(self, component: str, message: str) -> None:
        logging.getLogger(component).info(message)

    debug = info


class _AlignedRP2040(RP2040):  # type: ignore[misc]
    """Checks every access to memory, several times slower: the emulator itself looks at reads of words only."""

    def read_uint16(self, address: int) -> int:
        return _aligned(super().read_uint16, address, 2)(address)

    def read_uint32(self, address: int) -> int:
        return _aligned(super().read_uint32, address, 4)(address)

    def write_uint16(self, address: int, value: int) -> None:
        _aligned(super().write_uint16, address, 2)(address, value)

    def write_uint32(self, address: int, value: int) -> None:
        _aligned(super().write_uint32, address, 4)(address, value)


def _aligned(access: Any, address: int, width: int) -> Any:
    if address % width:
        raise Fault(f"{ALIGNMENT_FAULT}: {width} bytes at {address:#x}")
    return access


class Core:
    """The emulated core with the image in its memory. `strict` checks every access's alignment, and takes longer."""

    def __init__(self, image: Path, strict: bool = False) -> None:
        self.stopped = False
        self.clock = SimulationClock()
        self.rp2040 = (_AlignedRP2040 if strict else RP2040)(self.clock)
        self.rp2040.pio = []
        self.rp2040.simulator = None
        self.rp2040.logger = _StrictLogger()
        self.rp2040.on_break = self._stop
        with image.open("rb") as file:
            elf = ELFFile(file)
            for segment in elf.iter_segments():
                if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
                    self.write(segment["p_vaddr"], segment.data())
            symbols = elf.get_section_by_name(".symtab").iter_symbols()
            self.symbols = {symbol.name: symbol["st_value"] for symbol in symbols}

    def _stop(self, _code: int) -> None:
        self.stopped = True

    def _memory(self, address: int) -> tuple[Any, int]:
        if FLASH <= address < FLASH + (1 << 24):
            return self.rp2040.flash, address - FLASH
        return self.rp2040.sram, address - RAM

    def write(self, address: int, content: bytes) -> None:
        memory, at = self._memory(address)
        memory[at : at + len(content)] = content

    def read(self, address: int, count: int) -> bytes:
        memory, at = self._memory(address)
        return bytes(memory[at : at + count])

    def call(self, name: str, *arguments: int) -> tuple[int, int]:
        """(result, cycles) of a function with integer arguments."""
        core = self.rp2040.core
        in_registers, on_stack = arguments[:4], arguments[4:]
        stack = STACK_TOP - 8 * -(-len(on_stack) // 2)
        self.write(stack, b"".join(value.to_bytes(4, "little") for value in on_stack))
        for index, value in enumerate(in_registers):
            core.registers[index] = value
        core.registers[13] = stack
        core.registers[14] = self.symbols["image_return"] | 1
        core.registers[15] = self.symbols[name] & ~1
        begin = core.cycles
        self.stopped = False
        while not self.stopped:
            execute_batch(self, 1_000_000_000)
        result = int(core.registers[0])
        return result - (1 << 32) if result >> 31 else result, int(core.cycles - begin)


class Model:
    """A program in the emulated flash, loaded, with its arena in RAM."""

    def __init__(self, core: Core, program: bytes) -> None:
        from tinympy.device.program import Head

        self.core = core
        self.head = Head(program)
        core.write(PROGRAM, program)
        handle_bytes = self._call("tk_handle_bytes", PROGRAM, len(program))
        self._handle = (HANDLE, handle_bytes)
        core.write(ARENA, bytes(self.head.arena_bytes))
        self._call("tk_load", *self._handle, PROGRAM, len(program), 0)

    def _call(self, name: str, *arguments: int) -> int:
        result, self.cycles = self.core.call(name, *arguments)
        if result < 0:
            raise Fault(f"{name} returned {result}")
        return result

    def run(self, first: int, last: int) -> int:
        """Cycles of the operations first … last - 1."""
        self._call("tk_run", *self._handle, ARENA, self.head.arena_bytes, first, last)
        return self.cycles

    def write_input(self, content: bytes) -> None:
        [tensor] = self.head.inputs
        self.core.write(ARENA + tensor.offset, content)

    def output(self) -> bytes:
        return b"".join(self.core.read(ARENA + tensor.offset, tensor.bytes) for tensor in self.head.outputs)
