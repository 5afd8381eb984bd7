"""What a board needs to run a program: the device package, and the native module for its architecture."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from tinympy.errors import BoardError

MPY_VERSION = "6.3"
# The codes in sys.implementation._mpy.
_ARCHITECTURES = {
    1: "x86",
    2: "x64",
    4: "armv6m",
    5: "armv7m",
    7: "armv7emsp",
    8: "armv7emdp",
    10: "xtensawin",
    11: "rv32imc",
}


@dataclass(frozen=True)
class Module:
    """A prebuilt native module, and what its manifest says of it."""

    content: bytes
    sha256: str
    ram_bytes: int


@dataclass(frozen=True)
class Mpy:
    """What a firmware loads: `sys.implementation._mpy`, taken apart."""

    version: str
    architecture: str

    @classmethod
    def from_firmware(cls, number: int) -> Mpy:
        code = number >> 10 & 0xF
        return cls(f"{number & 0xFF}.{number >> 8 & 3}", _ARCHITECTURES.get(code, f"architecture {code}"))

    def __str__(self) -> str:
        return f"{self.version} {self.architecture}"


def native_module(mpy: Mpy) -> Module:
    """The module that a firmware with this `.mpy` version and architecture loads.

    Raises:
        BoardError: none was built for it.
    """
    manifest: dict[str, Any] = json.loads(files("tinympy.prebuilt").joinpath("manifest.json").read_text())
    name = f"{mpy.architecture}-mpy{mpy.version}/_native.mpy"
    if name not in manifest:
        built = ", ".join(sorted(path.split("-")[0] for path in manifest))
        raise BoardError(
            f"there is no native module for this firmware (mpy {mpy})", f"there are {built} for mpy {MPY_VERSION}"
        )
    folder, _, file = name.partition("/")
    content = files("tinympy.prebuilt").joinpath(folder).joinpath(file).read_bytes()
    return Module(content, manifest[name]["sha256"], manifest[name]["ram_bytes"])


def package_files(library: str, module: Module, programs: dict[str, bytes]) -> dict[str, bytes]:
    """Everything to copy, as absolute path on the board: content; `programs` by the name they are loaded under."""
    folder = f"{library}/tinympy"
    copied = {
        f"{folder}/{entry.name}": entry.read_bytes()
        for entry in sorted(files("tinympy.device").iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".py")
    }
    copied[f"{folder}/_native.mpy"] = module.content
    for name, program in programs.items():
        copied[f"{folder}/{name}.tmpy"] = program
    return copied


def serve_code(name: str, wire_input: str, wire_results: str, wire_bytes: int) -> str:
    """What the board executes to serve the program `name` as the device under test (`tinympy.dut.serve`)."""
    arguments = f"load({name!r}), {name!r}, {wire_input!r}, {wire_results!r}, {wire_bytes}"
    return f"from tinympy import dut, load\ndut.serve({arguments})"
