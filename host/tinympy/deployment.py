"""Models put on a board to stay there, for `import tinympy` at its prompt, and taken off again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinympy import boot, connection, files, tasks
from tinympy.boards import Board
from tinympy.connection import Observer
from tinympy.device.program import Head
from tinympy.errors import UsageError
from tinympy.identity import Identity
from tinympy.inspection.fit import Weights, compile_for
from tinympy.selftest import SelfTest

State = Literal["written", "unchanged", "removed", "kept"]


@dataclass(frozen=True)
class File:
    """A file on the board by its absolute path, its size (None: not asked for), and what became of it."""

    path: str
    state: State
    size_bytes: int | None = None


@dataclass(frozen=True)
class Program:
    """A deployed model: the name it is loaded under, where its weights live, its sizes, and its caveat."""

    name: str
    model_file: str
    weights: Weights
    program_bytes: int
    arena_bytes: int
    input_bytes: int
    caveat: str | None


@dataclass(frozen=True)
class Deployment:
    """What was done on a board, or, with dry_run, what would be done; `others` are files in the folder not of tinympy.

    free_bytes is what the file system has left; None where the board does not say. tested: what its self-test said.
    """

    board: Board
    port: str
    identity: Identity
    files: tuple[File, ...]
    programs: tuple[Program, ...] = ()
    others: tuple[str, ...] = ()
    free_bytes: int | None = None
    dry_run: bool = False
    tested: SelfTest | None = None

    @property
    def written_bytes(self) -> int:
        return sum(each.size_bytes or 0 for each in self.files if each.state == "written")

    def count(self, state: State) -> int:
        """How many files are in this state."""
        return sum(each.state == state for each in self.files)


def deploy_to(
    board: Board, chosen: Sequence[tasks.Task], dry_run: bool, observe: Observer, engine: str | None = None
) -> Deployment:
    """Put the device package, the engine and the models of the tasks `chosen` on the board.

    Raises:
        UsageError: a model cannot be compiled, or two have the same name.
        NoBoardError, BoardError: the board, or what is needed does not fit its file system.
    """
    names = [task.name for task in chosen]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two models would be called {twice} on the board", "rename a file, or deploy one of them")
    programs, described = {}, []
    for task in chosen:
        program = compile_for(board, task.model(), task.name).program
        head = Head(program)
        programs[task.name] = program
        described.append(
            Program(
                task.name,
                task.model_file,
                "flash" if head.block_shift else "heap",
                len(program),
                head.arena_bytes,
                sum(tensor.bytes for tensor in head.inputs),
                task.caveat,
            )
        )
    with connection.connected(board, engine=engine) as found:
        line, library = found.line, found.identity.library
        package = found.package(programs)
        needed = files.differences(line, library, package)
        left_bytes, tested = needed.free_bytes, None
        if not dry_run:
            found.write(needed, lambda done, total: observe("deploy", done, total))
            left_bytes = files.differences(line, library, package).free_bytes if not needed.none else left_bytes
            tested = found.test()
        rows = [
            File(f"{needed.folder}/{name}", "written" if name in needed.stale else "unchanged", len(content))
            for name, content in package.items()
        ]
        rows += [File(f"{needed.folder}/{name}", "removed") for name in needed.obsolete]
        return Deployment(
            *(board, found.port, found.identity, tuple(rows), tuple(described)),
            free_bytes=left_bytes,
            dry_run=dry_run,
            tested=tested,
        )


def test(board: Board, observe: Observer) -> Deployment:
    """Put the device package and the native module on the board, and prove that they compute what they should there.

    Raises:
        NoBoardError, BoardError: the board, or it computes wrongly.
    """
    with connection.connected(board, {}) as found:
        tested = found.install({}, lambda done, total: observe("deploy", done, total))
        return Deployment(board, found.port, found.identity, (), tested=tested)


def remove_from(board: Board, dry_run: bool) -> Deployment:
    """Take off the board what tinympy put there: its folder, and what starts it at boot.

    Raises:
        NoBoardError, BoardError: the board.
    """
    with connection.connected(board) as found:
        line, library = found.line, found.identity.library
        mine, others = files.installed(line, library)
        start = boot.ours(line, library)
        if not dry_run:
            # What starts it goes first: a board must not boot into something that is half there.
            boot.remove(line, library)
            if mine:
                found.remove(mine)
        rows = tuple(File(path, "removed") for path in ([start] if start else []) + mine)
        return Deployment(board, found.port, found.identity, rows, others=tuple(others), dry_run=dry_run)
