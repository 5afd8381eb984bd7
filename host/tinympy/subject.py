"""What ran where: the words that every result of a command begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinympy import records


@dataclass(frozen=True)
class Subject:
    """A task's model on a board, None: on this computer; `caveat` is what a reader of any result must know."""

    task: str
    model_file: str
    engine: str
    board: records.Board | None
    caveat: str | None = None

    @property
    def heading(self) -> str:
        """Task, board and engine; an emulated board is called that."""
        emulated = ", emulated" if self.board is not None and self.board.emulated else ""
        return f"{self.task} on {self.place} ({self.engine}{emulated})"

    @property
    def place(self) -> str:
        """The board's name."""
        return "this computer" if self.board is None else self.board.name

    def document(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return {
            "task": self.task,
            "model": self.model_file,
            "engine": self.engine,
            "board": None if self.board is None else self.board.name,
            "emulated": self.board is not None and self.board.emulated,
            "clock_hz": None if self.board is None else self.board.clock_hz,
            "firmware": None if self.board is None else self.board.firmware,
            "caveat": self.caveat,
        }
