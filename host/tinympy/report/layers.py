"""What `tinympy profile --json` wrote, read back for reports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

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
        raise UsageError(f"cannot read the profile {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the profile {path} is damaged: {error}", hint) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path} is not a profile that this tinympy reads", f"it reads {SCHEMA}; {hint}")
    try:
        layers = tuple(
            Layer(**{name: each[name] for name in Layer.__dataclass_fields__}) for each in document["layers"]
        )
        return Layers(layers=layers, **{name: document[name] for name in _scalars()})
    except (KeyError, TypeError) as error:
        raise UsageError(f"the profile {path} is damaged: {error} is missing or wrong", hint) from error


def _scalars() -> list[str]:
    return [name for name in Layers.__dataclass_fields__ if name != "layers"]
