"""Sessions of MLPerf Tiny's public runner: a folder each, with the logs that a submission holds as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tinympy.errors import UsageError
from tinympy.submission.benchmarks import Mode

FILES = ("log.txt", "results.txt", "results.json")
_MODES: dict[str, Mode] = {"a": "accuracy", "p": "performance", "e": "energy"}
_MODEL = re.compile(r"^Device model retrieved: (\w+)$", re.MULTILINE)
_HINT = "name a folder that the runner wrote under sessions/, with " + " ".join(FILES)


@dataclass(frozen=True)
class Session:
    """What the runner wrote in `folder`, of one task in one mode."""

    folder: Path
    task: str
    mode: Mode


def read(folder: Path) -> Session:
    """The session in `folder`.

    Raises:
        UsageError: there is none, or it did not come to its end.
    """
    try:
        model = _MODEL.search((folder / "log.txt").read_text(encoding="utf-8", errors="replace"))
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        (folder / "results.txt").read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} is no finished session of the runner: {error}", _HINT) from error
    except ValueError as error:
        raise UsageError(f"{folder / 'results.json'} is damaged: {error}", _HINT) from error
    rows = results if isinstance(results, list) else [results]
    modes = {row.get("mode") for row in rows if isinstance(row, dict)}
    mode = _MODES.get(str(modes.pop())) if len(modes) == 1 else None
    if model is None or mode is None:
        raise UsageError(f"{folder} does not say which model was run, or in which mode", _HINT)
    return Session(folder, model[1], mode)


def latest(folders: Iterable[Path]) -> dict[tuple[str, Mode], Session]:
    """The last of the sessions of each task and mode; a folder without a log is searched for those in it.

    Raises:
        UsageError: as `read` does, or there is none in a folder.
    """
    found: dict[tuple[str, Mode], Session] = {}
    for folder in folders:
        inside = [folder] if (folder / "log.txt").exists() else sorted(_finished(folder))
        if not inside:
            raise UsageError(f"there is no finished session in {folder}", _HINT)
        for each in inside:
            session = read(each)
            found[session.task, session.mode] = session
    return found


def _finished(folder: Path) -> list[Path]:
    return [log.parent for log in folder.glob("*/log.txt") if all((log.parent / name).exists() for name in FILES)]
