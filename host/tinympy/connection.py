"""A board that serves a program: started if need be, deployed, spoken to, and left at its prompt at the end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tinympy import boards, deploy, drive, files, ram, records, selftest, tasks, transport
from tinympy import identity as identities
from tinympy.dut import DeviceInfo, Dut
from tinympy.errors import BoardError, NoBoardError, UsageError
from tinympy.identity import Identity

Observer = Callable[[str, int, int], None]
"""Told what is being done, how much of it, of how much."""


_VIEWS = 5
_VIEW_S = 1.0


@dataclass(frozen=True)
class Serving:
    """A board that serves, and what is known of it."""

    dut: Dut
    info: DeviceInfo
    build: deploy.Build
    board: records.Board


@dataclass(frozen=True)
class Connected:
    """A board at its raw REPL, what its firmware says of itself, and the engine it gets."""

    board: boards.Board
    port: str
    line: transport.Transport
    identity: Identity
    mpy: deploy.Mpy | None
    build: deploy.Build

    def install(self, programs: Mapping[str, bytes], progress: files.Progress | None = None) -> selftest.SelfTest:
        """Write what differs of the device package, the engine and `programs` (by the name to load them under).

        BoardError when it does not fit, or the board fails, or computes wrongly.
        """
        self.write(files.differences(self.line, self.identity.library, self.package(programs)), progress)
        return self.test()

    def write(self, found: files.Differences, progress: files.Progress | None = None) -> None:
        """Write what differs: over the line, or to the board's drive where only its computer may write.

        BoardError when it does not fit, or the board fails.
        """
        if found.none:
            return
        if self.identity.writable:
            files.write(self.line, found, progress)
            return
        volume = drive.require(self.line)
        drive.write(volume, found, progress)
        # What this computer has written the board may see a moment later.
        for _ in range(_VIEWS):
            left = files.differences(self.line, self.identity.library, found.files)
            if left.none:
                return
            time.sleep(_VIEW_S)
        raise BoardError(
            f"{left.folder}/{[*left.stale, *left.obsolete][0]} is not on the board what was written to {volume}",
            "eject the drive, reset the board, try again",
        )

    def remove(self, paths: list[str]) -> None:
        """Remove these files of tinympy's folder, and the folder if it is left empty. BoardError as `write` does."""
        if self.identity.writable:
            files.remove(self.line, self.identity.library, paths)
        else:
            drive.remove(drive.require(self.line), self.identity.library, paths)

    def dut(self) -> Dut:
        """What it serves, when it was started."""
        return Dut(self.line, patience=self.board.patience, escaped=self.identity.circuitpython)

    def package(self, programs: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files of tinympy's folder on this board: the package, the engine, `programs` and the self-test's."""
        return deploy.package(self.build, {**programs, selftest.NAME: selftest.program()})

    def test(self) -> selftest.SelfTest:
        """Prove that the installed engine computes what it should. BoardError when it does not."""
        result = selftest.run(self.line, self.build.name, self.build.engine)
        selftest.require(result, self.build.name)
        return result


@contextlib.contextmanager
def connected(
    board: boards.Board,
    programs: Mapping[str, bytes] | None = None,
    check: Callable[[], None] = lambda: None,
    engine: str | None = None,
) -> Iterator[Connected]:
    """Start the board, or open the port it is attached to; `programs` may be on it already where it is started.

    check -- called several times a second; what it raises ends the context
    engine -- what is to execute programs there; None: the board's

    Raises:
        NoBoardError, BoardError: the board, or `engine` does not run on its firmware.
    """
    engine = engine or board.engine
    with (
        _reached(board, programs, engine) as reached,
        transport.open(reached.port, reached.interrupt, board.patience, check) as line,
    ):
        identity = identities.ask(line)
        mpy = identities.require(identity, board, reached.port, engine)
        if identity.circuitpython:
            # Whatever is written to the drive would start the board anew.
            line.exec("import supervisor\nsupervisor.runtime.autoreload = False")
        yield Connected(board, reached.port, line, identity, mpy, deploy.build(engine, mpy))


@contextlib.contextmanager
def serving(
    board: boards.Board,
    task: tasks.Task,
    program: bytes,
    observe: Observer,
    in_ram: bool = False,
    check: Callable[[], None] = lambda: None,
    mark: deploy.Mark | None = None,
    engine: str | None = None,
) -> Iterator[Serving]:
    """Put `program`, that of the task's model, on the board and serve it there while the context lasts.

    in_ram -- write nothing to the board's file system; files are in its heap until the model is loaded
    check -- called several times a second; what it raises ends the context
    mark -- how the board shows timed windows to a meter
    engine -- what executes the program there; None: the board's

    Raises:
        NoBoardError, BoardError: the board.
    """
    with (
        connected(board, None if in_ram else {task.name: program}, check, engine) as found,
        served(found, task, program, observe, in_ram, mark) as serving,
    ):
        yield serving


@contextlib.contextmanager
def served(
    found: Connected,
    task: tasks.Task,
    program: bytes,
    observe: Observer,
    in_ram: bool = False,
    mark: deploy.Mark | None = None,
) -> Iterator[Serving]:
    """The same on a board that is connected; afterwards it is at its raw REPL again."""
    board, line = found.board, found.line

    def progress(done: int, total: int) -> None:
        observe("deploy", done, total)

    if in_ram:
        if found.identity.circuitpython:
            raise UsageError(f"{found.identity.firmware} imports from its drive only", "leave --in-ram away")
        package = found.package({task.name: program})
        needed = ram.needed_bytes(package, program, found.build.ram_bytes)
        ram.inject(line, package, needed, found.identity.heap_free_bytes, progress)
        found.test()
    else:
        found.install({task.name: program}, progress)
    engine = found.build.engine.name
    wire = (task.wire_input, task.wire_results, task.wire_bytes)
    line.start(deploy.serve_code(task.name, *wire, loaded=ram.RELEASE if in_ram else "", mark=mark, engine=engine))
    dut = found.dut()
    dut.wait_ready()
    info = dut.info()
    described = records.Board(
        name=board.name,
        port=found.port,
        firmware=f"{info.implementation} {info.version}, {info.build}",
        mpy=found.mpy.version if found.mpy else "none",
        arch=found.mpy.architecture if found.mpy and found.mpy.native else board.arch,
        clock_hz=info.clock_hz or board.clock_hz,
        emulated=board.emulated,
        ticks_step_us=info.ticks_step_us,
        # An emulated chip has no temperature, whatever its sensor says.
        temperature_c=None if board.emulated else info.temperature_c,
    )
    yield Serving(dut, info, found.build, described)
    dut.close()
    line.leave()


@dataclass
class _Attached:
    """A board that runs by itself."""

    port: str

    def interrupt(self) -> None:
        """Nothing: Ctrl-C on the line is enough."""

    def stop(self) -> None:
        """Nothing: it goes on."""


@contextlib.contextmanager
def _reached(board: boards.Board, programs: Mapping[str, bytes] | None, engine: str) -> Iterator[boards.Launched]:
    if board.port is not None:
        yield _Attached(board.port)
        return
    if board.launch is None:
        raise NoBoardError(f"no port is known for {board.name}", "name it with --port")
    there: dict[str, bytes] = {}
    if programs is not None:
        mpy = None if board.circuitpython else deploy.Mpy(deploy.MPY_VERSION, board.arch)
        build = deploy.build(engine, mpy)
        there = deploy.package_files(board.library, build, {**programs, selftest.NAME: selftest.program()})
    launched = board.launch(board, there)
    try:
        yield launched
    finally:
        launched.stop()
