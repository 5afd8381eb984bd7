"""The lessons run from their first cell to their last, without a board, a download, or a notebook server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tinympy import tasks

LESSONS = sorted((Path(__file__).parents[2] / "docs" / "lessons").glob("*.ipynb"))
WITH_OFFICIAL_FILES = {"2-wake-word": "sww01", "3-anomaly": "ad01"}

_RUN = """
import json, sys
space = {"__name__": "__main__"}
for cell in json.load(sys.stdin)["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
"""


def run(lesson: Path, folder: Path, **environment: str) -> str:
    """What the cells of a notebook print, executed in order in a process of their own in `folder`."""
    finished = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", _RUN],
        input=lesson.read_text(),
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "agg"} | environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_without_official_files(lesson: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYMPY_ASSETS", raising=False)
    printed = run(lesson, tmp_path, XDG_CACHE_HOME=str(tmp_path))
    if lesson.stem in WITH_OFFICIAL_FILES:
        assert "network: RANDOM WEIGHTS" in printed and "sound: MADE UP" in printed
        assert "the board's bytes are those of the reference engine" in printed
    else:
        assert "355 of 360 right: 98.6 %" in printed
        assert printed.count("the same bytes as the reference engine: True") == 2


@pytest.mark.parametrize("name", WITH_OFFICIAL_FILES)
def test_a_lesson_takes_the_official_files_where_they_are(name: str, tmp_path: Path) -> None:
    if missing := tasks.get(WITH_OFFICIAL_FILES[name]).missing():
        pytest.skip(f"{missing[0]} is not here: tinympy assets fetch")
    [lesson] = [path for path in LESSONS if path.stem == name]
    printed = run(lesson, tmp_path)
    assert "network: the official one" in printed and "MADE UP" not in printed
    if name == "2-wake-word":
        assert re.search(r"words spoken: {'true_positives': [1-9]", printed)
    else:
        [(normal, broken)] = re.findall(r"score in order ([\d.]+), with a whistle ([\d.]+)", printed)
        assert float(broken) > 1.5 * float(normal)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_stored_without_outputs_and_has_exercises(lesson: Path) -> None:
    notebook: dict[str, Any] = json.loads(lesson.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
    assert cells[-1]["source"][0] == "## Exercises\n"


def test_there_are_three_lessons() -> None:
    assert [lesson.stem for lesson in LESSONS] == ["1-digits", "2-wake-word", "3-anomaly"]
