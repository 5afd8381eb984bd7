"""The kernels as compiled for each of MicroPython's architectures, executed by QEMU's user mode on the computer.

Flags are those of the native modules (native_modules/build.py). An image has no libc and no libgcc, so what links here
has nothing that a native module could not have.
"""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinympy.device.program import Head

HERE = Path(__file__).resolve().parent
NATIVE_MODULES = HERE.parents[1] / "native_modules"
COUNTER = HERE.parent / "instructions/count.c"


@dataclass(frozen=True)
class Emulated:
    """Which QEMU executes an architecture's code, as which core."""

    qemu: str
    cpu: str
    link: tuple[str, ...] = ("-Wl,-Ttext=0x400000",)


# Debian 12's qemu-arm cannot lay out the memory of a Cortex-M (an assertion about the commpage): `any` executes a
# superset, and the assembler refuses what the compiler's -mcpu does not have.
EMULATED = {
    "armv6m": Emulated("qemu-arm", "any"),
    "armv7m": Emulated("qemu-arm", "any"),
    "armv7emsp": Emulated("qemu-arm", "any"),
    "rv32imc": Emulated("qemu-riscv32", "rv32"),
    "xtensawin": Emulated("qemu-xtensa", "dc233c"),
}


def build_script() -> Any:
    """native_modules/build.py, which has the name of a package."""
    sys.path.append(str(NATIVE_MODULES))  # for its own imports
    spec = importlib.util.spec_from_file_location("build_native_modules", NATIVE_MODULES / "build.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    return script


def missing(architecture: str) -> str | None:
    """The first program that is not installed."""
    programs = [build_script().ARCHITECTURES[architecture].compiler, EMULATED[architecture].qemu]
    return next((program for program in programs if shutil.which(program) is None), None)


def build(architecture: str, folder: Path) -> Path:
    """A program for QEMU, in `folder`, that runs programs of the kernels (emulated_run.c)."""
    script = build_script()
    folder.mkdir(parents=True, exist_ok=True)
    kernels = [NATIVE_MODULES / source for source in script.kernel_sources(architecture)]
    include = [f"-I{NATIVE_MODULES / 'kernels'}"]
    objects = script.compile_sources(architecture, [HERE / "emulated_run.c", *kernels], include, folder)
    return image(architecture, objects, folder / "run")


def image(architecture: str, objects: Sequence[Path], program: Path, *link_flags: str) -> Path:
    """Link a program for QEMU's user mode."""
    script = build_script()
    compiled = script.ARCHITECTURES[architecture]
    link = [
        "-nostdlib",
        "-static",
        "-Wl,--no-warn-rwx-segments",
        *compiled.target.ld_flags,
        *EMULATED[architecture].link,
        *link_flags,
    ]
    command = [compiled.compiler, *compiled.flags, *link, *map(str, objects), "-o", str(program)]
    subprocess.run(command, check=True)
    script.windowed.make_calls_windowed(program)
    return program


def counter(folder: Path) -> Path:
    """The plugin that counts instructions, built in `folder`."""
    plugin = folder / "count.so"
    warnings = ("-Wall", "-Wextra", "-Werror")
    subprocess.run(["gcc", "-O2", *warnings, "-fPIC", "-shared", str(COUNTER), "-o", str(plugin)], check=True)
    return plugin


def command(architecture: str, program: Path) -> list[str]:
    """What executes a program for that architecture."""
    return [EMULATED[architecture].qemu, "-cpu", EMULATED[architecture].cpu, str(program)]


def infer(
    architecture: str, runner: Path, program: bytes, inputs: Sequence[bytes], plugin: Path | None = None
) -> tuple[list[bytes], list[int]]:
    """The one output for each content of the one input; and the instructions of each operation, one inference after
    another, if there is a plugin to count them."""
    head = Head(program)
    [source], [target] = head.inputs, head.outputs
    arenas = bytearray()
    for values in inputs:
        arena = bytearray(head.arena_bytes)
        arena[source.offset : source.offset + source.bytes] = values
        arenas += arena
    request = struct.pack("<5I", len(program), head.arena_bytes, len(inputs), 0, head.operation_count)
    emulated = EMULATED[architecture]
    command = [emulated.qemu, "-cpu", emulated.cpu]
    counts = runner.parent / "counts.txt"
    if plugin is not None:
        command += ["-plugin", f"{plugin},counts={counts}"]
    finished = subprocess.run([*command, str(runner)], input=request + program + arenas, capture_output=True)
    if finished.returncode != 0 or len(finished.stdout) != head.arena_bytes * len(inputs):
        raise RuntimeError(f"{' '.join(command)}: exit status {finished.returncode}, {finished.stderr.decode()}")
    begins = range(target.offset, len(finished.stdout), head.arena_bytes)
    outputs = [finished.stdout[at : at + target.bytes] for at in begins]
    return outputs, [int(line) for line in counts.read_text().split()] if plugin is not None else []
