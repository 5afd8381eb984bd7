"""What goes wrong with boards and ports, on the real interpreter: each is survived, or said in one sentence."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

import disturbed
import faulty_line
from faulty_line import FaultyLine
from tinympy import records, session, transport
from tinympy.boards import Board
from tinympy.boards.unix import UnixBoard
from tinympy.errors import BoardError, NoBoardError, TinympyError
from tinympy.plan import Job
from tinympy.records import Record

NOBODY = 65534

# Programs that people have in main.py.
ENDLESS = "while True:\n    pass\n"
STUBBORN = """
interrupts = 0
while True:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        interrupts += 1
        if interrupts > 1:
            raise
"""
TALKATIVE = STUBBORN.replace("pass", "print('x' * 70)")

# The folder that packages are copied to becomes a real littlefs of 12 blocks of 4 KiB.
SMALL_FILE_SYSTEM = """
import os
class RamBlocks:
    def __init__(self):
        self.data = bytearray(12 * 4096)
    def readblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        buffer[:] = self.data[at : at + len(buffer)]
    def writeblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        self.data[at : at + len(buffer)] = buffer
    def ioctl(self, operation, argument):
        return {4: 12, 5: 4096}.get(operation, 0)
blocks = RamBlocks()
os.VfsLfs2.mkfs(blocks)
os.mount(os.VfsLfs2(blocks), "/lib")
"""


class Reached:
    """A board as boards.Launched that belongs to the test, at any port."""

    def __init__(self, board: UnixBoard, port: str) -> None:
        self.port = port
        self.interrupt = board.interrupt

    def stop(self) -> None:
        """Nothing."""


def job(folder: Path, board: UnixBoard, port: str | None = None, window_s: float = 0.02) -> Job:
    """A bench of `digits` on `board`, through `port`."""

    def launch(_: Board, __: Mapping[str, bytes]) -> Reached:
        return Reached(board, port or board.port)

    planned = disturbed.job(folder)
    return replace(planned, board=replace(planned.board, launch=launch), window_s=window_s)


def bench(planned: Job) -> Record:
    return session.run(planned, lambda _: None, lambda *_: None)


def at_prompt(port: str) -> bool:
    with serial.Serial(port, 115200, timeout=2) as line:
        line.write(b"6 * 7\r")
        return line.read_until(b"\n42\n").endswith(b"\n42\n")


@pytest.fixture
def board() -> Iterator[UnixBoard]:
    with UnixBoard() as board:
        yield board


# Boards in a state that nobody expects


@pytest.mark.parametrize("program", [ENDLESS, STUBBORN, TALKATIVE], ids=["endless", "stubborn", "talkative"])
def test_a_board_stuck_in_its_users_main_py_is_measured(program: str, tmp_path: Path) -> None:
    (tmp_path / "flash").mkdir()
    (tmp_path / "flash/main.py").write_text(program)
    with UnixBoard(root=tmp_path / "flash") as board:
        assert bench(job(tmp_path, board)).status == "complete"
        assert at_prompt(board.port)
    assert (tmp_path / "flash/main.py").read_text() == program


def without_raw_paste(line: FaultyLine, answer: bytes) -> Callable[[bytes], bytes]:
    """The line to a board whose raw REPL says `answer` to the question whether it knows raw paste."""

    def fault(data: bytes) -> bytes:
        asked = data.replace(b"\x05A\x01", b"" if answer else b"\x01")
        if answer and asked != data:
            line.say(answer)
        return asked

    return fault


@pytest.mark.parametrize("answer", [b"", b"R\x00"], ids=["old", "switched off"])
def test_firmware_without_raw_paste_is_measured(board: UnixBoard, answer: bytes, tmp_path: Path) -> None:
    with FaultyLine(board.port) as line:
        line.to_board = without_raw_paste(line, answer)
        record = bench(job(tmp_path, board, line.port))
    assert record.status == "complete" and record.accuracy is not None and record.accuracy.value == 1.0


def test_a_slow_board_is_only_slow(board: UnixBoard, tmp_path: Path) -> None:
    with FaultyLine(board.port) as line:
        line.to_board = line.to_host = faulty_line.delay(0.003)
        assert bench(job(tmp_path, board, line.port)).status == "complete"
        assert at_prompt(line.port)


def failure(planned: Job) -> TinympyError:
    """The error that a bench ends in: one sentence and a hint."""
    with pytest.raises(TinympyError) as caught:
        bench(planned)
    assert caught.value.hint and "\n" not in caught.value.message
    return caught.value


def test_a_full_file_system_is_one_sentence(board: UnixBoard, tmp_path: Path) -> None:
    with transport.open(board.port) as line:
        line.exec(SMALL_FILE_SYSTEM)
    error = failure(job(tmp_path, board))
    assert error.exit_code == 4 and "file system is full" in error.message
    assert at_prompt(board.port)


@pytest.mark.parametrize("heap_bytes", [25_000, 45_000])
def test_a_heap_too_small_for_the_model_is_one_sentence(heap_bytes: int, tmp_path: Path) -> None:
    with UnixBoard(heap_bytes=heap_bytes) as board:
        error = failure(job(tmp_path, board))
        assert error.exit_code == 4 and "heap is too small" in error.message
        assert at_prompt(board.port)


# Ports


def hint_for_another_user(port: str) -> str:
    """What opening `port` says to a user without rights of their own: to another one where this one is root."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setegid(NOBODY)
                os.seteuid(NOBODY)
            try:
                transport.open(port).close()
            except NoBoardError as error:
                os.write(writer, error.hint.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as said:
        return said.read()


def test_who_may_not_use_a_port_is_told_which_group_may(board: UnixBoard) -> None:
    import grp

    Path(board.port).chmod(0o060)
    group = grp.getgrgid(Path(board.port).stat().st_gid).gr_name
    assert f"join the group {group} (" in hint_for_another_user(board.port)


def test_a_port_for_no_group_says_so(board: UnixBoard) -> None:
    Path(board.port).chmod(0o000)
    assert "no group may: its mode is 000" in hint_for_another_user(board.port)


def test_a_port_that_another_program_has_locked_is_in_use_by_that_program(board: UnixBoard) -> None:
    code = (
        "import serial, sys\n"
        f"port = serial.Serial({board.port!r}, exclusive=True)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(NoBoardError) as error:
            transport.open(board.port)
        assert re.search(
            rf"close the other program that uses it: .*python.* \(process {holder.pid}\)", error.value.hint
        )
        holder.stdin.close()


def test_a_port_that_another_program_has_for_itself_is_in_use(board: UnixBoard) -> None:
    Path(board.port).chmod(0o666)
    holder = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(holder, termios.TIOCEXCL)
    assert "close the other program that uses it" in hint_for_another_user(board.port)
    fcntl.ioctl(holder, termios.TIOCNXCL)
    os.close(holder)


# Boards that go away


class Enumeration:
    """What the computer's USB ports say: a board with a serial number, at one line or none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
        self.port: str | None = port
        monkeypatch.setattr(list_ports, "comports", self._ports)
        monkeypatch.setattr(transport, "_seen", {})

    def _ports(self) -> list[SimpleNamespace]:
        other = SimpleNamespace(device="/dev/ttyACM9", vid=0x2E8A, pid=5, serial_number="other")
        mine = SimpleNamespace(device=self.port, vid=0x2E8A, pid=5, serial_number="mine")
        return [other, mine] if self.port else [other]


@contextlib.contextmanager
def name_taken(name: str) -> Iterator[None]:
    """While it lasts, no new pseudo-terminal is called `name`; those of lower numbers may be free as well."""
    descriptors: list[int] = []
    while not Path(name).exists():
        descriptors += os.openpty()
    yield
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_board_that_was_reset_is_found_under_its_new_name(board: UnixBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyLine(board.port) as before:
        usb = Enumeration(monkeypatch, before.port)
        transport.open(before.port).close()
    usb.port = None
    with name_taken(before.port), FaultyLine(board.port) as after:
        threading.Timer(0.5, lambda: setattr(usb, "port", after.port)).start()
        with transport.open(before.port) as line:
            assert line.port == after.port != before.port
            assert line.exec("print(6 * 7)") == "42\n"


def test_a_board_that_resets_when_its_port_is_opened_is_found_again(
    board: UnixBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyLine(board.port) as before, contextlib.ExitStack() as later:
        usb = Enumeration(monkeypatch, before.port)
        transport.open(before.port).close()

        def come_back() -> None:
            usb.port = later.enter_context(FaultyLine(board.port)).port

        def reset(data: bytes) -> bytes:
            usb.port = None
            threading.Timer(0.5, come_back).start()
            raise OSError("the board resets")

        before.to_board = reset
        with transport.open(before.port) as line:
            assert line.port == usb.port != before.port
            assert line.exec("print(6 * 7)") == "42\n"


def test_a_board_that_stays_away_is_an_error_within_5_s(board: UnixBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    usb = Enumeration(monkeypatch, board.port)
    transport.open(board.port).close()
    usb.port = None
    started_s = time.monotonic()
    with pytest.raises(NoBoardError, match="is gone"):
        transport.open(board.port)
    assert time.monotonic() - started_s < 5.5


def test_a_plug_pulled_in_mid_window_keeps_what_was_measured(board: UnixBoard, tmp_path: Path) -> None:
    begun: list[Record] = []
    with FaultyLine(board.port) as line:
        planned = job(tmp_path, board, line.port, window_s=1.0)

        def pull() -> None:
            while not (begun and begun[0].windows):
                time.sleep(0.01)
            time.sleep(0.3)
            pulled_s.append(time.monotonic())
            line.close()

        pulled_s: list[float] = []
        plug = threading.Thread(target=pull)
        plug.start()
        with pytest.raises(BoardError, match="disappeared") as error:
            session.run(planned, begun.append, lambda *_: None)
        assert time.monotonic() - pulled_s[0] < 5
        plug.join()
    assert error.value.exit_code == 4
    assert begun[0].path is not None
    kept = records.read(begun[0].path)
    assert kept.status == "failed" and len(kept.windows) >= 1 and kept.accuracy is not None
    with transport.open(board.port, board.interrupt) as again:
        assert again.exec("print(6 * 7)") == "42\n"


def test_a_computer_that_sleeps_in_mid_window_gets_right_times(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tinympy", "bench", "--task", "digits", "--mode", "performance", "--window", "1"]
    with subprocess.Popen([*command, "--out", str(tmp_path)], stdout=subprocess.DEVNULL) as process:
        deadline_s = time.monotonic() + 60
        while not (found := [records.read(path) for path in tmp_path.glob("*.json") if path.stat().st_size]) or (
            not found[0].windows
        ):
            assert time.monotonic() < deadline_s and process.poll() is None
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        time.sleep(5)  # more than a window is waited for
        process.send_signal(signal.SIGCONT)
        assert process.wait(60) == 0
    [path] = tmp_path.glob("*.json")
    record = records.read(path)
    assert record.status == "complete" and len(record.windows) == 5
    assert all(500_000 < window.elapsed_us < 4_000_000 for window in record.windows)
