"""The boards tinympy knows, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import UsageError


class Launched(Protocol):
    """A board that was started here: its serial port, and how to interrupt and to end it."""

    port: str

    def interrupt(self) -> None:
        """Do what Ctrl-C on the line does to a program on other boards."""

    def stop(self) -> None:
        """End it and release everything it holds. May be called twice."""


@dataclass(frozen=True)
class Board:
    """A kind of board.

    arch names the architecture of its native modules, clock_hz is its usual clock (None: varies), library the folder
    on its `sys.path` that packages are copied to. launch starts one; without it the board is attached to a port.
    """

    name: str
    title: str
    arch: str
    emulated: bool = False
    clock_hz: int | None = None
    library: str = "/lib"
    launch: Callable[[], Launched] | None = None


def _launch_unix() -> Launched:
    from .unix import UnixBoard

    return UnixBoard()


BOARDS = (Board("unix", "MicroPython's Unix port on this computer", arch="x64", launch=_launch_unix),)


def get(name: str) -> Board:
    """The board called `name`. UsageError if there is none."""
    for board in BOARDS:
        if board.name == name:
            return board
    raise UsageError(f"no board is called {name}", "known: " + ", ".join(board.name for board in BOARDS))
