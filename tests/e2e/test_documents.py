"""Every command and every line of Python that the README shows, every command in reports.md, and every line of repl.md
are executed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from board_prompt import PROMPT, Prompt
from tinympy import boards, connection
from tinympy.compiler import compile_model

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
REPORTS = (ROOT / "docs" / "reports.md").read_text()
COMMANDS = re.findall(r"^    (tinympy .*)$", README + REPORTS, re.MULTILINE)
REPL = (ROOT / "docs" / "repl.md").read_text()
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


# Of what a board answers, what is not the same each time: addresses, lines of tinympy's files, free memory; and times.
_VARIES = (
    (r"0x[0-9a-f]+", "0x"),
    (r"line \d+, in (?!<module>)", "line 0, in "),
    (r"\d+ are free", "0 are free"),
)
_TIMES = ((r"\d+\.\d+", "0.0"), (r"\b(us|ms)\b", "us"), (r" +", " "))


def test_a_session_at_the_prompt_is_as_repl_md_shows_it(tmp_path: Path) -> None:
    steps = _session()
    assert sum(kind == "type" for kind, *_ in steps) >= 30
    prompt = None
    try:
        for kind, line, expected in steps:
            if kind == "type":
                assert prompt is not None
                shown, known = _same_each_time(prompt.type(line)), _same_each_time(expected)
                # A module's names are in no order.
                assert sorted(shown) == sorted(known) if line.startswith("help(") else shown == known, line
            else:
                if prompt is not None:
                    prompt.close()
                    prompt = None
                if kind == "command":
                    command = [sys.executable, "-m", *shlex.split(line)]
                    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
                else:
                    prompt = Prompt(line, tmp_path)
    finally:
        if prompt is not None:
            prompt.close()


def _session() -> list[tuple[str, str, str]]:
    """What repl.md does: ("command" or "prompt", the command, ""), or ("type", the line, what is shown then)."""
    steps: list[tuple[str, str, str]] = []
    for part in re.split(r"^(```pycon\n.*?^```)$", REPL, flags=re.MULTILINE | re.DOTALL):
        if part.startswith("```pycon"):
            entries = part.removeprefix("```pycon\n").removesuffix("```").split(PROMPT)
            assert not entries[0], "a block begins with the prompt"
            steps += [("type", *entry.partition("\n")[::2]) for entry in entries[1:]]
        else:
            commands = re.findall(r"^    (.*)$", part, re.MULTILINE)
            steps += [("command" if each.startswith("tinympy ") else "prompt", each, "") for each in commands]
    return steps


def _same_each_time(shown: str) -> list[str]:
    for pattern, instead in (*_VARIES, *(_TIMES if "whole inference" in shown else ())):
        shown = re.sub(pattern, instead, shown)
    return [line.strip() for line in shown.splitlines()]
