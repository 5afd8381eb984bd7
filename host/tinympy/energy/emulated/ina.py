"""An emulated second board with an INA219, INA226 or INA228: MicroPython's Unix port, which runs the real recorder.

Only its modules `machine`, `time` and `select` are stand-ins (`device/recorder/stand_in.py`): a model of the chip's
registers, the trigger pin, and the board's clock, which a busy computer does not disturb. Any pin of it is wired to the
board's trigger line. Options beside those of the profile:

chip -- ina219, ina226 or ina228, and shunt -- ohm, as the meter has them; volts -- V of the board's supply
gain -- relative error of the current; offset -- A
fault -- unplug:SECONDS after the first reading, absent: no chip answers, other: another chip answers
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from tinympy.boards.unix import UnixBoard
from tinympy.errors import UsageError

from .process import Scene

# A module there goes before the one that is built in, whose own name begins with u.
_SHADOWED = {
    "time": "from utime import *\nfrom machine import sleep_ms, ticks_us\n",
    "select": "from uselect import *\nfrom machine import Poll as poll\n",
}
CHIPS = ("ina219", "ina226", "ina228")
_ADDRESS, _NO_ADDRESS = 0x40, 0
_POLL_S = 0.004
METER_DEFAULTS = {"trig": "0"}


@dataclass(frozen=True)
class Options:
    chip: str = "ina228"
    shunt: float = 0.1
    volts: float = 3.3
    gain: float = 0.0
    offset: float = 0.0
    fault: str = ""

    def __post_init__(self) -> None:
        if self.chip not in CHIPS:
            raise UsageError(f"there is no emulated {self.chip}", f"chip is one of {', '.join(CHIPS)}")
        kind, _, when = self.fault.partition(":")
        if kind not in ("", "unplug", "absent", "other") or (kind == "unplug") != bool(when):
            raise UsageError(f"an emulated INA has no fault {self.fault}", "faults: unplug:SECONDS, absent, other")

    @property
    def unplug_s(self) -> float:
        """When it is unplugged; 0: never."""
        return float(self.fault.partition(":")[2] or 0)


def serve(scene: Scene, options: Options) -> None:
    """Until it is unplugged, or the process ends."""
    with UnixBoard() as board:
        edges = board.root / "edges"
        edges.touch()
        (board.root / "scene.json").write_text(json.dumps(_described(scene, options)))
        stand_in = files("tinympy.recorder").joinpath("stand_in.py").read_text()
        for name, source in {"machine": stand_in, **_SHADOWED}.items():
            (board.root / "lib" / f"{name}.py").write_text(source)
        scene.announce(board.port)
        _relay(scene, edges, board.root / "unplugged")


def _described(scene: Scene, options: Options) -> dict[str, object]:
    chip = options.chip
    if options.fault == "other":
        chip = CHIPS[CHIPS.index(chip) - 1]
    return {
        **asdict(scene.profile),
        **asdict(options),
        "chip": chip,
        "address": _NO_ADDRESS if options.fault == "absent" else _ADDRESS,
        "unplug": options.unplug_s,
    }


def _relay(scene: Scene, edges: Path, unplugged: Path) -> None:
    """Add the line's edges to a file of the interpreter's as they come, until it wants to be unplugged."""
    told = 0
    with edges.open("a") as file:
        while not unplugged.exists():
            for at, level in (known := scene.line.edges())[told:]:
                file.write(f"{level} {round(at * 1e6)}\n")
            file.flush()
            told = len(known)
            time.sleep(_POLL_S)
