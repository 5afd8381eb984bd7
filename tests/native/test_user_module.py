"""The kernels as a MicroPython user C module: the build files name what is there, and the glue compiles.

The whole was built and run by hand (docs/native-modules.md): registries have no MicroPython to build.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import emulated
from kernel_library import NATIVE_MODULES

KERNELS = {str(path) for path in NATIVE_MODULES.glob("kernels/*.c")}
ASSEMBLY = {str(path) for path in NATIVE_MODULES.glob("kernels/*/*.S")}
# Numbers of names, which MicroPython's own build would give.
NAMES = ("__name__", "tinympy_native", "load", "run")


def sources(makefile: Path, cross_compile: str) -> dict[str, set[str]]:
    """What MicroPython's py.mk would find after including the file, by variable."""
    makefile.write_text(
        f"USERMOD_DIR := {NATIVE_MODULES}\nBUILD := build\ninclude {NATIVE_MODULES}/micropython.mk\n"
        "show:\n\t$(foreach name,C LIB_C LIB_ASM,$(info $(name): $(SRC_USERMOD_$(name))))@:\n"
    )
    command = ["make", "--no-print-directory", "-f", str(makefile), f"CROSS_COMPILE={cross_compile}", "show"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: set(found.split()) for name, _, found in (line.partition(":") for line in lines)}


def test_make_is_given_every_kernel(tmp_path: Path) -> None:
    found = sources(tmp_path / "Makefile", "arm-none-eabi-")
    assert found == {
        "C": {f"{NATIVE_MODULES}/micropython/usermodule.c"},
        "LIB_C": KERNELS,
        "LIB_ASM": ASSEMBLY,
    }
    assert sources(tmp_path / "Makefile", "")["LIB_ASM"] == set()


def test_cmake_is_given_every_kernel() -> None:
    text = (NATIVE_MODULES / "micropython.cmake").read_text()
    patterns = re.findall(r"\$\{CMAKE_CURRENT_LIST_DIR\}/(\S+?)\)?$", text, re.MULTILINE)
    found = {str(path) for pattern in patterns for path in NATIVE_MODULES.glob(pattern)}
    assert found == KERNELS | ASSEMBLY | {f"{NATIVE_MODULES}/micropython/usermodule.c"}


@pytest.mark.parametrize("assembly", sorted(ASSEMBLY), ids=lambda path: "/".join(Path(path).parts[-2:]))
def test_assembly_is_empty_for_other_architectures(assembly: str) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing")
    finished = subprocess.run(["gcc", "-E", "-P", assembly], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == ""


def test_the_glue_compiles_against_micropython_s_headers(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing")
    script = emulated.build_script()
    micropython = script.micropython_sources()
    config = tmp_path / "config.h"
    numbers = "".join(f"#define MP_QSTR_{name} ({number})\n" for number, name in enumerate(NAMES, 1))
    types = (
        "#define MP_REGISTER_MODULE(name, module)\n"
        "#include <stdint.h>\ntypedef uintptr_t mp_uint_t;\ntypedef intptr_t mp_int_t;\ntypedef intptr_t mp_off_t;\n"
    )
    config.write_text(types + numbers)
    flags = ["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wfloat-conversion", "-DNO_QSTR"]
    include = [f'-DMP_CONFIGFILE="{config}"', f"-I{micropython}"]
    source = NATIVE_MODULES / "micropython/usermodule.c"
    command = ["gcc", *flags, *include, "-fsyntax-only", str(source)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
