"""CSV of Joulescope's programs, three of them.

`pyjls csv` writes `# timestamp,JS220-….current,…`, the program's waveform `# time,…current,…voltage`, both in s, A and
V; the old `joulescope recording --export` two columns without a header, A and V, whose rate has to be given.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.energy.importers import source
from tinympy.energy.importers.source import Head, Samples, trace_of
from tinympy.energy.importers.table import Table
from tinympy.energy.trace import Trace
from tinympy.errors import UsageError


@dataclass(frozen=True)
class Options(source.Options):
    """rate -- samples per second, for a file without times. trigger -- the general-purpose input, 0 to 3."""

    rate: float | None = None
    trigger: int = 0


def recognises(head: Head) -> bool:
    first = head.first_line.lower()
    return first.startswith(("# time", "#time")) and "current" in first


def load(path: Path, options: Options) -> Trace:
    table = Table.of(path)
    if not table.header:
        return _bare(path, table, options)
    time, current = table.column("^time"), table.column(r"current$", "current")
    if time is None or current is None:
        raise UsageError(f"{path.name} has no columns of time and current", "export the current as well")
    voltage = table.column(r"voltage$", "voltage")
    gpi = table.column(rf"gpi\W*{options.trigger}\W*$")
    columns = [time, current, *(each for each in (voltage, gpi) if each is not None)]
    t, i, *rest = table.read(columns)
    v = rest.pop(0) if voltage is not None else None
    # The programs average the inputs over a row: half of it is the edge.
    bits = (rest[0] >= 0.5).astype(np.uint8) << np.uint8(options.trigger) if gpi is not None else None
    return trace_of(path, Samples(t - t[0] if len(t) else t, i, v, bits), options, name="joulescope")


def _bare(path: Path, table: Table, options: Options) -> Trace:
    if table.columns != 2 or options.rate is None or not options.rate > 0:
        raise UsageError(
            f"{path.name} has {table.columns} columns without names", "for a file of current and voltage, give rate=2e6"
        )
    i, v = table.read([0, 1])
    return trace_of(path, Samples(np.arange(len(i)) / options.rate, i, v), options, name="joulescope")
