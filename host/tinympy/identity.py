"""Which firmware runs on a board: asked in one question, and held against what tinympy needs.

Nothing is asked about floats: no float passes the native module's boundary. The self-test tells how they are passed.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from tinympy import deploy
from tinympy.boards import BOARDS, Board
from tinympy.deploy import Mpy
from tinympy.engines import ENGINES, NATIVE
from tinympy.errors import BoardError
from tinympy.line import Line
from tinympy.ram import FORGET

RELEASE = "1.23"
CIRCUITPYTHON = "circuitpython"
_OLDEST_CIRCUITPYTHON = "8.0"

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
    try:
        import ulab
        ulab = ulab.__version__
    except Exception:
        ulab = ""
    try:
        import storage
        writable = not storage.getmount("/").readonly
    except Exception:
        writable = True
    mpy = getattr(i, "_mpy", getattr(i, "mpy", 0))
    return (i.name, tuple(i.version)[:3], sys.version, machine, mpy, sys.platform,
        clock_hz, gc.mem_free() if hasattr(gc, "mem_free") else 0, library, block, blocks, free, ulab, writable)
print(_tinympy_asks())
del _tinympy_asks
"""
)


@dataclass(frozen=True)
class Identity:
    """What a firmware says of itself and its board.

    machine names board and microcontroller. mpy is None where none of our `.mpy` files are loaded. clock_hz is None
    where it does not know. library is the folder on `sys.path` that packages are copied to; its file system has
    files_bytes, in blocks of block_bytes, of which files_free_bytes are free (all 0: it does not say); writable says
    whether code on the board may write there. ulab is its version, "" where the firmware has none.
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
    ulab: str
    writable: bool

    @property
    def circuitpython(self) -> bool:
        """Whether it is CircuitPython: no native modules, `.mpy` files of its own, a console that keeps Ctrl-C."""
        return self.implementation == CIRCUITPYTHON

    @property
    def engine(self) -> str:
        """The fastest engine that runs on it, going by what it loads."""
        if self.circuitpython:
            return "ulab" if self.ulab else "python"
        if self.mpy is not None and self.mpy.version == deploy.MPY_VERSION:
            try:
                deploy.native_module(self.mpy)
            except BoardError:
                return "python"
        return NATIVE.name

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
        name, version, build, machine, mpy, platform, clock_hz, heap, library, *volume, ulab, writable = (
            ast.literal_eval(answer.strip())
        )
        block, blocks, free = volume
        return Identity(
            implementation=name,
            version=".".join(map(str, version)),
            build=build,
            machine=machine,
            platform=platform,
            mpy=Mpy.from_firmware(mpy) if mpy and name != CIRCUITPYTHON else None,
            clock_hz=clock_hz or None,
            heap_free_bytes=heap,
            library=library,
            block_bytes=block,
            files_bytes=block * blocks,
            files_free_bytes=block * free,
            ulab=ulab,
            writable=writable,
        )
    except (ValueError, SyntaxError, TypeError) as error:
        raise BoardError(
            f"the board does not say what it is: {answer.strip()[:80]!r}", "reset it and try again"
        ) from error


def ask(line: Line) -> Identity:
    """Ask the firmware at the other end of `line`. BoardError when it does not answer."""
    return parse(line.exec(QUESTION))


def refusal(identity: Identity, engine: str | None = None) -> BoardError | None:
    """Why `engine` does not run on this firmware, in one sentence, and what to do; None when it does.

    Without engine: why none of them does.
    """
    engine = engine or identity.engine
    if engine == "ulab" and not identity.ulab:
        return BoardError(
            f"{identity.machine} runs {identity.firmware} without ulab",
            "use --engine python, or firmware that was built with ulab",
        )
    if identity.circuitpython:
        return _circuitpython_refusal(identity, engine)
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


def _circuitpython_refusal(identity: Identity, engine: str) -> BoardError | None:
    if _number(identity.version) < _number(_OLDEST_CIRCUITPYTHON):
        return BoardError(
            f"{identity.machine} runs {identity.firmware}, which is older than {_OLDEST_CIRCUITPYTHON}",
            "install a current CircuitPython",
        )
    if engine == NATIVE.name or ENGINES[engine].machine_code:
        return BoardError(
            f"{identity.machine} runs {identity.firmware}, which loads no native modules",
            f"use --engine {identity.engine}, or install MicroPython {RELEASE} or later",
        )
    return None


def require(identity: Identity, board: Board, where: str, engine: str | None = None) -> Mpy | None:
    """The native modules that the firmware at the port `where` loads, if it does.

    Raises:
        BoardError: it is not the firmware of such a board, or `engine` does not run on it.
    """
    if problem := refusal(identity, engine):
        raise problem
    mpy = identity.mpy
    found = identity.board
    if found is not None and board.machine is not None and found.name != board.name:
        raise BoardError(
            f"{board.name} was asked for, but at {where} is {found.name} ({identity.machine})",
            f"use --board {found.name}, or leave it away",
        )
    if mpy is not None and mpy.native and mpy.architecture != board.arch:
        raise BoardError(
            f"{board.name} takes native modules for {board.arch}, but the firmware at {where} ({identity.machine}) "
            f"takes those for {mpy.architecture}",
            f"use --board {found.name}" if found else "leave --board away",
        )
    return mpy


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
