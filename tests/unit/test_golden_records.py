"""Records of every version stay readable: golden files that real runs wrote, and what they say, as it was then.

A file is never changed; a version that is added gets a folder beside the others.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinympy import records, statistics
from tinympy.errors import UsageError
from tinympy.records import migration

GOLDEN = Path(__file__).parent / "golden_records"
FILES = sorted(GOLDEN.glob("v*/*.json"))

# Task, status, accuracy, microseconds of each window, and why it is invalid.
SAY = json.loads((GOLDEN / "say.json").read_text())


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def said(record: records.Record) -> list[object]:
    accuracy = record.accuracy and [record.accuracy.metric, record.accuracy.value, record.accuracy.n]
    times_us = [window.elapsed_us for window in record.windows]
    return [record.task.name, record.status, accuracy, times_us, statistics.invalid_reason(record)]


def test_every_version_has_golden_files_of_all_kinds() -> None:
    assert {name(path) for path in FILES} == set(SAY)
    for version in range(records.VERSION + 1):
        folder = [records.read(path) for path in FILES if path.parent.name == f"v{version}"]
        assert {record.status for record in folder} == {"complete", "interrupted", "failed", "running"}
        assert {record.board.emulated for record in folder} == {False, True}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_golden_record_says_what_it_said(path: Path) -> None:
    assert said(records.read(path)) == SAY[name(path)]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_golden_record_is_summed_up_and_warned_about(path: Path) -> None:
    record = records.read(path)
    assert statistics.summary(record)["task"] == record.task.name
    assert all(str(notice) for notice in statistics.warnings(record))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_version_is_told_from_the_document(path: Path) -> None:
    assert migration.version_of(json.loads(path.read_text())) == int(path.parent.name[1:])


@pytest.mark.parametrize("path", FILES, ids=name)
def test_migration_keeps_the_old_document_and_loses_nothing(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    version = int(path.parent.name[1:])
    before = records.read(copy)
    done = records.migrate(copy)
    if version == records.VERSION:
        assert done is None and copy.read_bytes() == path.read_bytes()
        return
    assert done is not None and done.version == version
    assert done.kept.read_bytes() == path.read_bytes()
    assert records.read(copy) == before and before.migrated_from == version
    assert json.loads(copy.read_text())["schema_version"] == records.VERSION
    assert records.find([tmp_path]) == [copy]
    assert records.migrate(copy) is None


def test_migration_of_what_is_no_record_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UsageError, match="is not a record"):
        records.migrate(tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
