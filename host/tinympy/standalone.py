"""A board that serves a program by itself: the serial command loop, for other programs than this one to talk to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from tinympy import boot, connection, deploy, tasks
from tinympy.boards import Board
from tinympy.connection import Observer
from tinympy.dut import Dut
from tinympy.inspection.fit import compile_for


@dataclass(frozen=True)
class Served:
    """A board that serves `task` at `port`; boot_file is what starts it again at boot. stays: also without us."""

    board: Board
    port: str
    task: tasks.Task
    boot_file: str | None
    stays: bool


@contextlib.contextmanager
def serving(board: Board, task: tasks.Task, at_boot: bool, observe: Observer) -> Iterator[Served]:
    """Deploy the task's model, serve it, and leave the port to others; the board's own process lasts as the context.

    Raises:
        UsageError: the model cannot be compiled, or the board has a main.py of its own.
        NoBoardError, BoardError: the board.
    """
    program = compile_for(board, task.model(), task.name).program
    with connection.connected(board) as found:
        code = deploy.serve_code(task.name, task.wire_input, task.wire_results, task.wire_bytes)
        boot_file = boot.write(found.line, found.identity.library, code) if at_boot else None
        found.install({task.name: program}, lambda done, total: observe("deploy", done, total))
        found.line.start(code)
        Dut(found.line, patience=board.patience).wait_ready()
        found.line.detach()
        yield Served(board, found.port, task, boot_file, stays=board.port is not None)


def forget(board: Board) -> tuple[str, bool]:
    """Let the board start as before; the port, and whether tinympy had changed that."""
    with connection.connected(board) as found:
        return found.port, boot.remove(found.line, found.identity.library)
