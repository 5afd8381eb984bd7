"""Progress bars on standard error; none where that is not a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


def bars() -> Progress:
    """Bars that vanish when the work is done; a context manager."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def bar(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """One bar, and what to tell it: what is being done for `name`, how much of it, of how much."""
    with bars() as progress:
        row = progress.add_task(name, total=None)

        def observe(what: str, done: int, total: int) -> None:
            progress.update(row, description=f"{name} {what}", completed=done, total=total)

        yield observe
