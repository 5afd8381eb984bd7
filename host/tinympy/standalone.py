"""A board that serves a program by itself: the serial command loop, for other programs than this one to talk to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from tinympy import boot, connection, deploy, runner, tasks
from tinympy.boards import Board
from tinympy.connection import Observer
from tinympy.dut import Dut
from tinympy.errors import BoardError, UsageError
from tinympy.inspection.fit import compile_for


@dataclass(frozen=True)
class Served:
    """A board that serves `task` at `port`; boot_file is what starts it again at boot. stays: also without us.

    windows: what a performance test takes, where that was asked for.
    """

    board: Board
    port: str
    task: tasks.Task
    boot_file: str | None
    stays: bool
    windows: runner.Windows | None


@contextlib.contextmanager
def serving(
    board: Board,
    task: tasks.Task,
    at_boot: bool,
    observe: Observer,
    calibrate: bool = False,
    energy: deploy.Energy | None = None,
) -> Iterator[Served]:
    """Deploy the task's model, serve it, and leave the port to others; the board's own process lasts as the context.

    calibrate -- find out what a window of the public runner takes
    energy -- serve from a UART instead, with a pin in place of laps

    Raises:
        UsageError: the model cannot be compiled, the board has a main.py of its own, the firmware has no UART or pins,
            or an inference takes longer than the public runner waits.
        NoBoardError, BoardError: the board.
    """
    if energy is not None and board.emulated:
        raise UsageError(f"{board.name} is emulated and takes no energy", "--trigger is for boards that are hardware")
    program = compile_for(board, task.model(), task.name).program
    with connection.connected(board) as found:
        if energy is not None:
            _require_pins(found)
        if at_boot:
            boot.require_main(found.identity)
        engine = found.build.engine.name
        wire = (task.wire_input, task.wire_results, task.wire_bytes)
        code = deploy.serve_code(task.name, *wire, energy=energy, engine=engine)
        boot_file = boot.write(found.line, found.identity.library, code) if at_boot else None
        found.install({task.name: program}, lambda done, total: observe("deploy", done, total))
        windows = None
        if calibrate:
            found.line.start(deploy.serve_code(task.name, *wire, engine=engine))
            windows = _calibrated(found.dut(), task, energy is not None)
            found.line.leave()
        found.line.start(code)
        found.dut().wait_ready()
        found.line.detach()
        yield Served(board, found.port, task, boot_file, board.port is not None, windows)


def _require_pins(found: connection.Connected) -> None:
    try:
        found.line.exec("from machine import UART, Pin\ndel UART, Pin")
    except BoardError as error:
        raise UsageError(
            f"energy mode needs pins and a UART, which the firmware of {found.board.name} does not have",
            "measure energy on a board; --trigger is for boards with machine.Pin and machine.UART",
        ) from error


def _calibrated(dut: Dut, task: tasks.Task, energy: bool) -> runner.Windows:
    dut.wait_ready()
    # What an inference takes does not depend on its input.
    dut.load_input(bytes(dut.info().input_bytes))
    return runner.calibrate(task.name, lambda n, warmup: dut.window(n, warmup, 3 * runner.LONGEST_S), energy)


def forget(board: Board) -> tuple[str, bool]:
    """Let the board start as before; the port, and whether tinympy had changed that."""
    with connection.connected(board) as found:
        return found.port, boot.remove(found.line, found.identity.library, boot.SERVES)
