"""The committed native modules are what stock firmware can load, what the manifest says, and what a rebuild gives."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

import mpy
from kernel_library import NATIVE_MODULES
from mpy import NativeModule, Relocation, inspect

PREBUILT = NATIVE_MODULES / "prebuilt"
MANIFEST: dict[str, dict[str, Any]] = json.loads((PREBUILT / "manifest.json").read_text(encoding="utf-8"))
ARCHITECTURES = {"x64", "armv6m", "armv7m", "armv7emsp", "xtensawin", "rv32imc"}
RAM_LIMIT_BYTES = 32 * 1024
# The jump, the first entry of a windowed function.
XTENSA_JUMP, XTENSA_ENTRY = 0x06, 0x36
# Arm's instructions for it begin with v in one notation, with f in the other; or they are a coprocessor's.
FLOATING_POINT = re.compile(r"^ +[0-9a-f]+:\t(?:v[a-z]|f[a-z]|mrc|mcr|ldc|stc|cdp).*", re.MULTILINE)


def architecture_of(path: str) -> str:
    return path.partition("-")[0]


@pytest.fixture(params=sorted(MANIFEST), ids=architecture_of)
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def module(path: str) -> NativeModule:
    return inspect((PREBUILT / path).read_bytes())


def test_every_module_is_in_the_manifest() -> None:
    found = {str(file.relative_to(PREBUILT)) for file in PREBUILT.glob("*/*.mpy")}
    assert found == set(MANIFEST)
    assert {architecture_of(path) for path in found} == ARCHITECTURES


def test_manifest_is_of_these_files(path: str, module: NativeModule) -> None:
    content, entry = (PREBUILT / path).read_bytes(), MANIFEST[path]
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["bytes"] == len(content)
    assert entry["ram_bytes"] == module.ram_bytes


def test_module_is_of_the_version_and_architecture_that_its_folder_names(path: str, module: NativeModule) -> None:
    folder = f"{module.architecture}-mpy{module.version}.{module.sub_version}"
    assert folder == path.partition("/")[0]
    assert (module.version, module.sub_version) == (6, 3)


def test_module_uses_the_names_that_it_gives_and_no_others(module: NativeModule) -> None:
    assert module.names == ("_native.mpy", "float_of", "load", "run")


def test_relocations_are_those_that_every_firmware_applies(module: NativeModule) -> None:
    destinations = {relocation.destination for relocation in module.relocations}
    expected = {"function table", "qstr table"}
    # On Xtensa, addresses of its own code are among the constants before it.
    assert destinations == (expected | {"text"} if module.architecture == "xtensawin" else expected)


def test_relocated_words_lie_in_the_code_and_hold_offsets_into_their_destination(module: NativeModule) -> None:
    for relocation in module.relocations:
        assert relocation.section == "text"
        assert relocation.offset % module.word_bytes == 0
        word = int.from_bytes(module.code[relocation.offset : relocation.offset + module.word_bytes], "little")
        # Tables are referred to as a whole.
        assert word < (len(module.code) if relocation.destination == "text" else 1), relocation
    assert len({relocation.offset for relocation in module.relocations}) == len(module.relocations)


def test_module_has_no_data_of_its_own(module: NativeModule) -> None:
    assert module.bss_bytes == 0
    # Beside the code there is none either: what lies there, older firmware takes away again.
    assert module.rodata == b""


def test_module_leaves_the_heap_to_models(path: str, module: NativeModule) -> None:
    if module.architecture == "x64":
        pytest.skip("no board")
    print(f"{module.architecture}: {module.ram_bytes} bytes of RAM, {RAM_LIMIT_BYTES} at most")
    assert module.ram_bytes <= RAM_LIMIT_BYTES


def test_xtensa_module_begins_with_a_jump_to_its_first_function() -> None:
    code = inspect((PREBUILT / "xtensawin-mpy6.3/_native.mpy").read_bytes()).code
    jump = int.from_bytes(code[:3], "little")
    assert jump & 0x3F == XTENSA_JUMP
    target = 4 + (jump >> 6)
    assert target % 4 == 0
    assert code[target] == XTENSA_ENTRY


@functools.cache
def rebuild(path: str) -> subprocess.CompletedProcess[str]:
    """What the build says to a comparison with the committed module. Skips where the compiler is another one."""
    compiler = MANIFEST[path]["compiler"].split()[0]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is missing")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    if version != MANIFEST[path]["compiler"]:
        pytest.skip(f"{compiler} is {version!r}, the module was built with {MANIFEST[path]['compiler']!r}")
    # The sanitizers are for the kernels, not for the compiler.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    command = [sys.executable, str(NATIVE_MODULES / "build.py"), "--check", architecture_of(path)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_rebuild_is_byte_identical(path: str) -> None:
    finished = rebuild(path)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("architecture", ["armv6m", "armv7m", "armv7emsp"])
def test_arm_code_touches_no_floating_point(architecture: str) -> None:
    """So it does not matter in which registers the firmware passes floats."""
    finished = rebuild(f"{architecture}-mpy6.3/_native.mpy")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    linked = NATIVE_MODULES / "build" / architecture / "linked.elf"
    command = ["arm-none-eabi-objdump", "--disassemble", "--no-show-raw-insn", str(linked)]
    code = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"\tldr\b", code)) > 100
    assert not FLOATING_POINT.findall(code)


def test_what_is_written_is_read_again() -> None:
    relocations = {0: "text", 8: "function table", 12: "qstr table"}
    content = mpy.write("rv32imc", bytes(range(200)), relocations, ["a.mpy", "b"])
    module = inspect(content)
    assert module.names == ("a.mpy", "b")
    assert module.code == bytes(range(200))
    assert module.relocations == tuple(Relocation("text", offset, to) for offset, to in relocations.items())


@pytest.mark.parametrize("spoiled", ["head", "name", "kind", "tail"])
def test_what_is_no_module_of_ours_is_refused(spoiled: str) -> None:
    content = bytearray(mpy.write("armv7m", bytes(16), {}, ["a.mpy"]))
    if spoiled == "tail":
        content += b"\0"
    else:
        content[{"head": 0, "name": 5, "kind": -19}[spoiled]] ^= 1
    with pytest.raises((ValueError, IndexError)):
        inspect(bytes(content))
