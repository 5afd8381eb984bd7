"""Which firmware runs on a board: asked in one question, and held against what tinympy needs.

Nothing is asked about floats: no float passes the native module's boundary. The self-test tells how they are passed.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Protocol

from tinympy import deploy
from tinympy.boards import BOARDS, Board
from tinympy.deploy import Mpy
from tinympy.engines import ENGINES, NATIVE
from tinympy.errors import BoardError
from tinympy.ram import FORGET

RELEASE = "1.23"

# A tuple, because every firmware can print one. What is left of tinympy is dropped, to see what the heap has.
QUESTION = (
    FORGET
    + """
def _tinympy_asks():
    i = sys.implementation
    libraries = [path for path in sys.path if path.endswith("/lib") and not path.startswith("/rom")]
    library = libraries[0] if libraries else "/lib"
    machine, clock_hz, block, blocks, free = getattr(i, "_machine", ""), 0, 0, 0, 0
    try:
        import os
        machine = machine or os.uname()[4]
    except Exception:
        pass
    try:
        from machine import freq
        clock_hz = freq()
        clock_hz = clock_hz if isinstance(clock_hz, int) else clock_hz[0]
    except Exception:
        try:
            from microcontroller import cpu
            clock_hz = cpu.frequency
        except Exception:
            pass
    try:
        _, block, blocks, free = os.statvfs(library[:-4] or "/")[:4]
    except Exception:
        pass
    mpy = getattr(i, "_mpy", getattr(i, "mpy", 0))
    return (i.name, tuple(i.version)[:3], sys.version, machine, mpy, sys.platform,
        clock_hz, gc.mem_free() if hasattr(gc, "mem_free") else 0, library, block, blocks, free)
print(_tinympy_asks())
del _tinympy_asks
"""
)


class Line(Protocol):
    """A board at its raw REPL."""

    def exec(self, code: str, timeout_s: float = 3.0) -> str:
        """Run `code` and return what it prints."""


@dataclass(frozen=True)
class Identity:
    """What a firmware says of itself and its board.

    machine names board and microcontroller. mpy is None where no `.mpy` files are loaded. clock_hz is None where it
    does not know. library is the folder on `sys.path` that packages are copied to; its file system has files_bytes, in
    blocks of block_bytes, of which files_free_bytes are free (all 0: it does not say).
    """

    implementation: str
    version: str
    build: str
    machine: str
    platform: str
    mpy: Mpy | None
    clock_hz: int | None
    heap_free_bytes: int
    library: str
    block_bytes: int
    files_bytes: int
    files_free_bytes: int

    @property
    def firmware(self) -> str:
        """Implementation and version, as people write them."""
        name = {"micropython": "MicroPython", "circuitpython": "CircuitPython"}.get(
            self.implementation, self.implementation
        )
        return f"{name} {self.version}"

    @property
    def board(self) -> Board | None:
        """The kind of board that it runs on; None where tinympy does not know it."""
        return next((board for board in BOARDS if board.runs(self.machine)), None)


def parse(answer: str) -> Identity:
    """The Identity in what QUESTION printed. BoardError when it is none."""
    try:
        name, version, build, machine, mpy, platform, clock_hz, heap, library, block, blocks, free = ast.literal_eval(
            answer.strip()
        )
        return Identity(
            implementation=name,
            version=".".join(map(str, version)),
            build=build,
            machine=machine,
            platform=platform,
            mpy=Mpy.from_firmware(mpy) if mpy else None,
            clock_hz=clock_hz or None,
            heap_free_bytes=heap,
            library=library,
            block_bytes=block,
            files_bytes=block * blocks,
            files_free_bytes=block * free,
        )
    except (ValueError, SyntaxError, TypeError) as error:
        raise BoardError(
            f"the board does not say what it is: {answer.strip()[:80]!r}", "reset it and try again"
        ) from error


def ask(line: Line) -> Identity:
    """Ask the firmware at the other end of `line`. BoardError when it does not answer."""
    return parse(line.exec(QUESTION))


def refusal(identity: Identity, engine: str = NATIVE.name) -> BoardError | None:
    """Why `engine` does not run on this firmware, in one sentence, and what to do; None when it does."""
    if identity.implementation == "circuitpython":
        return BoardError(
            f"{identity.machine} runs {identity.firmware}, which loads no native modules",
            f"install MicroPython {RELEASE} or later; driving CircuitPython is not built yet",
        )
    mpy = identity.mpy
    if mpy is None:
        return BoardError(
            f"{identity.machine or 'the board'} runs {identity.firmware}, which loads no .mpy files",
            f"install official MicroPython firmware {RELEASE} or later",
        )
    if _number(mpy.version) < _number(deploy.MPY_VERSION):
        return BoardError(
            f"{identity.machine} runs {identity.firmware}, whose .mpy version {mpy.version} is older than "
            f"{deploy.MPY_VERSION}",
            f"install MicroPython {RELEASE} or later",
        )
    if mpy.version != deploy.MPY_VERSION:
        return BoardError(
            f"{identity.machine} runs {identity.firmware}, whose .mpy version {mpy.version} is newer than "
            f"{deploy.MPY_VERSION}",
            "install a newer tinympy, or MicroPython 1.29",
        )
    if engine != NATIVE.name and not ENGINES[engine].machine_code:
        return None
    if not mpy.native:
        return BoardError(
            f"{identity.machine} runs {identity.firmware} built without native modules",
            f"install official MicroPython firmware {RELEASE} or later that has them, or use --engine python",
        )
    if engine != NATIVE.name:
        return None
    try:
        deploy.native_module(mpy)
    except BoardError as error:
        return BoardError(f"{identity.machine} is an {mpy.architecture}: {error.message}", error.hint)
    return None


def require(identity: Identity, board: Board, where: str, engine: str = NATIVE.name) -> Mpy:
    """What the firmware at the port `where` loads.

    Raises:
        BoardError: it is not the firmware of such a board, or `engine` does not run on it.
    """
    if problem := refusal(identity, engine):
        raise problem
    mpy = identity.mpy
    assert mpy is not None
    found = identity.board
    if found is not None and board.machine is not None and found.name != board.name:
        raise BoardError(
            f"{board.name} was asked for, but at {where} is {found.name} ({identity.machine})",
            f"use --board {found.name}, or leave it away",
        )
    if mpy.architecture != board.arch:
        raise BoardError(
            f"{board.name} takes native modules for {board.arch}, but the firmware at {where} ({identity.machine}) "
            f"takes those for {mpy.architecture}",
            f"use --board {found.name}" if found else "leave --board away",
        )
    return mpy


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
