"""A real run's record: cut off at every write, listed, shown and migrated."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tinympy import boards, records, session, tasks
from tinympy.plan import Job
from tinympy.records import Record, store

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "unit"))
from power_cut import CuttableDisk  # noqa: E402

GOLDEN = ROOT / "tests" / "unit" / "golden_records"


def tinympy(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "tinympy", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert finished.returncode == code, finished.stderr
    return finished.stdout if code == 0 else finished.stderr


class Watched(CuttableDisk):
    """A disk that looks, before each of its operations, at what a power cut would leave of the run."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.stored: list[tuple[int, bool]] = [(0, False)]
        self.states = 0

    def _begin(self, operation: str) -> None:
        super()._begin(operation)
        self.look()

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        [there] = self._readable(next(self.after_the_cut()))
        self.stored.append((len(there.windows), there.accuracy is not None))

    def look(self) -> None:
        """Windows and accuracy that were stored are there, whatever else is."""
        windows, accuracy = self.stored[-1]
        for files in self.after_the_cut():
            self.states += 1
            found = self._readable(files)
            if len(self.stored) > 1:
                [record] = found
                assert windows <= len(record.windows) <= windows + 1
                assert record.accuracy is not None or not accuracy

    def _readable(self, files: dict[str, bytes]) -> list[Record]:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        return [records.read(path) for path in records.find([self.folder])]


def test_power_may_be_cut_at_every_operation_of_a_real_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Watched(tmp_path / "after")
    monkeypatch.setattr(store, "DISK", disk)
    job = Job(
        boards.get("unix"),
        tasks.get("digits"),
        "native",
        ("accuracy", "performance"),
        samples=20,
        window_s=0.01,
        folder=tmp_path / "results",
    )
    record = session.run(job, lambda record: None, lambda what, done, total: None)
    disk.look()
    assert [windows for windows, _ in disk.stored if windows] == [1, 2, 3, 4, 5, 5]
    assert disk.operations.count("replace") >= 8 and disk.states > 200
    assert record.calibration and all(window.heap_free_bytes for window in record.windows)
    assert record.board.ticks_step_us and record.options == records.Options(0.01, 20)
    assert record.rules is not None and [found.rule for found in record.rules.findings] == ["whole-set"]


def test_records_are_listed_with_what_cannot_be_read(tmp_path: Path) -> None:
    for path in GOLDEN.glob("v*/*.json"):
        shutil.copy(path, tmp_path / f"{path.parent.name}-{path.name}")
    (tmp_path / "broken.json").write_text("{")
    found = json.loads(tinympy("records", "list", str(tmp_path), "--json"))
    by_name = {Path(each["record"]).name: each for each in found}
    assert by_name["v0-digits.json"]["schema_version"] == 0 and by_name["v1-digits.json"]["schema_version"] == 1
    assert "is damaged" in by_name["broken.json"]["problem"]
    assert by_name["v0-failed.json"]["invalid_reason"] == "the run failed: the board disappeared"
    table = " ".join(tinympy("records", "list", str(tmp_path)).split())
    assert "98.6 %" in table and "emulated" in table and "damaged" in table


def test_record_is_shown_as_bench_shows_it_and_whole_as_json() -> None:
    path = str(GOLDEN / "v0" / "kws01.json")
    shown = tinympy("records", "show", path)
    assert "90.1 %" in shown and "MLPerf Tiny rules, unverified" in shown
    [document] = json.loads(tinympy("records", "show", path, "--json"))
    assert document["schema_version"] == records.VERSION and len(document["windows"]) == 5


def test_old_record_is_migrated_once(tmp_path: Path) -> None:
    path = tmp_path / "kws01.json"
    shutil.copy(GOLDEN / "v0" / "kws01.json", path)
    assert "version 0 to 1" in tinympy("records", "migrate", str(tmp_path))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["kws01.json", "kws01.json.v0"]
    assert "is of version 1" in tinympy("records", "migrate", str(tmp_path))


def test_what_is_no_record_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    for command in ("show", "migrate"):
        for name in ("x.json", "empty", "absent"):
            lines = tinympy("records", command, str(tmp_path / name), code=2).strip().splitlines()
            assert [line.split(":")[0] for line in lines] == ["error", "hint"]


def test_warm_up_is_as_asked_for(tmp_path: Path) -> None:
    options = ["--task", "digits", "--mode", "performance", "--window", "0.05", "--warmup", "3"]
    [result] = json.loads(tinympy("bench", *options, "--json", "--out", str(tmp_path)))
    assert {window.warmup for window in records.read(Path(result["record"])).windows} == {3}
