"""CSV of Nordic's Power Profiler: `Timestamp(ms),Current(uA)[,D0-D7][,D0,…,D7]`, each column at choice.

Format: pc-nrfconnect-ppk, exportChartAction.ts. A bit is 0, 1, X for both within one averaged sample, or - for none.
A sample that was lost is left out, or written as 0.200 µA with all bits 0, which looks like a falling edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.energy.importers import ppk2_values, source
from tinympy.energy.importers.source import Head, Samples, trace_of
from tinympy.energy.importers.table import Table
from tinympy.energy.trace import Bits, Trace
from tinympy.errors import UsageError

_RATE_HZ = 100e3


@dataclass(frozen=True)
class Options(source.Options):
    """rate -- samples per second, for a file without timestamps."""

    rate: float = _RATE_HZ


def recognises(head: Head) -> bool:
    return "Current(uA)" in head.first_line


def load(path: Path, options: Options) -> Trace:
    table = Table.of(path)
    current = table.column(r"^Current\(uA\)")
    if current is None:
        raise UsageError(f"{path.name} has no column Current(uA)", "export it with the current")
    time = table.column(r"^Timestamp\(ms\)")
    joined = table.column(r"^D0-D7")
    single = [at for at, name in enumerate(table.header) if name in [f"D{bit}" for bit in range(8)]]
    columns, kinds = [current], ["f8"]
    if time is not None:
        columns, kinds = [*columns, time], [*kinds, "f8"]
    numbers = len(columns)
    if joined is not None:
        columns, kinds = [*columns, joined], [*kinds, "S8"]
    elif len(single) == 8:
        columns, kinds = columns + single, kinds + ["S1"] * 8
    values = table.read(columns, kinds)
    i = values[0] * 1e-6
    t = values[1] * 1e-3 if time is not None else np.arange(len(i)) / options.rate
    bits = _bits(values[numbers:], joined is not None)
    i, note = ppk2_values.without_lost(i, values[0] == 0.2, bits)
    return trace_of(
        path,
        Samples(t, i, None, bits),
        options,
        name="ppk2",
        gain_limits=ppk2_values.gain_limits(i),
        offset_limit_a=ppk2_values.OFFSET_A,
        notes=note,
    )


def _bits(columns: list[np.ndarray], joined: bool) -> Bits | None:
    """Input n in bit n; what was both 0 and 1 within a sample counts as 1. None where the file has no bits."""
    if not columns:
        return None
    letters = columns[0].view("S1").reshape(len(columns[0]), 8) if joined else np.stack(columns, axis=1)
    if not len(letters) or (letters == b"-").all():
        return None
    return np.packbits((letters == b"1") | (letters == b"X"), axis=1, bitorder="little")[:, 0]
