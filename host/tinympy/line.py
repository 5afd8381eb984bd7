"""What talks to a board at its raw REPL: `transport` is one, tests have others."""

from __future__ import annotations

from typing import Protocol


class Line(Protocol):
    """A board at its raw REPL."""

    def exec(self, code: str, timeout_s: float = 3.0) -> str:
        """Run `code` once and return what it prints. BoardError when it raises, or prints nothing for timeout_s."""
