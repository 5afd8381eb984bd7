"""records: what is stored is what is read, whole at every moment, and damage is told from absence."""

import dataclasses
import errno
import json
import os
import stat
import string
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import example_records
from tinympy import records
from tinympy.errors import UsageError
from tinympy.records import Record

DETECTIONS = dataclasses.asdict(example_records.detections(2, 1, 0))


def stored(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def example(**changes: Any) -> Record:
    return example_records.record(latencies_us=[2311.0, 2312.5], accuracy=example_records.accuracy(), **changes)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        Record,
        path=st.none(),
        created=st.just("2026-11-22T14:11:36Z"),
        schema=st.just(records.SCHEMA),
        board=st.builds(records.Board, ticks_step_us=st.integers(), temperature_c=st.none() | FINITE),
        options=st.none() | st.builds(records.Options, window_s=FINITE, samples=st.none() | st.integers()),
        rules=st.none() | st.builds(records.Rules, findings=st.lists(st.builds(records.Finding))),
        accuracy=st.none()
        | st.builds(
            records.Accuracy,
            value=FINITE,
            samples_per_s=FINITE,
            wall_s=FINITE,
            detail=st.none() | st.dictionaries(st.text(), st.integers()),
        ),
        task=st.builds(records.Task, target=st.none() | st.floats(0, 1)),
    )
)
def test_record_read_is_the_record_written(tmp_path_factory: pytest.TempPathFactory, record: Record) -> None:
    folder = tmp_path_factory.mktemp("records")
    assert records.read(records.create(record, folder)) == record


def test_name_tells_time_board_task_and_engine(tmp_path: Path) -> None:
    path = records.create(example(), tmp_path / "new" / "folder")
    assert path == tmp_path / "new/folder/20261122T141136Z-unix-kws01-native.json"


@given(st.text(string.printable, max_size=30))
def test_name_of_any_task_is_one_harmless_file_name(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("records")
    record = example(task=records.Task(name, "", False))
    assert records.create(record, folder).parent == folder
    assert records.read(folder / stored(folder)[0]).task.name == name


def test_runs_of_the_same_second_never_overwrite_each_other(tmp_path: Path) -> None:
    first, second, third = (records.create(example(), tmp_path) for _ in range(3))
    assert [path.name.removeprefix("20261122T141136Z-unix-kws01-") for path in (first, second, third)] == [
        "native.json",
        "native-2.json",
        "native-3.json",
    ]


def test_runs_of_the_same_second_write_while_others_look_for_a_name(tmp_path: Path) -> None:
    def run(_: int) -> Path:
        record = example(status="running")
        path = records.create(record, tmp_path)
        for _ in range(10):
            records.write(record)
        return path

    with ThreadPoolExecutor(16) as pool:
        paths = list(pool.map(run, range(48)))
    assert stored(tmp_path) == sorted(path.name for path in paths)
    assert len(set(paths)) == 48


def test_each_write_replaces_the_document_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    record = example(status="running")
    path = records.create(record, tmp_path)
    record.windows.append(records.Window(5000, 10, 11_560_000, 2, records.now()))
    records.write(record)
    assert len(records.read(path).windows) == 3
    assert stored(tmp_path) == [path.name]


def test_crash_before_the_new_document_is_complete_leaves_the_old_one(tmp_path: Path) -> None:
    path = records.create(example(status="running"), tmp_path)
    before = path.read_text()
    dying = (
        "import os, pathlib, sys\n"
        "from tinympy import records\n"
        "record = records.read(pathlib.Path(sys.argv[1]))\n"
        "record.status = 'failed'\n"
        "os.fsync = lambda descriptor: os._exit(9)\n"
        "records.write(record)\n"
    )
    assert subprocess.run([sys.executable, "-c", dying, str(path)], check=False).returncode == 9
    assert path.read_text() == before
    assert records.read(path).status == "running"


def test_failed_write_keeps_the_old_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = example(status="running")
    path = records.create(record, tmp_path)
    record.status = "failed"

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(UsageError, match="No space left on device"):
        records.write(record)
    assert records.read(path).status == "running"
    assert stored(tmp_path) == [path.name]


def test_file_system_that_does_not_sync_folders_keeps_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    assert records.read(records.create(example(), tmp_path / "new")) == example()


def test_folder_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError) as caught:
        records.create(example(), tmp_path / "file")
    assert "--out" in caught.value.hint


def test_new_record_describes_this_computer() -> None:
    record = Record.begin(
        "all",
        example_records.UNIX,
        records.Engine("python"),
        example_records.DIGITS,
        records.Model("m.tflite", "", 0),
    )
    assert record.status == "running" and record.valid
    assert record.host.python == sys.version.split()[0]
    assert record.host.cpu


def test_first_reason_for_being_invalid_stays() -> None:
    record = example()
    record.invalidate("outputs changed")
    record.invalidate("clock changed")
    assert (record.valid, record.invalid_reason) == (False, "outputs changed")


def test_absent_record_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the record .*No such file"):
        records.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged"),
        (b'{"schema": "tinympy-rec', "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b"[]", "its schema is None"),
        (b'{"schema": "tinympy-record/2"}', "its schema is 'tinympy-record/2'"),
        (b'{"schema": "tinympy-record/1"}', "created is missing"),
        (b'{"schema": "tinympy-record", "schema_version": 1}', "created is missing"),
        (b'{"schema": "tinympy-record", "schema_version": 2}', "is of version 2"),
        (b'{"schema": "tinympy-record", "schema_version": true}', "its schema is 'tinympy-record'"),
    ],
)
def test_what_is_no_record_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        records.read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"windows": [{"n": 1, "warmup": 0, "elapsed_us": "5", "input_index": 0, "started": ""}]},
            r"windows\[0\].elap",
        ),
        ({"windows": {}}, "windows is"),
        ({"board": None}, "board is 'None'"),
        ({"status": "fine"}, "status is 'fine'"),
        ({"valid": 1}, "valid is '1'"),
        ({"accuracy": {"metric": "top1"}}, "accuracy.value is missing"),
        (
            {"accuracy": {**DETECTIONS, "detail": {"false_positives": 0.5}}},
            r"accuracy\.detail\.false_positives is '0.5'",
        ),
        ({"accuracy": {**DETECTIONS, "detail": [1]}}, "accuracy.detail is"),
        ({"memory": {"arena_bytes": 1.5}}, "memory.arena_bytes"),
        ({"task": {"name": "t", "title": "", "official": True, "target": float("nan")}}, "holds NaN"),
        ({"task": {"name": "t", "title": "", "official": True, "target": 10**400}}, "is damaged"),
    ],
)
def test_field_of_the_wrong_kind_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = records.create(example(), tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UsageError, match=message):
        records.read(path)


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    record = example()
    path = records.create(record, tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "sound": {"level_db": 1.0}}))
    assert records.read(path) == record


def test_a_record_of_before_weights_were_told_is_readable(tmp_path: Path) -> None:
    path = records.create(example(), tmp_path)
    document = json.loads(path.read_text())
    del document["model"]["weights"]
    path.write_text(json.dumps(document))
    assert records.read(path).model.weights is None


def test_stored_windows_and_ended_runs_stay_as_they_are(tmp_path: Path) -> None:
    record = example(status="running")
    records.create(record, tmp_path)
    record.windows[0].elapsed_us += 1
    with pytest.raises(AssertionError, match="a window that is stored"):
        records.write(record)
    record.windows[0].elapsed_us -= 1
    record.status = "complete"
    records.write(record)
    with pytest.raises(AssertionError, match="a run that has ended"):
        records.write(record)


def test_what_does_not_fit_the_schema_is_not_written(tmp_path: Path) -> None:
    record = example(status="running")
    path = records.create(record, tmp_path)
    record.created = "yesterday"
    with pytest.raises(ValueError, match="created is 'yesterday'"):
        records.write(record)
    assert records.read(path).created == "2026-11-22T14:11:36Z"


def test_claim_left_by_a_crash_is_no_record_and_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".20261122T141136Z-unix-kws01-native.json.new").write_text("{")
    path = records.create(example(), tmp_path)
    assert path.name == "20261122T141136Z-unix-kws01-native-2.json"
    assert records.find([tmp_path]) == [path]


def test_find_takes_files_as_they_are_and_folders_for_what_is_in_them(tmp_path: Path) -> None:
    first, second = records.create(example(), tmp_path), records.create(example(), tmp_path)
    (tmp_path / "notes.txt").write_text("")
    assert set(records.find([tmp_path, first])) == {first, second}
    assert records.find([tmp_path / "notes.txt"]) == [tmp_path / "notes.txt"]
    with pytest.raises(UsageError, match="does not exist"):
        records.find([tmp_path / "none"])


@given(data=st.data())
def test_any_truncation_or_flipped_byte_is_read_or_refused_cleanly(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = records.create(example(), tmp_path_factory.mktemp("records"))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        records.read(path)
    except UsageError as error:
        assert str(path) in error.message
