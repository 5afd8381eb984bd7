"""A board that serves a program: started if need be, deployed, spoken to, and left at its prompt at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tinympy import boards, deploy, records, tasks, transport
from tinympy.dut import DeviceInfo, Dut
from tinympy.errors import BoardError

Observer = Callable[[str, int, int], None]
"""Told what is being done, how much of it, of how much."""


@dataclass(frozen=True)
class Serving:
    """A board that serves, and what is known of it."""

    dut: Dut
    info: DeviceInfo
    module: deploy.Module
    board: records.Board


@contextlib.contextmanager
def serving(
    board: boards.Board,
    task: tasks.Task,
    program: bytes,
    observe: Observer,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Serving]:
    """Put `program`, that of the task's model, on the board and serve it there while the context lasts.

    check -- called several times a second; what it raises ends the context

    Raises:
        NoBoardError, BoardError: the board.
    """
    with (
        _launched(board, {task.name: program}) as launched,
        transport.open(launched.port, launched.interrupt, board.patience, check) as line,
    ):
        mpy = _firmware_mpy(line)
        module = deploy.native_module(mpy)
        files = deploy.package_files(board.library, module, {task.name: program})
        line.copy_files(files, lambda done, total: observe("deploy", done, total))
        line.start(deploy.serve_code(task.name, task.wire_input, task.wire_results, task.wire_bytes))
        dut = Dut(line, patience=board.patience)
        dut.wait_ready()
        info = dut.info()
        described = records.Board(
            name=board.name,
            port=launched.port,
            firmware=f"{info.implementation} {info.version}, {info.build}",
            mpy=mpy.version,
            arch=mpy.architecture,
            clock_hz=info.clock_hz or board.clock_hz,
            emulated=board.emulated,
        )
        yield Serving(dut, info, module, described)
        dut.close()
        line.leave()


@contextlib.contextmanager
def _launched(board: boards.Board, programs: dict[str, bytes]) -> Iterator[boards.Launched]:
    assert board.launch is not None
    module = deploy.native_module(deploy.Mpy(deploy.MPY_VERSION, board.arch))
    launched = board.launch(board, deploy.package_files(board.library, module, programs))
    try:
        yield launched
    finally:
        launched.stop()


def _firmware_mpy(line: transport.Transport) -> deploy.Mpy:
    answer = line.exec("import sys\nprint(getattr(sys.implementation, '_mpy', 0))").strip()
    if not answer.isdigit() or answer == "0":
        raise BoardError(
            "this firmware loads no native modules", "install MicroPython 1.23 or later; CircuitPython cannot load them"
        )
    return deploy.Mpy.from_firmware(int(answer))
