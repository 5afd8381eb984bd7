"""CSV of Monsoon's power monitors: `Time(ms),Main(mA),Main Voltage(V),` with a comma too many.

PyMonsoon writes seconds under `Time(ms)`, and with numpy 2 numbers as `np.float64(1.5)`; both are understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.energy.importers import source
from tinympy.energy.importers.source import Head, Samples, trace_of
from tinympy.energy.importers.table import Table
from tinympy.energy.trace import Floats, Trace
from tinympy.errors import UsageError

_HEADER = re.compile(r'^"?Time ?\((ms|s)\)"?,.*Main ?(Avg Current ?)?\(mA\)', re.IGNORECASE)
# It takes 5000 samples a second: steps below this in "ms" are seconds.
_SHORTEST_MS = 0.1


@dataclass(frozen=True)
class Options(source.Options):
    """channel -- main, usb or aux."""

    channel: str = "main"


def recognises(head: Head) -> bool:
    return bool(_HEADER.match(head.first_line))


def load(path: Path, options: Options) -> Trace:
    channel = re.escape(options.channel)
    table = _table(path)
    time, current = table.column("^time"), table.column(rf"^{channel}.*\(mA\)")
    if time is None or current is None:
        raise UsageError(f"{path.name} has no columns of time and of the {options.channel} current", "channel=main")
    voltage = table.column(rf"^{channel} voltage", rf"^{channel}.*\(V\)")
    wanted = [time, current] + ([voltage] if voltage is not None else [])
    t, i, *rest = _read(path, table, wanted)
    notes: tuple[str, ...] = ()
    if "(ms)" in table.header[time].lower():
        if len(t) > 1 and (t[-1] - t[0]) / (len(t) - 1) < _SHORTEST_MS:
            notes = ("the column Time(ms) has seconds, as PyMonsoon writes it",)
        else:
            t = t * 1e-3
    t, spread = _spread(t)
    return trace_of(
        path, Samples(t, i * 1e-3, rest[0] if rest else None), options, name="monsoon", notes=notes + spread
    )


def _spread(t: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Samples that arrived together have one stamp: they are spread evenly up to the next one."""
    steps = np.diff(t)
    if (steps < 0).any() or (steps > 0).all():
        return t, ()
    first = np.concatenate(([0], np.flatnonzero(steps > 0) + 1))
    if len(first) < 2:
        return t, ()
    # The last group goes on at the pace of those before.
    pace = (t[first[-1]] - t[0]) / first[-1]
    anchors = np.append(t[first], t[first[-1]] + pace * (len(t) - first[-1]))
    spread = np.interp(np.arange(len(t)), np.append(first, len(t)), anchors)
    return spread, ("samples with one time stamp are spread up to the next",)


def _table(path: Path) -> Table:
    """The layout; where the values are numpy's representations, of the text inside."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline().rstrip("\r\n")
        first = file.readline()
    if "(" not in first:
        return Table.of(path)
    names = tuple(name.strip().strip('"') for name in header.rstrip(",").split(","))
    return Table(path, ",", names, len(names), 1)


def _read(path: Path, table: Table, columns: list[int]) -> list[Floats]:
    with path.open(encoding="utf-8-sig") as file:
        file.readline()
        plain = "(" not in file.readline()
    if plain:
        return table.read(columns)

    def cleaned() -> Iterator[str]:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                yield line.replace("np.float64(", "").replace(")", "")

    return table.read(columns, lines=cleaned())
