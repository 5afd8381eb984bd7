"""The boards tinympy knows (registry.py), and finding one of them by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import UsageError
from .board import Board, Launched
from .registry import BOARDS, BRIDGES

__all__ = ["BOARDS", "BRIDGES", "Board", "Launched", "get", "known"]


def known(name: str) -> Board:
    """The kind of board called `name`. UsageError if there is none."""
    for board in BOARDS:
        if board.name == name:
            return board
    raise UsageError(f"no board is called {name}", "known: " + ", ".join(board.name for board in BOARDS))


def get(name: str, firmware: str | None = None, root: Path | None = None) -> Board:
    """The board called `name`, ready to be launched if it is one that is a program.

    firmware -- path or version of what it is to be started with
    root -- the folder that is to be its file system; it is made where it does not exist

    Raises:
        UsageError: there is none, it takes no firmware or no folder, or there is no such image.
        NoBoardError: the image that it needs is not here.
    """
    board = known(name)
    if root is not None:
        if not board.keeps_files:
            raise UsageError(f"{name} has files of its own", "--folder is for the board unix")
        board = replace(board, root=root)
    if board.find_firmware is not None:
        return replace(board, firmware=board.find_firmware(firmware))
    if firmware is not None:
        raise UsageError(f"{name} has firmware of its own", "--firmware is for boards that are programs")
    return board
