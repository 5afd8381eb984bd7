"""One JSON document per run: what was measured, raw, and everything needed to repeat it.

The document is rewritten after every window and every batch of samples, each time as a whole and atomically, so that
whatever ends a run, what it measured until then can be read.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform as python_platform
import re
import types
import typing
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from tinympy import __version__
from tinympy.errors import UsageError

SCHEMA = "tinympy-record/1"

INPUT_REUSED = "input reused: timed inferences run on what those before left in its place"
SHARED = "{} boards at once on this computer: they took each other's time"

Status = Literal["running", "complete", "interrupted", "failed"]


@dataclass
class Host:
    """The computer that drove the run."""

    platform: str
    python: str
    cpu: str

    @classmethod
    def here(cls) -> Host:
        return cls(python_platform.platform(), python_platform.python_version(), _cpu())


@dataclass
class Board:
    """The device under test; `mpy` is its `.mpy` version and architecture as the firmware states them."""

    name: str
    port: str
    firmware: str
    mpy: str
    arch: str
    clock_hz: int | None
    emulated: bool


@dataclass
class Engine:
    """What executed the program; `build_sha256` is that of the native module, None for engines without one."""

    name: str
    build_sha256: str | None = None


@dataclass
class Task:
    """`official`: model and data are those that MLPerf Tiny defines, with `target` as its quality target."""

    name: str
    title: str
    official: bool
    target: float | None = None


@dataclass
class Model:
    """`weights`: of a network of MLPerf Tiny, whether they are the official ones; generated ones have no accuracy.

    macs: multiply-accumulates of an inference, padded taps included.
    """

    file: str
    sha256: str
    size_bytes: int
    weights: Literal["official", "generated"] | None = None
    macs: int | None = None


@dataclass
class DataSet:
    """The inputs used, `n` of `full_n` as the accuracy counts; `sha256` is that of their files joined in order."""

    sha256: str
    n: int
    full_n: int


@dataclass
class Program:
    """What the compiler made of the model for this engine and architecture.

    input_reused: an inference overwrites its input.
    """

    sha256: str
    size_bytes: int
    arena_bytes: int
    operations: int | None = None
    input_reused: bool = False


@dataclass
class Memory:
    """Bytes on the board; None where not measured. Of the program, `flash_bytes` are read in flash, the rest in RAM."""

    arena_bytes: int | None = None
    program_bytes: int | None = None
    module_bytes: int | None = None
    heap_free_bytes: int | None = None
    flash_bytes: int | None = None


@dataclass
class Window:
    """`n` inferences of one input, timed together by the board after `warmup` untimed ones; `started` is UTC."""

    n: int
    warmup: int
    elapsed_us: int
    input_index: int
    started: str


@dataclass
class Progress:
    """An accuracy run so far: samples done, samples to do, and (top-1 only) how many were right."""

    done: int
    of: int
    correct: int | None = None


@dataclass
class Accuracy:
    """`wall_s` is the whole accuracy run on the host's clock: deployment, transfer and inference.

    `n` is how many things (samples, or wake words) `value` is over; `detail` holds counts behind it, where it has any.
    """

    metric: str
    value: float
    n: int
    outputs_sha256: str
    samples_per_s: float
    wall_s: float
    detail: dict[str, int] | None = None


@dataclass
class Record:
    """One run of one task on one board. `path` is where it is stored and no part of the document.

    `parallel` is how many boards were measured at the same time.
    """

    created: str
    tinympy: str
    mode: str
    host: Host
    board: Board
    engine: Engine
    task: Task
    model: Model
    schema: str = SCHEMA
    data_set: DataSet | None = None
    program: Program | None = None
    memory: Memory = field(default_factory=Memory)
    windows: list[Window] = field(default_factory=list)
    accuracy: Accuracy | None = None
    progress: Progress | None = None
    parallel: int = 1
    status: Status = "running"
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    valid: bool = True
    invalid_reason: str | None = None
    path: Path | None = field(default=None, compare=False, metadata={"stored": False})

    @classmethod
    def begin(cls, mode: str, board: Board, engine: Engine, task: Task, model: Model) -> Record:
        """A record that starts now, on this computer, with this tinympy."""
        return cls(now(), __version__, mode, Host.here(), board, engine, task, model)

    def invalidate(self, reason: str) -> None:
        """Marks the result as invalid; the first reason stays."""
        self.valid = False
        self.invalid_reason = self.invalid_reason or reason


def now() -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(record: Record, folder: Path) -> Path:
    """Stores a new record in `folder`, under a name that no file there has, and sets its `path`.

    The name is made of time, board, task and engine: 20261122T141136Z-unix-kws01-native.json.

    Raises:
        UsageError: the folder cannot be written to.
    """
    created = re.sub(r"[-:]", "", record.created)
    stem = "-".join(_slug(part) for part in (created, record.board.name, record.task.name, record.engine.name))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        record.path = _claim(folder, stem)
    except OSError as error:
        raise _unwritable(folder, error) from error
    write(record)
    return record.path


def write(record: Record) -> None:
    """Replaces the stored document by this one, atomically: a reader finds the old one or the new one, whole.

    Raises:
        UsageError: it cannot be written; the old document stays as it is.
    """
    assert record.path is not None, "create() comes first"
    text = json.dumps(_to_json(record), indent=1, allow_nan=False) + "\n"
    try:
        temporary = record.path.with_name(f".{record.path.stem}.{os.getpid()}.part")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(record.path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(record.path, error) from error


def read(path: Path) -> Record:
    """The record stored at `path`. Fields that this version does not know are left out.

    Raises:
        UsageError: there is none, it is damaged, or it is of another schema.
    """
    hint = "records are the .json files that `tinympy bench` writes; one cut short cannot be repaired"
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_not_a_number)
    except OSError as error:
        raise UsageError(f"cannot read the record {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the record {path} is damaged: {error}", hint) from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        known = f"this tinympy ({__version__}) reads {SCHEMA}"
        raise UsageError(f"{path} is not a record: its schema is {schema!r}", f"{known}; {hint}")
    try:
        record = _from_json(Record, document, "")
    except (ValueError, OverflowError) as error:
        raise UsageError(f"the record {path} is damaged: {error}", hint) from error
    assert isinstance(record, Record)
    record.path = path
    return record


def _cpu() -> str:
    try:
        information = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        information = ""
    match = re.search(r"^model name\s*:\s*(.+)$", information, re.MULTILINE)
    return match[1].strip() if match else python_platform.processor() or python_platform.machine()


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("._") or "_"


def _claim(folder: Path, stem: str) -> Path:
    """Creates an empty file of a new name; creating exclusively keeps two runs of the same second apart."""
    for counter in range(1, 10_000):
        path = folder / (f"{stem}.json" if counter == 1 else f"{stem}-{counter}.json")
        try:
            path.open("x").close()
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"every name like {stem}.json is taken")


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write the record {path}: {error.strerror or error}", "choose another folder with --out")


def _not_a_number(name: str) -> float:
    raise ValueError(f"it holds {name}")


def _stored(kind: type[Any]) -> list[dataclasses.Field[Any]]:
    return [each for each in dataclasses.fields(kind) if each.metadata.get("stored", True)]


def _to_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _to_json(getattr(value, each.name)) for each in _stored(type(value))}
    return [_to_json(each) for each in value] if isinstance(value, list) else value


def _from_json(kind: Any, value: Any, where: str) -> Any:
    """`value` as `kind` (dataclass, list, dict, union, literal or scalar); ValueError says where it does not fit."""
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_from_json(kind, value, where)
    if origin is list and isinstance(value, list):
        return [_from_json(options[0], each, f"{where}[{index}]") for index, each in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {name: _from_json(options[1], each, f"{where}.{name}") for name, each in value.items()}
    if origin in (types.UnionType, typing.Union):  # a union with a Literal in it is the old kind
        return None if value is None else _from_json(options[0], value, where)
    if origin is Literal and value in options:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    raise ValueError(f"{where or 'the document'} is {str(value)[:40]!r}")


def _dataclass_from_json(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where or 'the document'} is {str(value)[:40]!r}, not an object")
    hints = typing.get_type_hints(kind)
    arguments = {}
    for each in _stored(kind):
        place = f"{where}.{each.name}" if where else each.name
        if each.name in value:
            arguments[each.name] = _from_json(hints[each.name], value[each.name], place)
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise ValueError(f"{place} is missing")
    return kind(**arguments)
