"""From the options of a command to the jobs it means; refuses what cannot work before any board is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinympy import boards, tasks
from tinympy.errors import UsageError

MODES = {"accuracy": ("accuracy",), "performance": ("performance",), "all": ("accuracy", "performance")}
ENGINES = ("native",)
WINDOW_S = 2.5
LONGEST_WINDOW_S = 300.0


@dataclass(frozen=True)
class Job:
    """One task on one board with one engine: what a session runs and a record describes."""

    board: boards.Board
    task: tasks.Task
    engine: str
    modes: tuple[str, ...]
    samples: int | None
    window_s: float
    folder: Path


def plan(
    *,
    board: str,
    task_names: Sequence[str],
    mode: str,
    engine: str,
    samples: int | None,
    window_s: float,
    assets: Path | None,
    folder: Path,
) -> list[Job]:
    """The jobs in the order to run them; without task names, every task whose files are here.

    Raises:
        UsageError: an option has no meaning, or a task's files are missing.
    """
    if mode not in MODES:
        raise UsageError(f"there is no mode {mode}", f"the modes are {' '.join(MODES)}")
    if engine not in ENGINES:
        raise UsageError(f"there is no engine {engine}", f"the engines are {' '.join(ENGINES)}")
    if not 0 < window_s <= LONGEST_WINDOW_S:
        raise UsageError(f"a window of {window_s:g} s", f"windows last more than 0 and at most {LONGEST_WINDOW_S:g} s")
    if assets is not None and not assets.is_dir():
        raise UsageError(f"{assets} is not a folder", "--assets names the folder that holds models/ and datasets/")
    names = list(task_names) or tasks.available(assets)
    chosen = boards.get(board)
    return [
        Job(chosen, tasks.get(name, assets), engine, MODES[mode], samples, window_s, folder)
        for name in dict.fromkeys(names)
    ]
