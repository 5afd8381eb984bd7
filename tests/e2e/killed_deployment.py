"""Deployments whose process is killed at random moments, each followed by one that must succeed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from disturbed import OWN_FILES
from tinympy import attached, deployment, tasks
from tinympy.boards.unix import UnixBoard
from tinympy.errors import TinympyError

# What a user has in tinympy's own folder.
OWN_PROGRAM = {"lib/tinympy/mine.tmpy": b"not tinympy's"}


@dataclass(frozen=True)
class Outcome:
    """What went wrong, after how many seconds each deployment was killed, and how many left something unfinished."""

    wrong: list[str]
    moments_s: list[float]
    unfinished: int


def run(kills: int, seed: int, command: bool = False) -> Outcome:
    """Deploy on one board again and again; `command`: with `tinympy deploy`, not only what it does."""
    random_ = random.Random(seed)
    wrong, moments_s, unfinished = [], [], 0
    with UnixBoard() as board:
        for name, content in (OWN_FILES | OWN_PROGRAM).items():
            (board.root / name).parent.mkdir(parents=True, exist_ok=True)
            (board.root / name).write_bytes(content)
        start = _command if command else _fork
        _deploy(board.port)
        expected = _files(board)
        _make_different(board, 0)
        started_s = time.monotonic()
        start(board.port)(False)
        whole_s = time.monotonic() - started_s
        for index in range(kills):
            _make_different(board, index)
            started_s = time.monotonic()
            end = start(board.port)
            # The command needs a while until it speaks to the board: most of its moments come later.
            moments_s.append(random_.uniform(0.4 * whole_s if command else 0.0, 1.1 * whole_s))
            time.sleep(max(0.0, moments_s[-1] - (time.monotonic() - started_s)))
            end(True)
            unfinished += _files(board) != expected
            where = f"kill {index}, after {moments_s[-1]:.3f} s"
            try:
                _deploy(board.port)
            except TinympyError as error:
                wrong.append(f"{where}: {error.message}")
            there = _files(board)
            different = sorted(name for name in there | expected if there.get(name) != expected.get(name))
            if different:
                wrong.append(f"{where}: {', '.join(different)}")
        if any(expected[name] != content for name, content in (OWN_FILES | OWN_PROGRAM).items()):
            wrong.append("the board's own files are not what they were")
    return Outcome(wrong, moments_s, unfinished)


def _make_different(board: UnixBoard, index: int) -> None:
    """In turn: nothing of tinympy is there; all of it, but other versions; a part of it."""
    mine = sorted(path for path in (board.root / "lib/tinympy").iterdir() if path.name != "mine.tmpy")
    for path in mine if index % 3 < 2 else mine[::2]:
        if index % 3 == 1:
            path.write_bytes(b"older" + path.read_bytes())
        else:
            path.unlink()


def _files(board: UnixBoard) -> dict[str, bytes]:
    return {str(path.relative_to(board.root)): path.read_bytes() for path in board.root.rglob("*") if path.is_file()}


def _deploy(port: str) -> None:
    deployment.deploy_to(attached.choose(port=port), [tasks.get("digits")], False, lambda *_: None)


def _fork(port: str) -> Callable[[bool], None]:
    """Deploy in a process of its own; what is returned kills it, or waits until it is done."""
    child = os.fork()
    if not child:
        try:
            _deploy(port)
        finally:
            os._exit(0)

    def end(kill: bool) -> None:
        if kill:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    return end


def _command(port: str) -> Callable[[bool], None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tinympy", "deploy", "--port", port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def end(kill: bool) -> None:
        if kill:
            process.kill()
        process.wait()

    return end
