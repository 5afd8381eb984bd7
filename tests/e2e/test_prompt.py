"""What a board says at its prompt when something is missing or of the wrong kind; docs/repl.md shows the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinympy import deploy, selftest, tasks
from tinympy.compiler import compile_model

MPY = deploy.Mpy(deploy.MPY_VERSION, "x64")
MICROPYTHON = Path(sys.executable).with_name("micropython")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder tinympy as on a board, with digits and the native engine."""
    folder = tmp_path / "tinympy"
    folder.mkdir()
    programs = {"digits": compile_model(tasks.get("digits").model(), "digits").program}
    for name, content in deploy.package(deploy.build("native", MPY), programs).items():
        (folder / name).write_bytes(content)
    return folder


def said(library: Path, code: str, heap: str = "1M") -> str:
    """The last line that MicroPython prints which executes `code`, where that is an error what it says."""
    finished = subprocess.run(
        [str(MICROPYTHON), "-X", f"heapsize={heap}", "-c", f"import tinympy\n{code}"],
        env=os.environ | {"MICROPYPATH": str(library.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return (finished.stdout + finished.stderr).splitlines()[-1]


def test_only_models_that_were_deployed_are_listed(library: Path) -> None:
    (library / f"{selftest.NAME}.tmpy").write_bytes(selftest.program())
    assert said(library, "print(tinympy.models())") == "['digits']"


def test_an_engine_that_is_missing_says_how_to_get_one(library: Path) -> None:
    (library / "native.mpy").unlink(missing_ok=True)
    (library / "native.py").unlink(missing_ok=True)
    message = said(library, "tinympy.load('digits')")
    assert message == "ImportError: there is no engine here: `tinympy deploy`, on the computer, puts it on the board"


def test_a_native_module_that_is_missing_says_what_to_do(library: Path) -> None:
    (library / "_native.mpy").unlink()
    message = said(library, "tinympy.load('digits')")
    assert message.startswith("ImportError: native does not run here: ") and "`tinympy deploy`" in message


def test_a_native_module_for_another_board_says_what_to_do(library: Path) -> None:
    other = deploy.native_module(deploy.Mpy(deploy.MPY_VERSION, "armv6m"))
    (library / "_native.mpy").write_bytes(other.content)
    message = said(library, "tinympy.load('digits')")
    assert (
        message.startswith("ImportError: native does not run here: incompatible .mpy") and "`tinympy deploy`" in message
    )


def test_an_engine_that_does_not_exist_is_refused_with_those_that_do(library: Path) -> None:
    assert said(library, "tinympy.load('digits', 'c')").endswith("there are native, viper, ulab, python")


def test_a_board_without_models_says_how_to_get_one(library: Path) -> None:
    (library / "digits.tmpy").unlink()
    assert said(library, "tinympy.load('digits')").startswith(
        "OSError: there is no model 'digits' here, and no other: "
    )


def test_a_small_heap_says_what_is_needed_and_what_is_free(library: Path) -> None:
    message = said(library, "tinympy.load('digits')", "32K")
    assert message.startswith("MemoryError: digits needs 3232 bytes for its arena and 5292 for its program, ")
    assert "are free" in message


def test_a_profile_is_of_every_layer_and_leaves_the_model_as_it_was(library: Path) -> None:
    code = (
        "m = tinympy.load('digits'); first = m.predict([0] * 64); p = m.profile()\n"
        "print(len(p), all([row.time_us >= 0 for row in p]), p.whole_us > 0, m.predict([0] * 64) == first)"
    )
    assert said(library, code) == "8 True True True"
