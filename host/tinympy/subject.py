"""What ran where: the words that every result of a command begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinympy import records


@dataclass(frozen=True)
class Subject:
    """A task's model on a board; `caveat` is what a reader of any result must know."""

    task: str
    model_file: str
    engine: str
    board: records.Board
    caveat: str | None = None

    @property
    def heading(self) -> str:
        """Task, board and engine; an emulated board is called that."""
        emulated = ", emulated" if self.board.emulated else ""
        return f"{self.task} on {self.board.name} ({self.engine}{emulated})"

    def document(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return {
            "task": self.task,
            "model": self.model_file,
            "engine": self.engine,
            "board": self.board.name,
            "emulated": self.board.emulated,
            "clock_hz": self.board.clock_hz,
            "firmware": self.board.firmware,
            "caveat": self.caveat,
        }
