"""CSV of Qoitech's Otii: one file a channel, which the file's name says: `Main current - Arc.csv`.

Header `"Timestamp","Value"`, s and A or V. The current's file leads; voltage and general-purpose input lie beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.energy.importers import source
from tinympy.energy.importers.source import Head, Samples, no_gain_beyond, trace_of
from tinympy.energy.importers.table import Table
from tinympy.energy.trace import Floats, Trace
from tinympy.errors import UsageError

# Of the Arc (maker): ±(0.1 % + 50 nA) in the low range, which ends at about 20 mA; above, no limit was found.
_GAIN, _OFFSET_A, _LOW_RANGE_A = 1e-3, 50e-9, 20e-3


@dataclass(frozen=True)
class Options(source.Options):
    """channel -- which current: main, or adc. trigger -- which general-purpose input, 1 or 2."""

    channel: str = "main"
    trigger: int = 1


def recognises(head: Head) -> bool:
    if head.path.is_dir():
        return any(_is_otii(Head.of(each)) for each in sorted(head.path.glob("*.csv")))
    return _is_otii(head)


def load(path: Path, options: Options) -> Trace:
    folder = path if path.is_dir() else path.parent
    device = None if path.is_dir() else _device(path)
    files = [each for each in sorted(folder.glob("*.csv")) if device in (None, _device(each))]
    current = _one(files, rf"^{re.escape(options.channel)}.*current", f"{options.channel} current", folder)
    if current is None:
        raise UsageError(f"no file of the {options.channel} current is with {path.name}", "export it, as CSV")
    t, i = _read(current)
    voltage = _one(files, rf"^{re.escape(options.channel)}.*voltage", f"{options.channel} voltage", folder)
    v = None
    if voltage is not None and options.volts is None:
        times, values = _read(voltage)
        # It is sampled less often: the value holds until the next one.
        v = values[np.clip(np.searchsorted(times, t + 1e-9, "right") - 1, 0, len(values) - 1)]
    gpi = _one(files, rf"(gpi|input)\W*{options.trigger}\b", f"input {options.trigger}", folder)
    return trace_of(
        current,
        Samples(t, i, v),
        options,
        name="otii",
        gain_limits=no_gain_beyond(i, _LOW_RANGE_A, _GAIN) if "arc" in current.stem.lower() else (),
        offset_limit_a=_OFFSET_A,
        edges=_edges(gpi) if gpi is not None else (),
    )


def _is_otii(head: Head) -> bool:
    return head.first_line.replace('"', "").replace(" ", "").lower() == "timestamp,value"


def _device(path: Path) -> str:
    """`Main current - Arc.csv` is of Arc."""
    return path.stem.rpartition(" - ")[2]


def _one(files: list[Path], pattern: str, what: str, folder: Path) -> Path | None:
    found = [each for each in files if re.search(pattern, each.stem, re.IGNORECASE)]
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise UsageError(
            f"{folder} has several files of the {what}: {names}", "give the current's file, not the folder"
        )
    return found[0] if found else None


def _read(path: Path) -> tuple[Floats, Floats]:
    if not _is_otii(Head.of(path)):
        raise UsageError(f'{path.name} does not begin with "Timestamp","Value"', "export it from Otii as CSV")
    t, values = Table.of(path).read([0, 1])
    return t, values


def _edges(path: Path) -> tuple[float, ...]:
    """Where the input's level changes."""
    t, levels = _read(path)
    changes = np.flatnonzero(np.diff(levels) != 0) + 1
    edges = [float(t[at]) for at in changes]
    # A file that begins with a high level begins with its rising edge.
    return tuple([float(t[0]), *edges] if len(levels) and levels[0] else edges)
