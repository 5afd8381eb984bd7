"""Several boards in one run, as a user starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinympy import records
from tinympy.boards.unix import UnixBoard

COMMAND = [sys.executable, "-m", "tinympy", "bench", "--task", "digits"]
BOARDS = 16


class Running:
    """`tinympy bench` on several boards, waited for until each of them has `windows` windows."""

    def __init__(self, folder: Path, boards: int, windows: int) -> None:
        self.folder = folder
        arguments = ["--board", f"unix:{boards}", "--mode", "performance", "--window", "1", "--out", str(folder)]
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline_s = time.monotonic() + 60
        while len(found := self.records()) < boards or min(len(each.windows) for each in found) < windows:
            assert time.monotonic() < deadline_s and self.process.poll() is None
            time.sleep(0.05)

    def records(self) -> list[records.Record]:
        return [records.read(path) for path in self.folder.glob("*.json") if path.stat().st_size]

    def interpreters(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(child) for path in children for child in path.read_text().split()]

    def end(self) -> tuple[int, str, str]:
        shown, errors = self.process.communicate(timeout=60)
        return self.process.returncode, shown, errors


def test_sixteen_boards_give_sixteen_right_records(tmp_path: Path) -> None:
    arguments = ["--json", "--window", "0.1", "--board"]
    results = []
    for name in ("unix", f"unix:{BOARDS}"):
        finished = subprocess.run(
            [*COMMAND, *arguments, name, "--out", str(tmp_path / name)], capture_output=True, text=True, timeout=120
        )
        assert finished.returncode == 0, finished.stderr
        results.append(json.loads(finished.stdout))
    [one], many = results
    assert len(many) == len(list((tmp_path / f"unix:{BOARDS}").glob("*.json"))) == BOARDS
    assert one["parallel"] == 1 and not any("at once" in warning for warning in one["warnings"])
    for result in many:
        assert result["accuracy"] == one["accuracy"] and result["valid"] is True
        assert len(result["latency_ms"]["windows"]) == 5
        assert result["parallel"] == BOARDS
        assert any("16 boards at once on this computer" in warning for warning in result["warnings"])
    ports = {records.read(Path(result["record"])).board.port for result in many}
    assert len(ports) == BOARDS


def test_a_board_that_dies_does_not_disturb_the_others(tmp_path: Path) -> None:
    running = Running(tmp_path, boards=3, windows=1)
    os.kill(running.interpreters()[0], signal.SIGKILL)
    code, shown, errors = running.end()
    assert code == 4
    error, hint = errors.strip().splitlines()
    assert "1 of 3 boards failed: unix:" in error and "disappeared" in error and hint.startswith("hint: ")
    ended = sorted(running.records(), key=lambda each: each.status)
    assert [each.status for each in ended] == ["complete", "complete", "failed"]
    assert [len(each.windows) for each in ended[:2]] == [5, 5] and 1 <= len(ended[2].windows) < 5
    assert len(re.findall(r"digits +unix pts/\d", shown)) == 3 and "on 3 boards" not in errors


def test_every_port_is_a_board_of_its_own(tmp_path: Path) -> None:
    with UnixBoard() as one, UnixBoard() as other:
        arguments = ["--port", one.port, "--port", other.port, "--window", "0.05", "--json", "--out", str(tmp_path)]
        finished = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
        assert finished.returncode == 0, finished.stderr
    results = json.loads(finished.stdout)
    assert [records.read(Path(each["record"])).board.port for each in results] == [one.port, other.port]
    assert all(each["valid"] and each["parallel"] == 2 for each in results)


def test_ctrl_c_stops_all_boards_and_keeps_what_they_measured(tmp_path: Path) -> None:
    running = Running(tmp_path, boards=3, windows=1)
    started_s = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    code, _, errors = running.end()
    assert code == 130 and time.monotonic() - started_s < 8
    assert [line.split(":")[0] for line in errors.strip().splitlines()] == ["error", "hint"]
    assert [each.status for each in running.records()] == ["interrupted"] * 3
    assert all(1 <= len(each.windows) < 5 for each in running.records())


def test_boards_that_all_fail_alike_are_one_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tinympy", "bench", "--board", "unix:2", "--task", "digits", "--out", "/proc/none"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: cannot write the record /proc/none")


@pytest.mark.parametrize("name", ["unix:0", "unix:65", "unix:", "unix:x"])
def test_a_wrong_number_of_boards_is_a_usage_error(name: str, tmp_path: Path) -> None:
    finished = subprocess.run([*COMMAND, "--board", name], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert finished.returncode == 2
    assert f"{name} is no number of boards" in finished.stderr
