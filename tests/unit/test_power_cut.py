"""records at a power cut: whenever it comes, the last window that was stored is there, and all before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import example_records
from power_cut import CuttableDisk, PowerCut
from tinympy import records
from tinympy.records import Record, store

LATENCIES_US = [2311.0, 2312.0, 2310.0, 2313.0, 2311.0]


def run(folder: Path, stored: Callable[[Record], None]) -> None:
    """What a session does with its record: every write of a run, `stored` after each of them."""
    record = example_records.record(status="running")
    records.create(record, folder)
    stored(record)
    record.progress = records.Progress(500, 1000, 450)
    records.write(record)
    stored(record)
    record.progress, record.accuracy = None, example_records.accuracy()
    records.write(record)
    stored(record)
    for window in example_records.record(latencies_us=LATENCIES_US).windows:
        record.windows.append(window)
        records.write(record)
        stored(record)
    record.status = "complete"
    records.write(record)
    stored(record)


@dataclasses.dataclass
class Cut:
    """One run that a power cut ended: what had been stored by then, what was being stored, and what may be left."""

    operation: str
    stored: Record | None
    next: Record | None
    left: list[dict[str, bytes]]


def snapshot(record: Record) -> Record:
    return dataclasses.replace(record, windows=list(record.windows))


def whole_run(monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[CuttableDisk, list[Record]]:
    disk, states = CuttableDisk(), list[Record]()
    monkeypatch.setattr(store, "DISK", disk)
    run(folder, lambda record: states.append(snapshot(record)))
    return disk, states


def cuts(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Cut]:
    """A run for every operation of the disk, and, where that is a write, two."""
    whole, states = whole_run(monkeypatch, folder / "whole")
    for at in range(len(whole.operations)):
        for half in (False, True) if whole.operations[at] == "write" else (False,):
            disk, seen = CuttableDisk(cut_at=at, half=half), list[Record]()
            monkeypatch.setattr(store, "DISK", disk)
            with pytest.raises(PowerCut):
                run(folder / f"{at}{half}", lambda record, seen=seen: seen.append(snapshot(record)))
            yield Cut(
                disk.operations[at],
                seen[-1] if seen else None,
                states[len(seen)] if len(seen) < len(states) else None,
                list(disk.after_the_cut()),
            )


def found(folder: Path, files: dict[str, bytes]) -> list[Record]:
    """The records that a later command finds among `files`."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [records.read(path) for path in records.find([folder])]


def test_record_on_disk_is_always_that_of_the_last_complete_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = 0
    operations = set()
    for cut in cuts(monkeypatch, tmp_path / "runs"):
        operations.add(cut.operation)
        for files in cut.left:
            there = found(tmp_path / "left", files)
            # Nothing but what was stored, or what was about to be; before the first write ended, perhaps nothing.
            assert there in ([cut.stored] if cut.stored else [], [cut.next]), cut.operation
            states += 1
    assert operations == {"open_new", "write", "sync", "close", "replace", "sync_folder", "remove"}
    assert states > 500


def test_every_write_of_a_run_is_synced_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, states = whole_run(monkeypatch, tmp_path)
    assert disk.operations.count("sync") == disk.operations.count("replace") == len(states)
    assert next(disk.after_the_cut()).keys() == {path.name for path in records.find([tmp_path])}


@pytest.mark.parametrize("forgotten", ["sync", "sync_folder"])
def test_without_a_sync_the_cut_is_seen_to_lose_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    monkeypatch.setattr(CuttableDisk, forgotten, lambda self, what: self._begin(forgotten))
    with pytest.raises((AssertionError, records.store.UsageError)):
        test_record_on_disk_is_always_that_of_the_last_complete_window(tmp_path, monkeypatch)


def test_run_after_a_cut_takes_another_name_and_leaves_the_old_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(12):
        folder = tmp_path / str(at)
        monkeypatch.setattr(store, "DISK", CuttableDisk(cut_at=at))
        with pytest.raises(PowerCut):
            run(folder, lambda record: None)
        before = {path: path.read_bytes() for path in records.find([folder])}
        monkeypatch.undo()
        run(folder, lambda record: None)
        after = records.find([folder])
        assert len(after) == len(before) + 1
        assert all(path.read_bytes() == content for path, content in before.items())
