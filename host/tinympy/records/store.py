"""Records in files: a document is replaced as a whole and atomically, so that whatever ends a run, or the computer's
power, the last one that `write` returned for can be read. Nothing is ever taken away from one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinympy import __version__
from tinympy.errors import UsageError
from tinympy.records import decode, migration, schema
from tinympy.records.disk import Disk
from tinympy.records.document import VERSION, Quantisation, Record, Recording

DISK = Disk()

_WHAT = "records are the .json files that `tinympy bench` writes"
_HINT = f"{_WHAT}; one cut short cannot be repaired"


@dataclass(frozen=True)
class Migrated:
    """A record that was rewritten: where it is, its version before, and where the old document is kept."""

    path: Path
    version: int
    kept: Path


def create(record: Record, folder: Path) -> Path:
    """Stores a new record in `folder`, under a name that no file there has, and sets its `path`.

    The name is made of time, board, task and engine: 20261122T141136Z-unix-kws01-native.json.

    Raises:
        UsageError: the folder cannot be written to.
    """
    created = re.sub(r"[-:]", "", record.created)
    stem = "-".join(_slug(part) for part in (created, record.board.name, record.task.name, record.engine.name))
    content = _content(record)
    try:
        DISK.make_folder(folder)
        path = _store_new(folder, stem, content)
    except OSError as error:
        raise _unwritable(folder, error) from error
    record.path, record.written = path, _progress(record)
    return path


def write(record: Record) -> None:
    """Replaces the stored document by this one, atomically: a reader finds the old one or the new one, whole.

    Raises:
        UsageError: it cannot be written; the old document stays as it is.
    """
    assert record.path is not None, "create() comes first"
    windows, ended = record.written or ([], False)
    assert _windows(record)[: len(windows)] == windows, "a window that is stored stays as it is"
    assert not ended, "a run that has ended stays as it is"
    content = _content(record)
    try:
        _rewrite(record.path, content)
    except OSError as error:
        raise _unwritable(record.path, error) from error
    record.written = _progress(record)


def keep_recording(record: Record, content: bytes) -> Recording:
    """Stores the recording of a record's energy beside it, NAME-energy.bin, as safely as the record itself.

    Raises:
        UsageError: it cannot be written.
    """
    assert record.path is not None, "create() comes first"
    path = record.path.with_name(f"{record.path.stem}-energy.bin")
    try:
        _rewrite(path, content)
    except OSError as error:
        raise _unwritable(path, error) from error
    return Recording(path.name, hashlib.sha256(content).hexdigest())


def read_recording(record: Record) -> bytes | None:
    """What `keep_recording` stored; None where it is not there, or not what the record says."""
    recording = record.energy.recording if record.energy else None
    if recording is None or record.path is None or Path(recording.file).name != recording.file:
        return None
    try:
        content = record.path.with_name(recording.file).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == recording.sha256 else None


def read(path: Path) -> Record:
    """The record stored at `path`, of any version. Fields that this tinympy does not know are left out.

    Raises:
        UsageError: there is none, it is damaged, or it is of a later version.
    """
    found = _document(path)
    try:
        record = from_document(found)
    except (ValueError, OverflowError) as error:
        raise _damaged(path, error) from error
    record.path, record.written = path, _progress(record)
    return record


def from_document(found: migration.Document) -> Record:
    """The record that a document of today's version describes; it is not stored anywhere yet.

    Raises:
        ValueError, OverflowError: it does not fit the schema.
    """
    schema.check(found)
    record = decode.from_json(Record, found)
    assert isinstance(record, Record)
    return record


def read_quantisation(path: Path) -> Quantisation:
    """What the JSON object in a file states of a model's quantisation.

    Raises:
        UsageError: it cannot be read, a field is missing, wrong, or none of a statement.
    """
    names = [each.name for each in decode.stored(Quantisation)]
    hint = f"it is a JSON object with {', '.join(names)} (docs/rules.md)"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        stated = decode.from_json(Quantisation, found)
        if unknown := found.keys() - set(names):
            raise ValueError(f"there is no field {min(unknown)}")
        if not re.fullmatch("[0-9a-f]{64}", stated.source_sha256):
            raise ValueError(decode.wrong("source_sha256", stated.source_sha256))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}", hint) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} states no quantisation: {error}", hint) from error
    assert isinstance(stated, Quantisation)
    return stated


def to_document(record: Record) -> dict[str, Any]:
    """The record as the JSON document that `write` stores.

    Raises:
        ValueError: a value in it does not fit the schema.
    """
    made: dict[str, Any] = decode.to_json(record)
    schema.check(made)
    return made


def find(places: Sequence[Path]) -> list[Path]:
    """The files that `places` mean: of a folder every .json file in it, by name, of a file itself.

    Raises:
        UsageError: there is no such file or folder.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise UsageError(f"{place} does not exist", "name a record, or a folder that `tinympy bench` wrote to")
        found += sorted(place.glob("*.json")) if place.is_dir() else [place]
    return list(dict.fromkeys(found))


def migrate(path: Path) -> Migrated | None:
    """Rewrites an older record as one of today's version; the old document stays beside it. None: it is of today.

    Raises:
        UsageError: as read does, or it cannot be written.
    """
    try:
        old = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    record = read(path)
    if record.migrated_from is None or migration.version_of(json.loads(old)) == VERSION:
        return None
    kept = path.with_name(f"{path.name}.v{record.migrated_from}")
    try:
        if not kept.exists():
            _rewrite(kept, old)
        _rewrite(path, _content(record))
    except OSError as error:
        raise _unwritable(path, error) from error
    return Migrated(path, record.migrated_from, kept)


def _content(record: Record) -> bytes:
    return (json.dumps(to_document(record), indent=1, allow_nan=False) + "\n").encode()


def _progress(record: Record) -> tuple[list[Any], bool]:
    return _windows(record), record.status != "running"


def _windows(record: Record) -> list[Any]:
    return [decode.to_json(window) for window in record.windows]


def _document(path: Path) -> migration.Document:
    """The document at `path`, of today's version."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_not_a_number)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    version = migration.version_of(found)
    if version is None:
        name = found.get("schema") if isinstance(found, dict) else None
        raise UsageError(f"{path} is not a record: its schema is {name!r}", _HINT)
    if version > VERSION:
        raise UsageError(
            f"the record {path} is of version {version}",
            f"tinympy {__version__} reads up to {VERSION}: use a later one",
        )
    return migration.upgrade(found)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("._") or "_"


def _store_new(folder: Path, stem: str, content: bytes) -> Path:
    """Stores `content` under a new name. Whoever holds a name's claim is the only one who can make that name."""
    for counter in range(1, 10_000):
        path = folder / (f"{stem}.json" if counter == 1 else f"{stem}-{counter}.json")
        # Not the part of _rewrite, which the name's owner may be filling while others ask whether it is taken.
        claim = path.with_name(f".{path.name}.new")
        try:
            descriptor = DISK.open_new(claim)
        except FileExistsError:
            continue
        if path.exists():
            DISK.close(descriptor)
            DISK.remove(claim)
            continue
        _store(descriptor, claim, path, content)
        return path
    raise FileExistsError(f"every name like {stem}.json is taken")


def _rewrite(path: Path, content: bytes) -> None:
    """Makes `content` that of `path`, which nobody else writes: a part that is there is left of a crash."""
    part = path.with_name(f".{path.name}.part")
    DISK.remove(part)
    _store(DISK.open_new(part), part, path, content)


def _store(descriptor: int, part: Path, path: Path, content: bytes) -> None:
    """Fills the new file `part` and makes it `path`, in an order that leaves the old `path` or the new one, whole."""
    try:
        try:
            written = 0
            while written < len(content):
                written += DISK.write(descriptor, content[written:])
            DISK.sync(descriptor)
        finally:
            DISK.close(descriptor)
        DISK.replace(part, path)
    except BaseException:
        DISK.remove(part)
        raise
    DISK.sync_folder(path.parent)


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot read the record {path}: {error.strerror or error}", _WHAT)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write the record {path}: {error.strerror or error}", "choose another folder with --out")


def _damaged(path: Path, error: Exception) -> UsageError:
    return UsageError(f"the record {path} is damaged: {error}", _HINT)


def _not_a_number(name: str) -> float:
    raise ValueError(f"it holds {name}")
