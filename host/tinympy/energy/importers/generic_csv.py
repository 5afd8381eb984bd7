"""Any table of times and currents: columns are found by their names, or given with their units.

load_trace("x.csv", "csv", time="t", time_unit="ms", current="2", current_unit="mA", volts="5", trigger="D0")
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.energy.importers import source
from tinympy.energy.importers.source import Head, Samples, trace_of
from tinympy.energy.importers.table import Table
from tinympy.energy.trace import Bits, Trace
from tinympy.errors import UsageError

_UNITS = {
    "time": {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9},
    "current": {"a": 1.0, "amps": 1.0, "ma": 1e-3, "ua": 1e-6, "µa": 1e-6, "μa": 1e-6, "na": 1e-9},
    "voltage": {"v": 1.0, "volts": 1.0, "mv": 1e-3, "uv": 1e-6},
}
_NAMES = {
    "time": (r"time", r"^t\b", r"^t_", r"seconds"),
    "current": (r"current", r"^i\b", r"^i_", r"amp", r"\bmA\b"),
    "voltage": (r"volt", r"^v\b", r"^u\b", r"^v_"),
    "trigger": (r"trig",),
}


@dataclass(frozen=True)
class Options(source.Options):
    """Columns are names, or numbers from 1; units as in s, ms, us, A, mA, uA, V, mV.

    rate -- samples per second, for a table without times
    trigger -- the column with the trigger's level; threshold -- half of its range where that is not given
    """

    time: str | None = None
    time_unit: str | None = None
    current: str | None = None
    current_unit: str | None = None
    voltage: str | None = None
    voltage_unit: str | None = None
    trigger: str | None = None
    threshold: float | None = None
    rate: float | None = None


def recognises(head: Head) -> bool:
    return bool(head.first_line) and b"\0" not in head.content


def load(path: Path, options: Options) -> Trace:
    table = Table.of(path)
    current = _column(table, "current", options.current)
    if current is None:
        raise UsageError(f"{path.name}: no column looks like a current", _choices(table, "current"))
    time = None if options.rate else _column(table, "time", options.time)
    if time is None and not options.rate:
        raise UsageError(f"{path.name}: no column looks like the time", _choices(table, "time") + ", or give rate=1000")
    if options.rate is not None and not options.rate > 0:
        raise UsageError(f"rate={options.rate:g} is no rate", "samples per second: rate=1000")
    voltage = None if options.volts is not None else _column(table, "voltage", options.voltage)
    trigger = _column(table, "trigger", options.trigger)
    wanted = {"current": current, "time": time, "voltage": voltage, "trigger": trigger}
    there = {name: column for name, column in wanted.items() if column is not None}
    values = dict(zip(there, table.read(list(there.values())), strict=True))
    scales, notes = {}, []
    for name, given in (
        ("time", options.time_unit),
        ("current", options.current_unit),
        ("voltage", options.voltage_unit),
    ):
        if name in there:
            scales[name], note = _scale(table, there[name], name, given)
            notes += note
    i = values["current"] * scales["current"]
    if options.rate:
        t = np.arange(len(i)) / options.rate
    else:
        t = values["time"] * scales["time"]
        t = t - t[:1].sum()
    v = values["voltage"] * scales["voltage"] if voltage is not None else None
    bits = _levels(values["trigger"], options.threshold) if trigger is not None else None
    return trace_of(path, Samples(t, i, v, bits), options, name="csv", notes=tuple(notes))


def _column(table: Table, what: str, given: str | None) -> int | None:
    if given is None:
        return table.column(*_NAMES[what])
    if given in table.header:
        return table.header.index(given)
    if given.isdigit() and 1 <= int(given) <= table.columns:
        return int(given) - 1
    raise UsageError(f"{table.path.name} has no column {given}", _choices(table, what))


def _choices(table: Table, what: str) -> str:
    names = ", ".join(table.header) if table.header else f"1 to {table.columns}"
    return f"say which one: {what}=… ({names})"


def _scale(table: Table, column: int, what: str, given: str | None) -> tuple[float, list[str]]:
    """What values are to be multiplied with: by the unit given, the one in the column's name, else SI, with a note."""
    units = _UNITS[what]
    if given is not None:
        if given.lower() not in units:
            raise UsageError(f"{given} is no unit of a {what}", f"units: {', '.join(units)}")
        return units[given.lower()], []
    name = table.header[column] if column < len(table.header) else ""
    found = re.findall(r"[A-Za-zµμ]+", name)
    for word in reversed(found):
        if word.lower() in units and (len(found) > 1 or word.lower() not in ("a", "v", "s")):
            return units[word.lower()], []
    base = {"time": "s", "current": "A", "voltage": "V"}[what]
    return 1.0, [f"the column of the {what} names no unit: {base} assumed"]


def _levels(values: np.ndarray, threshold: float | None) -> Bits:
    if threshold is None:
        known = values[np.isfinite(values)]
        threshold = float(known.min() + known.max()) / 2 if len(known) else 0.5
        # A line that never moves is low.
        threshold = threshold if len(known) and known.max() > known.min() else float("inf")
    return (values > threshold).astype(np.uint8)
