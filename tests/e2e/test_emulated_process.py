"""The process of an emulated meter: it starts, it ends with whoever started it, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinympy.energy import emulated
from tinympy.energy.emulated.trigger import TriggerLine, set_level
from tinympy.errors import MeterError, UsageError

STARTER = """
import sys, time
from tinympy.energy.emulated import launch
with launch("ppk2") as emulator:
    print(emulator._process.pid, emulator.address, emulator.trigger, flush=True)
    time.sleep(60)
"""


def eventually(true: Callable[[], bool], limit_s: float = 10.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def running(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked about still has an entry."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_leaves_nothing_behind() -> None:
    descriptors = open_files()
    with emulated.launch("ppk2") as emulator:
        pid, address, folder = emulator._process.pid, emulator.address, Path(emulator.trigger).parent
        assert Path(address).exists() and folder.exists() and running(pid)
    assert not Path(f"/proc/{pid}").exists()
    assert not folder.exists()
    assert open_files() == descriptors
    emulator.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_whoever_started_it(how: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as starter:
        assert starter.stdout is not None
        pid, _, fifo = starter.stdout.readline().decode().split()
        # To the whole group, as a terminal sends Ctrl-C.
        os.killpg(starter.pid, how)
        starter.wait()
    assert eventually(lambda: not running(int(pid)))
    assert eventually(lambda: not Path(fifo).parent.exists())


def test_what_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(emulated, "_PROGRAM", "raise SystemExit('no terminals left')")
    with pytest.raises(MeterError, match="the emulated ppk2 does not run: no terminals left"):
        emulated.launch("ppk2")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("kind", "options"), [("none", {}), ("ppk2", {"none": "1"}), ("ppk2", {"idle": "low"})])
def test_a_wrong_request_starts_nothing(kind: str, options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        emulated.launch(kind, options)


def test_the_board_does_not_wait_for_a_meter_that_is_gone() -> None:
    with emulated.launch("ppk2") as emulator:
        os.kill(emulator._process.pid, signal.SIGKILL)
        emulator._process.wait()
        emulator.set_trigger(True)


def test_edges_of_the_trigger_line(tmp_path: Path) -> None:
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    line = TriggerLine(fifo)
    before = time.monotonic()
    with open(fifo, "wb", buffering=0) as board:  # noqa: PTH123
        board.write(b"1")
        assert eventually(lambda: len(line.edges()) == 1)
        board.write(b"10")  # it is raised already
        assert eventually(lambda: len(line.edges()) == 2)
    set_level(fifo, True)
    assert eventually(lambda: len(line.edges()) == 3)
    after = time.monotonic()
    times, levels = zip(*line.edges(), strict=True)
    assert levels == (1, 0, 1)
    assert before < times[0] < times[1] <= times[2] + 1e-6 < after + 1e-6
    ask = np.array([before, times[0] + 1e-9, times[1] + 1e-9, after])
    assert line.levels(ask).tolist() == [0, 1, 0, 1]


def test_an_edge_is_where_its_stamp_says(tmp_path: Path) -> None:
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    line = TriggerLine(fifo)
    with open(fifo, "wb", buffering=0) as board:  # noqa: PTH123
        board.write(b"1@5000000\n0@7500000\n")
        assert eventually(lambda: len(line.edges()) == 2)
    assert line.edges() == [(5.0, 1), (7.5, 0)]
