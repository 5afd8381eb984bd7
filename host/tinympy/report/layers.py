"""What `tinympy profile --json` wrote, read back for reports."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinympy.errors import UsageError
from tinympy.records import Record

SCHEMA = "tinympy-profile/1"


@dataclass(frozen=True)
class Layer:
    """One operator: the median and the range of its windows in microseconds, its share of the layers' sum (0…1)."""

    operator: int
    name: str
    output_shape: str
    time_us: float
    min_us: float
    max_us: float
    share: float
    macs: int
    bytes_read: int


@dataclass(frozen=True)
class Layers:
    """The layers of one model on one board, and the whole inference beside their sum, in microseconds."""

    task: str
    model: str
    model_sha256: str
    engine: str
    board: str
    emulated: bool
    clock_hz: int | None
    caveat: str | None
    windows: int
    sum_us: float
    whole_us: float
    layers: tuple[Layer, ...]

    def belongs_to(self, record: Record) -> bool:
        """Whether it is of the same model on the same kind of board, at the same clock."""
        board = record.board
        return (self.task, self.model_sha256, self.engine, self.board, self.emulated, self.clock_hz) == (
            record.task.name,
            record.model.sha256,
            record.engine.name,
            board.name,
            board.emulated,
            board.clock_hz,
        )


def is_profile(schema: str) -> bool:
    return schema.startswith("tinympy-profile/")


def read(path: Path) -> Layers:
    """The profile stored at `path`.

    Raises:
        UsageError: it cannot be read, is damaged, or is of another schema.
    """
    hint = "profiles are what `tinympy profile --json` prints"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the profile {path}: {error.strerror or error}", hint) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the profile {path} is damaged: {error}", hint) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path} is not a profile that this tinympy reads", f"it reads {SCHEMA}; {hint}")
    try:
        layers = tuple(Layer(**_checked(Layer, each)) for each in document["layers"])
        return Layers(layers=layers, **_checked(Layers, document))
    except (KeyError, TypeError) as error:
        raise UsageError(f"the profile {path} is damaged: {error} is missing or wrong", hint) from error


def _checked(kind: type[Any], document: dict[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass but for `layers`; KeyError or TypeError names one that is not as it is declared."""
    hints = typing.get_type_hints(kind)
    found = {}
    for name in (each for each in hints if each != "layers"):
        value, wanted = document[name], hints[name]
        if wanted is float and type(value) is int:
            value = float(value)
        if isinstance(value, bool) != (wanted is bool) or not isinstance(value, wanted):
            raise TypeError(repr(name))
        found[name] = value
    return found
