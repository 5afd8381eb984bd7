"""What the process of an emulated meter runs: `main(kind, folder, options)`.

It prints its address and serves until its standard input ends, which it does when the process that started it is gone,
however that ended.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinympy.errors import UsageError

from ..options import names, parse
from .profile import Profile
from .trigger import TriggerLine

KINDS = ("ppk2", "lpm01a", "otii", "ina")
FIFO = "trigger"


@dataclasses.dataclass(frozen=True)
class Scene:
    """What an emulated meter finds around it: the board's current, its trigger line, and whom to tell the address."""

    profile: Profile
    line: TriggerLine

    def announce(self, address: str) -> None:
        """Says that clients can connect."""
        print(address, flush=True)


def emulator(kind: str) -> Any:
    """The module of that kind: it has a dataclass `Options` and `serve(scene, options)`, which does not return.

    Raises:
        UsageError: there is no such kind.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no emulated meter {kind}", f"emulated meters: {', '.join(KINDS)}")
    return importlib.import_module(f".{kind}", __package__)


def read_options(kind: str, given: Mapping[str, str]) -> tuple[Profile, Any]:
    """Its options, some of which are the profile's.

    Raises:
        UsageError: there is no such kind, no such option, or its value is no such thing.
    """
    module, of = emulator(kind), f"the emulated {kind}"
    ours = names(Profile)
    for name in given:
        if name not in (*ours, *names(module.Options)):
            raise UsageError(f"{of} has no option {name}", f"options of it: {', '.join(option_names(kind))}")
    profile = parse(Profile, {name: text for name, text in given.items() if name in ours}, of)
    return profile, parse(module.Options, {name: text for name, text in given.items() if name not in ours}, of)


def option_names(kind: str) -> list[str]:
    return [*names(Profile), *names(emulator(kind).Options)]


def meter_defaults(kind: str) -> dict[str, str]:
    """Options of the meter that go without saying where it is emulated, as far as none of them is given."""
    return dict(getattr(emulator(kind), "METER_DEFAULTS", {}))


def _end_with_parent(folder: str) -> None:
    while os.read(sys.stdin.fileno(), 64):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main(kind: str, folder: str, options: str) -> None:
    """Serve an emulated meter whose FIFO is in `folder`; `options` are JSON."""
    # What is temporary goes when that folder does.
    tempfile.tempdir = folder
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    profile, own = read_options(kind, json.loads(options))
    emulator(kind).serve(Scene(profile, TriggerLine(str(Path(folder, FIFO)))), own)
    while True:  # the instrument is off or unplugged, its board is not
        time.sleep(60)
