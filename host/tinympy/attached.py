"""Boards on the serial ports: which there are, and which one a command means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tinympy import boards, identity, ports, transport
from tinympy.boards import Board
from tinympy.errors import BoardError, NoBoardError, TinympyError, UsageError
from tinympy.identity import Identity
from tinympy.ports import Port

DEFAULT = "unix"


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
    return [_ask(port) for port in (ports.present() if found is None else found)]


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
        # Where the heap grows, some firmware counts only what it has by now. With PSRAM it is large and of one piece.
        heap_bytes=max(kind.heap_bytes, identity.heap_free_bytes) if grows else identity.heap_free_bytes,
        largest_bytes=kind.largest_bytes if grows and identity.heap_free_bytes <= kind.heap_bytes else None,
        files_bytes=identity.files_bytes or kind.files_bytes,
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


def _at(path: str, kind: Board | None) -> Board:
    with transport.open(path) as line:
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
