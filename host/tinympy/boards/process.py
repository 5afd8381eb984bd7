"""Boards that are processes must not outlive the one that started them, however that ends."""

from __future__ import annotations

import os

_WATCH = """
import fcntl, os, select, sys
fcntl.fcntl({alive}, fcntl.F_SETOWN, os.getpid())
fcntl.fcntl({alive}, fcntl.F_SETFL, fcntl.fcntl({alive}, fcntl.F_GETFL) | os.O_ASYNC)
if select.select([{alive}], [], [], 0)[0]:
    sys.exit("the process that started this one is gone")
"""


class Lifeline:
    """A pipe whose one end this process holds. When it is gone, the kernel sends SIGIO to the child at the other end,
    whose default is to end it.

    As a context manager around the child's start: afterwards only the child has its end.
    """

    def __init__(self) -> None:
        self._alive, self._keep_alive = os.pipe()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the child has to inherit."""
        return (self._alive,)

    def bind(self, program: str) -> str:
        """A Python program that does what `program` does, as long as this process lives."""
        return _WATCH.format(alive=self._alive) + program

    def cut(self) -> None:
        os.close(self._keep_alive)

    def __enter__(self) -> Lifeline:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._alive)
