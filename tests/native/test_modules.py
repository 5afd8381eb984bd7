"""The committed native modules are what stock firmware can load, what the manifest says, and what a rebuild gives."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from kernel_library import NATIVE_MODULES
from mpy import NativeModule, inspect

PREBUILT = NATIVE_MODULES / "prebuilt"
MANIFEST: dict[str, dict[str, Any]] = json.loads((PREBUILT / "manifest.json").read_text(encoding="utf-8"))
# The linker of MicroPython 1.23 reaches no further with the jump that begins an armv6m module.
ENTRY_LIMIT = 2048
ARMV6M_RAM_LIMIT_BYTES = 32 * 1024


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
    assert {"x64", "armv6m"} <= {architecture_of(path) for path in found}


def test_manifest_is_of_these_files(path: str, module: NativeModule) -> None:
    content, entry = (PREBUILT / path).read_bytes(), MANIFEST[path]
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["bytes"] == len(content)
    assert entry["ram_bytes"] == module.ram_bytes


def test_module_is_of_the_version_and_architecture_that_its_folder_names(path: str, module: NativeModule) -> None:
    folder = f"{module.architecture}-mpy{module.version}.{module.sub_version}"
    assert folder == path.partition("/")[0]
    assert (module.version, module.sub_version) == (6, 3)


def test_entry_is_within_reach(module: NativeModule) -> None:
    assert 0 < module.entry < min(ENTRY_LIMIT, module.code_bytes)


def test_relocations_are_those_that_every_firmware_applies(module: NativeModule) -> None:
    assert set(module.relocations) <= {"function table", "qstr table"}


def test_module_has_no_data_of_its_own(module: NativeModule) -> None:
    assert module.bss_bytes == 0


def test_armv6m_module_leaves_the_heap_to_models() -> None:
    module = inspect((PREBUILT / "armv6m-mpy6.3/_native.mpy").read_bytes())
    print(f"armv6m: {module.ram_bytes} bytes of RAM, {ARMV6M_RAM_LIMIT_BYTES} at most")
    assert module.ram_bytes <= ARMV6M_RAM_LIMIT_BYTES


def test_rebuild_is_byte_identical(path: str) -> None:
    compiler = MANIFEST[path]["compiler"].split()[0]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is missing")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    if version != MANIFEST[path]["compiler"]:
        pytest.skip(f"{compiler} is {version!r}, the module was built with {MANIFEST[path]['compiler']!r}")
    # The sanitizers are for the kernels, not for the compiler.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    command = [sys.executable, str(NATIVE_MODULES / "build.py"), "--check", architecture_of(path)]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr
