"""The linker relocates what has to be, and refuses what no loader could load."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import emulated
import windowed
from mpy import inspect
from mpy_link import LinkError, link

ENTRY = 'extern const unsigned short mp_native_qstr_table[];\n__attribute__((section(".text.mpy_init"))) '


def linked(folder: Path, architecture: str, code: str) -> bytes:
    script = emulated.build_script()
    compiled = script.ARCHITECTURES[architecture]
    if not any(shutil.which(compiler) for compiler in compiled.compilers):
        pytest.skip(f"{compiled.compilers[-1]} is missing")
    source = folder / "source.c"
    source.write_text(code)
    start = sorted(emulated.NATIVE_MODULES.glob(f"micropython/{architecture}/*.S"))
    objects = script.compile_sources(architecture, [source, *start], [], folder)
    module: bytes = link(
        architecture, compiled.target, [script.ARCHITECTURES[architecture].compiler, *compiled.flags], objects, ["name"]
    )
    return module


@pytest.fixture(params=["x64", "armv6m", "armv7m", "armv7emsp", "xtensawin", "rv32imc"])
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_refers_to_a_table_is_relocated(tmp_path: Path, architecture: str) -> None:
    module = inspect(linked(tmp_path, architecture, ENTRY + "int mpy_init(void) { return mp_native_qstr_table[1]; }"))
    assert "qstr table" in {relocation.destination for relocation in module.relocations}
    assert "function table" not in {relocation.destination for relocation in module.relocations}
    assert module.names == ("_native.mpy", "name")


def test_a_variable_is_refused(tmp_path: Path, architecture: str) -> None:
    with pytest.raises(LinkError, match="a module has no data"):
        linked(tmp_path, architecture, "int count; " + ENTRY + "int mpy_init(void) { return ++count; }")


def test_what_only_a_library_has_is_refused(tmp_path: Path, architecture: str) -> None:
    with pytest.raises(LinkError, match="undefined reference to `tan'"):
        linked(tmp_path, architecture, "double tan(double); " + ENTRY + "int mpy_init(void) { return tan(1) > 0; }")


def test_constants_on_xtensa_are_refused(tmp_path: Path) -> None:
    code = ENTRY + 'int mpy_init(int self) { return "text"[self & 3]; }'
    with pytest.raises(LinkError, match="constants of this architecture cannot lie in the code"):
        linked(tmp_path, "xtensawin", code)


def test_an_address_in_an_instruction_is_refused(tmp_path: Path) -> None:
    """Which is what position-dependent code has: on x64, four of the address's eight bytes."""
    code = ENTRY + 'void mpy_init(void) { __asm__("movabs $mpy_init, %%rax" : : : "rax"); }'
    with pytest.raises(LinkError, match="holds a part of the address of text_base, not a word"):
        linked(tmp_path, "x64", code)


@pytest.mark.parametrize(
    ("instruction", "encoded"),
    [
        # From Espressif's objdump of their firmware, and the manual's formats.
        ("entry sp, 32", "0x36, 0x41, 0x00"),
        ("entry\ta1, 144", "0x36, 0x21, 0x01"),
        ("retw.n", "0x1d, 0xf0"),
        ("retw", "0x90, 0x00, 0x00"),
        ("callx8 a8", "0xe0, 0x08, 0x00"),
        ("quou a2, a3, a4", "0x40, 0x23, 0xc2"),
    ],
)
def test_windowed_instructions_are_encoded(instruction: str, encoded: str) -> None:
    assert windowed.translate(f"\t{instruction}\n") == f"\t.byte\t{encoded}\n"


def test_other_lines_are_left_alone() -> None:
    text = "f:\n\tmovi.n\ta2, 1\n\t.align 4\n.L2: # retw\n"
    assert windowed.translate(text) == text


@pytest.mark.parametrize("line", ["\tcall12\tf", "\tcallx4 a4", "\tmovsp\ta1, a2", "\trotw 1", "\tentry sp, 40000"])
def test_what_it_does_not_know_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=line.strip().split()[0]):
        windowed.translate(line)
