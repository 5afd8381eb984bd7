"""Boards on the serial ports: which there are, and which one, or which ones, a command means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tinympy import boards, identity, ports, transport
from tinympy.boards import Board
from tinympy.errors import BoardError, NoBoardError, TinympyError, UsageError
from tinympy.identity import Identity
from tinympy.ports import Port

DEFAULT = "unix"
MOST = 64
FILE_BLOCK_BYTES = 4096
"""What is read at a time of constants that stay in a file."""


@dataclass(frozen=True)
class Attached:
    """A port with what its firmware says of itself, or the one sentence why it does not."""

    port: Port
    identity: Identity | None
    problem: str = ""

    @property
    def board(self) -> Board | None:
        """The board, to run something on it; None where it did not answer, or loads no native modules."""
        return None if self.identity is None else as_board(self.identity, self.port.path)


def survey(found: Iterable[Port] | None = None) -> list[Attached]:
    """Ask the firmware at every port where a board may be. Interrupts what is running there."""
    asked = list(ports.present() if found is None else found)
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        return list(pool.map(_ask, asked))


def as_board(identity: Identity, port: str, kind: Board | None = None) -> Board:
    """The board with this identity at `port`, its memory as the firmware says; without `kind`, of the kind it says.

    What is named is believed: an emulator that was started elsewhere says that it is the board it emulates.
    """
    kind = kind or identity.board
    if kind is None:
        arch = identity.mpy.architecture if identity.mpy else "none"
        machine = identity.machine or identity.platform
        kind = Board(machine.split(" with ")[-1].split(" ")[0].lower(), machine, arch, heap_bytes=0)
    grows = kind.largest_bytes is not None
    return replace(
        kind,
        port=port,
        launch=None,
        circuitpython=identity.circuitpython,
        engine=identity.engine,
        # Where the heap grows, some firmware counts only what it has by now. With PSRAM it is large and of one piece.
        heap_bytes=max(kind.heap_bytes, identity.heap_free_bytes) if grows else identity.heap_free_bytes,
        largest_bytes=kind.largest_bytes if grows and identity.heap_free_bytes <= kind.heap_bytes else None,
        files_bytes=identity.files_bytes or kind.files_bytes,
        # Engines in Python read constants from the program's file.
        mapped_block_bytes=kind.mapped_block_bytes or (FILE_BLOCK_BYTES if identity.circuitpython else None),
        library=identity.library,
    )


def choose(
    name: str | None = None,
    port: str | None = None,
    firmware: str | None = None,
    root: Path | None = None,
) -> Board:
    """The board that a command means.

    name -- the kind of board. Without port: one that is started, or the attached one of that kind.
    port -- a serial port. Without name: whatever kind of board is there.
    firmware, root -- as boards.get has them

    Without name and port: the one attached board, or `unix` where there is none.

    Raises:
        UsageError: there is no such kind, several boards are possible, or an option does not go with the board.
        NoBoardError: no such board is attached, or nothing answers at the port.
        BoardError: it is of another kind, or its firmware loads no native modules.
    """
    kind = None if name is None else boards.known(name)
    if port is not None:
        return _at(port, kind)
    if name is None and (firmware is not None or root is not None):
        name = "rp2040-emu" if firmware is not None else DEFAULT
        kind = boards.known(name)
    if kind is None:
        return _only() or boards.get(DEFAULT)
    if kind.launch is not None or firmware is not None or root is not None:
        return boards.get(kind.name, firmware, root)
    return _of_kind(kind)


def choose_several(
    names: Sequence[str] = (),
    paths: Sequence[str] = (),
    every: bool = False,
    firmware: str | None = None,
    left_out: Callable[[str], None] = lambda _: None,
) -> dict[str, Board]:
    """The boards that a command means, by a label for each.

    names -- kinds of boards; one that is started may have a number, `unix:16`
    paths -- serial ports, of boards of the one kind that is named, if one is
    every -- all attached boards that can be used, of the kinds that are named, if any are; `left_out` is told of each
        other port why that one cannot

    Without any of them, and of each name: as `choose` has it.

    Raises:
        UsageError: the options contradict each other, or mean the same board twice.
        UsageError, NoBoardError, BoardError: as `choose` does.
    """
    if every:
        if paths or firmware is not None:
            raise UsageError("--all means boards that are attached", "leave --port and --firmware away")
        found = _every([boards.known(name) for name in names], left_out)
    elif paths:
        if len(names) > 1:
            raise UsageError("several kinds of boards and --port", "leave --board away: the boards say what they are")
        name = names[0] if names else None
        with ThreadPoolExecutor(len(paths)) as pool:
            found = list(pool.map(lambda path: choose(name, path, firmware), _once(paths)))
    else:
        found = [board for name in names for board in _counted(name, firmware)] or [choose(firmware=firmware)]
    _once([board.port for board in found if board.port is not None])
    if len(found) == 1:
        return {found[0].name: found[0]}
    return {
        f"{board.name}:{index}" if board.port is None else f"{board.name} at {board.port}": board
        for index, board in enumerate(found, 1)
    }


def _counted(named: str, firmware: str | None) -> list[Board]:
    """The boards that one --board means."""
    name, colon, number = named.partition(":")
    if not colon:
        return [choose(name, None, firmware)]
    board = boards.known(name)
    if board.launch is None:
        raise UsageError(f"{named}: {name} is attached, not started", "name each --port, or use --all")
    if not number.isdecimal() or not 0 < int(number) <= MOST:
        raise UsageError(f"{named} is no number of boards", f"{name}:1 to {name}:{MOST}")
    return [choose(name, None, firmware)] * int(number)


def _every(kinds: Sequence[Board], left_out: Callable[[str], None]) -> list[Board]:
    present = [port for port in ports.present() if not kinds or any(kind in port.may_be for kind in kinds)]
    found: list[Board] = []
    for each in survey(present):
        board, problem = each.board, identity.refusal(each.identity) if each.identity else None
        if board is None:
            left_out(each.problem)
        elif problem:
            left_out(f"at {each.port.path}: {reason(problem)}")
        elif kinds and board.name not in [kind.name for kind in kinds]:
            left_out(_said(each))
        else:
            found.append(board)
    if not found:
        raise NoBoardError("no board that can be used is attached", "`tinympy boards` lists what is there, and why")
    return found


def _once(paths: Sequence[str]) -> Sequence[str]:
    for path, count in Counter(paths).items():
        if count > 1:
            raise UsageError(f"the board at {path} is named {count} times", "name each board once")
    return paths


def _at(path: str, kind: Board | None) -> Board:
    with transport.open(path, None, 1.0 if kind is None else kind.patience) as line:
        found = identity.ask(line)
    if problem := identity.refusal(found):
        raise problem
    if kind is not None:
        identity.require(found, kind, path)
    return as_board(found, path, kind)


def _only() -> Board | None:
    present = ports.present()
    certain = [port for port in present if port.bridge is None]
    if len(certain) == 1:
        return _at(certain[0].path, None)
    if certain:
        raise _several([port.path for port in certain], "several boards are attached")
    answering = [found for found in survey(present) if found.identity is not None]
    if len(answering) > 1:
        raise _several([found.port.path for found in answering], "several boards are attached")
    return _at(answering[0].port.path, None) if answering else None


def _of_kind(kind: Board) -> Board:
    candidates = [port for port in ports.present() if kind in port.may_be]
    asked = survey(candidates)
    right = [found for found in asked if found.identity is not None and found.identity.board is kind]
    if len(right) > 1:
        raise _several([found.port.path for found in right], f"several boards of the kind {kind.name} are attached")
    if right:
        return _at(right[0].port.path, kind)
    if not asked:
        raise NoBoardError(
            f"no {kind.name} is attached",
            f"plug it in, or name its port with --port; `tinympy boards` lists what is there, and "
            f"`tinympy check MODEL --board {kind.name}` needs none",
        )
    raise NoBoardError(
        f"no {kind.name} is attached: " + "; ".join(map(_said, asked)), "name another --board, or a --port"
    )


def _ask(port: Port) -> Attached:
    try:
        with transport.open(port.path) as line:
            return Attached(port, identity.ask(line))
    except (NoBoardError, BoardError) as error:
        return Attached(port, None, reason(error))


def reason(error: TinympyError) -> str:
    """An error and its hint in one sentence."""
    return f"{error.message}: {error.hint}" if error.hint else error.message


def _said(found: Attached) -> str:
    if found.identity is None:
        return found.problem
    return f"at {found.port.path} is {found.identity.machine} ({found.identity.firmware})"


def _several(paths: list[str], what: str) -> UsageError:
    return UsageError(f"{what}: {', '.join(paths)}", "choose one with --port, or `--board unix` for none of them")
