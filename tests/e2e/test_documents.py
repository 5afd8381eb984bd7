"""Every command and every line of Python that the README shows, and every command in reports.md, is executed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tinympy import boards, connection
from tinympy.compiler import compile_model

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
REPORTS = (ROOT / "docs" / "reports.md").read_text()
COMMANDS = re.findall(r"^    (tinympy .*)$", README + REPORTS, re.MULTILINE)
MAKE_TARGETS = re.findall(r"`?make (\w+)`?", README)


def test_the_readme_shows_commands() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_a_document_succeeds(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without official files; every task is timed all the same, in shorter windows than anybody would want.
    monkeypatch.delenv("TINYMPY_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shutil.copytree(ROOT / "datasets" / "digits", tmp_path / "datasets" / "digits")
    shutil.copytree(ROOT / "tests" / "unit" / "report_records", tmp_path / "results")
    arguments = shlex.split(command)[1:]
    if arguments[0] == "bench":
        arguments += ["--window", "0.1"]
    finished = subprocess.run(
        [sys.executable, "-m", "tinympy", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout or (tmp_path / arguments[-1]).stat().st_size > 0


@pytest.mark.parametrize("target", sorted(set(MAKE_TARGETS)))
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_python_of_the_readme_runs_on_the_board() -> None:
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    program = compile_model((ROOT / "datasets/digits/digits_int8.tflite").read_bytes(), "digits").program
    with connection.connected(boards.get("unix")) as board:
        board.install({"digits": program})
        output = board.line.exec(code.replace("m.predict", "print(m.predict") + ")")
    values = [int(value) for value in output.strip("[]\n ").split(",")]
    # A softmax over ten classes, quantised with scale 1/256.
    assert len(values) == 10 and abs(sum(value + 128 for value in values) - 256) <= 10
