"""A recording that another program makes of the run: file:PATH?trig=0, with options of the file's kind (importers).

Whoever sits there starts and stops it, and exports it to PATH, when asked to. trig=none: no trigger is wired. A kind
that the content does not tell is said with kind=.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from tinympy.errors import MeterError, UsageError

from ..importers import load_trace
from ..trace import MeterSpec, Trace


class FileMeter:
    """See tinympy.energy.meters.base.Meter. Asks on `said`, and goes on with every line of `heard`."""

    pulses = False

    def __init__(
        self, path: str, options: Mapping[str, str], said: TextIO = sys.stderr, heard: TextIO = sys.stdin
    ) -> None:
        if not path:
            raise UsageError("which file?", "file:PATH, the export of the meter's own program")
        given = dict(options)
        trigger = given.pop("trig", "0")
        if trigger != "none" and not trigger.isdecimal():
            raise UsageError(f"trig={trigger} is no logic input", "trig=0, or trig=none")
        self.trigger = None if trigger == "none" else int(trigger)
        self.spec = MeterSpec("file")
        self._path, self._kind, self._options = Path(path), given.pop("kind", None), given
        self._said, self._heard = said, heard

    def __enter__(self) -> FileMeter:
        return self

    def __exit__(self, *exception: object) -> None:
        """There is nothing to close."""

    def power(self, volts: float | None) -> None:
        raise MeterError("a file feeds no board", "turn the supply on in the meter's own program")

    def start(self) -> None:
        self._ask("start the recording in the meter's own program")

    def stop(self) -> Trace:
        self._ask(f"stop the recording and export it to {self._path}")
        return self.load()

    def load(self) -> Trace:
        """The recording that is there already. UsageError where there is none."""
        trace = load_trace(self._path, self._kind, **self._options)
        self.spec = trace.spec
        return trace

    def _ask(self, what: str) -> None:
        print(f"{what}, then press Enter", file=self._said, flush=True)
        if not self._heard.readline():
            raise MeterError("nobody is there to press Enter", "run in a terminal, or use a meter that tinympy reads")
