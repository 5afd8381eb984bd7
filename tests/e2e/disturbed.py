"""A bench of `digits` over a line with random faults, through the whole session, and whether it ended as it must.

It must end in a record whose outputs and accuracy are those of an undisturbed run, or in one clear error; never in
silence, and never with a file on the board that is not tinympy's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import serial

from faulty_line import FaultyLine
from random_faults import RandomFaults, Rates
from tinympy import plan, session, transport
from tinympy.boards import Board
from tinympy.boards.unix import UnixBoard
from tinympy.errors import TinympyError
from tinympy.plan import Job
from tinympy.records import Record

SAMPLES = 8
WINDOW_S = 0.02
SILENCE_S = 10.0
OWN_FILES = {"main.py": b"print('mine')\n", "lib/own.py": b"answer = 42\n", "data/log.txt": b"1\n2\n3\n"}


@dataclass(frozen=True)
class Outcome:
    """How a disturbed run ended: `error` is None for a record; `wrong` says what must not be, and is empty.

    ended: the interpreter ended, where a board would have reset itself.
    """

    seed: int
    error: str | None
    ended: bool
    faults: dict[str, int]
    silence_s: float
    at_prompt: bool
    wrong: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The error without what differs from run to run."""
        return "right" if self.error is None else re.sub(r"/\S+|[\d.]+|'.*'|\[.*\]", "…", self.error)


class DisturbedBoard:
    """The board `unix` behind a line with faults, as boards.Launched."""

    def __init__(self, seed: int) -> None:
        self.board = UnixBoard()
        for name, content in OWN_FILES.items():
            (self.board.root / name).parent.mkdir(exist_ok=True)
            (self.board.root / name).write_bytes(content)
        self.faults = RandomFaults(seed, Rates.drawn(seed))
        self.line = FaultyLine(self.board.port)
        self.line.to_board, self.line.to_host = self.faults.to_board, self.faults.to_host
        self.port = self.line.port
        self.interrupt = self.board.interrupt

    def stop(self) -> None:
        """Nothing yet: what became of it is looked at first."""


def job(folder: Path) -> Job:
    [planned] = plan.plan(
        board_names=["unix"],
        task_names=["digits"],
        mode="all",
        weights=None,
        engine="native",
        samples=SAMPLES,
        window_s=WINDOW_S,
        assets=None,
        folder=folder,
    )
    return planned


def run(seed: int, folder: Path, expected: Record) -> Outcome:
    """Bench with the faults of `seed`; `expected` is the record of an undisturbed run."""
    launched: list[DisturbedBoard] = []

    def launch(board: Board, files: Mapping[str, bytes]) -> DisturbedBoard:
        launched.append(DisturbedBoard(seed))
        return launched[0]

    undisturbed = job(folder)
    disturbed = replace(undisturbed, board=replace(undisturbed.board, launch=launch))
    records: list[Record] = []
    wrong: list[str] = []
    error = None
    started_s = time.monotonic()
    try:
        session.run(disturbed, records.append, lambda *_: None)
    except TinympyError as caught:
        error = caught.message
        wrong += _unclear(caught)
    wall_s = time.monotonic() - started_s
    [there] = launched
    there.faults.end()
    time.sleep(0.1)  # what was said at last is still on its way
    there.line.close()
    if error is None:
        wrong += _differences(records[0], expected, wall_s)
    elif records and records[0].status != "failed":
        wrong.append(f"the record of a failed run is {records[0].status}")
    if there.faults.silence_s > SILENCE_S:
        wrong.append(f"{there.faults.silence_s:.1f} s of silence")
    at_prompt = there.board.exit_code is None and _is_at_prompt(there.board)
    wrong += _damage(there.board, error)
    ended = there.board.exit_code is not None
    there.board.stop()
    return Outcome(seed, error, ended, dict(there.faults.counts), there.faults.silence_s, at_prompt, tuple(wrong))


def _unclear(error: TinympyError) -> list[str]:
    if error.exit_code not in (3, 4):
        return [f"exit code {error.exit_code}: {error.message}"]
    if not error.hint or not error.message.isprintable() or len(error.message) > 300:
        return [f"an unclear error: {error.message!r}, hint {error.hint!r}"]
    return []


def _differences(record: Record, expected: Record, wall_s: float) -> list[str]:
    assert expected.accuracy is not None
    wrong = []
    if record.status != "complete" or record.accuracy is None or len(record.windows) != len(expected.windows):
        return ["the record is not complete"]
    for name in ("metric", "value", "n", "outputs_sha256"):
        if getattr(record.accuracy, name) != getattr(expected.accuracy, name):
            wrong.append(f"{name} is {getattr(record.accuracy, name)}")
    for name in ("data_set", "program", "engine", "model"):
        if getattr(record, name) != getattr(expected, name):
            wrong.append(f"{name} is {getattr(record, name)}")
    if replace(record.board, port="") != replace(expected.board, port=""):
        wrong.append(f"board is {record.board}")
    # The board times itself: delays on the line are not in its figures.
    fastest_us = min(window.elapsed_us / window.n for window in expected.windows)
    elapsed_us = [window.elapsed_us for window in record.windows]
    if min(window.elapsed_us / window.n for window in record.windows) < fastest_us / 4:
        wrong.append(f"windows are too short: {record.windows}")
    if sum(elapsed_us) > wall_s * 1e6:
        wrong.append(f"windows are longer than the run: {record.windows}")
    return wrong


def _is_at_prompt(board: UnixBoard) -> bool:
    with serial.Serial(board.port, 115200, timeout=0.5) as port:
        port.reset_input_buffer()
        port.write(b"\r6 * 7\r")
        return b"\n42\n" in port.read_until(b"\n42\n").replace(b"\r", b"")


def _damage(board: UnixBoard, error: str | None) -> list[str]:
    wrong = []
    # What a disturbed line makes Ctrl-D resets a board, and ends an interpreter: no run goes on after that.
    ended = board.exit_code
    if ended is not None:
        if ended != 0 or error is None:
            wrong.append(f"the interpreter ended with {ended}")
        return wrong + _changed_files(board)
    try:
        with transport.open(board.port, board.interrupt) as line:
            if line.exec("print(6 * 7)") != "42\n":
                wrong.append("the board does not calculate any more")
    except TinympyError as failure:
        wrong.append(f"the board cannot be used any more: {failure.message}")
    return wrong + _changed_files(board)


def _changed_files(board: UnixBoard) -> list[str]:
    there = {
        str(path.relative_to(board.root)): path.read_bytes()
        for path in board.root.rglob("*")
        if path.is_file() and not path.is_relative_to(board.root / "lib/tinympy")
    }
    return [] if there == OWN_FILES else [f"the board's own files are {there}"]
