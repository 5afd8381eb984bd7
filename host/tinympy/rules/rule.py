"""What a rule is: a sentence, where it is from, what a breach of it means, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinympy.records import Level, Record
from tinympy.rules.versions import Version


@dataclass(frozen=True)
class Case:
    """A run that is judged, under one version of the rules."""

    record: Record
    version: Version


@dataclass(frozen=True)
class Breach:
    """How a run breaks a rule, and what to do about it with the options it had."""

    message: str
    hint: str = ""


@dataclass(frozen=True)
class Rule:
    """`check` is None of a run that follows it. `everywhere`: it holds for tasks besides those of MLPerf Tiny too."""

    name: str
    text: str
    source: str
    level: Level
    check: Callable[[Case], Breach | None]
    everywhere: bool = False
