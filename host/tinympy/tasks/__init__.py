"""The tasks by name, in the order in which `tinympy bench` runs them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tinympy.errors import UsageError
from tinympy.tasks.ad01 import Ad01
from tinympy.tasks.base import Accuracy, FileFormat, Hearing, OfficialTask, Sample, Task, Weights, dataset_sha256
from tinympy.tasks.digits import Digits
from tinympy.tasks.ic01 import Ic01
from tinympy.tasks.ic02 import Ic02
from tinympy.tasks.kws01 import Kws01
from tinympy.tasks.latency_only import LatencyOnly
from tinympy.tasks.model_file import ModelFile
from tinympy.tasks.sww01 import Sww01
from tinympy.tasks.vww01 import Vww01

__all__ = [
    "TASKS",
    "Accuracy",
    "FileFormat",
    "Hearing",
    "LatencyOnly",
    "ModelFile",
    "OfficialTask",
    "Sample",
    "Task",
    "Weights",
    "available",
    "dataset_sha256",
    "get",
    "hearing",
]

TASKS: dict[str, type[Task]] = {task.name: task for task in (Digits, Kws01, Vww01, Ic01, Ic02, Ad01, Sww01)}


def get(name: str, folder: Path | None = None) -> Task:
    """The task called `name`, which looks for its files in the assets folder `folder` first.

    Raises:
        UsageError: there is no such task.
    """
    if name not in TASKS:
        raise UsageError(f"there is no task {name}", f"the tasks are {' '.join(TASKS)}")
    return TASKS[name](folder)


def available(folder: Path | None = None) -> list[str]:
    """The names of the tasks whose files are all on this computer (present, not yet verified)."""
    return [name for name in TASKS if not get(name, folder).missing()]


def hearing(task: Task) -> Hearing | None:
    """How the task listens, or, where it is an official model's file, how the task of that model does."""
    if task.hearing is not None:
        return task.hearing
    sha256 = hashlib.sha256(task.model()).hexdigest()
    return next((each.hearing for each in map(get, TASKS) if each.model_sha256 == sha256), None)
