"""Emulated meters: processes that speak an instrument's wire protocol, for tests and for classes without a meter.

Their current follows the trigger line of whoever plays the board (trigger.py, profile.py). What they measure is marked
as emulated wherever it is shown.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tinympy.errors import MeterError

from .process import FIFO, KINDS, meter_defaults, option_names, read_options
from .trigger import set_level

__all__ = ["KINDS", "Emulator", "launch", "meter_defaults", "option_names", "read_options"]

_PROGRAM = f"import sys; from {__name__}.process import main; main(*sys.argv[1:])"
_START_S = 30.0
_END_S = 2.0


class Emulator:
    """An emulated meter that runs: a process that ends with this one. Also a context manager.

    address -- path of its pseudo-terminal, or host:port
    trigger -- path of the FIFO that is the board's trigger line (trigger.py)
    """

    def __init__(self, kind: str, options: Mapping[str, str]) -> None:
        read_options(kind, options)
        self._folder = tempfile.mkdtemp(prefix="tinympy-meter-")
        self.trigger = str(Path(self._folder, FIFO))
        os.mkfifo(self.trigger)
        # With an end that is open here, whoever writes to it does not wait for a process that has ended.
        self._fifo = os.open(self.trigger, os.O_RDONLY | os.O_NONBLOCK)
        log = Path(self._folder, "log")
        try:
            with log.open("wb") as errors:
                # A session of its own: Ctrl-C at the terminal is for the process that started it.
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM, kind, self._folder, json.dumps(dict(options))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            try:
                self.address = self._read_address(kind, log)
            except BaseException:
                self._end()
                raise
        except BaseException:
            self._clean()
            raise

    def set_trigger(self, level: bool) -> float:
        """Raise or lower the board's trigger line; when that was, in s of `time.monotonic`."""
        return set_level(self.trigger, level)

    def close(self) -> None:
        """Ends it; whoever is connected sees it unplugged."""
        if self._process.returncode is None:
            self._end()
            self._clean()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_address(self, kind: str, log: Path) -> str:
        assert self._process.stdout is not None
        said, deadline = b"", time.monotonic() + _START_S
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._process.stdout.fileno(), 1024) if ready else b""
            if not data:
                reason = (log.read_text(errors="replace").strip().splitlines() or ["it did not start in time"])[-1]
                raise MeterError(f"the emulated {kind} does not run: {reason}", "try again")
            said += data
        return said.decode().strip()

    def _end(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _clean(self) -> None:
        os.close(self._fifo)
        shutil.rmtree(self._folder, ignore_errors=True)


def launch(kind: str, options: Mapping[str, str] | None = None) -> Emulator:
    """Start an emulated meter: `with launch("ppk2", {"lost": "0.03"}) as emulator: open_meter at emulator.address`.

    Raises:
        UsageError: there is no such kind or option.
        MeterError: it did not start.
    """
    return Emulator(kind, options or {})
