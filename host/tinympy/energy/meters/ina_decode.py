"""What an INA219, INA226 or INA228 measures with, and the trace in the lines of `device/recorder/ina.py`.

An INA219 or INA226 gives current and voltage about once a millisecond, not evenly, and later than they were: a reading
is of the last round of conversions that has ended, whose middle is on average one round before it. So a sample of the
trace, which lasts from one reading to the next, has the current that is read one round after its middle.

An INA228 integrates in hardware. Its accumulator is read when the trigger changes and every `period_ms`. What lies
between two such reads is one level of the trace: v is the mean of both voltages, and i the current with which
i * v * length is the accumulated energy. So a window from edge to edge has exactly the energy that the chip counted,
however slow the line is, and the trace's shape is as coarse as `period_ms`. A level is written as equal samples of at
most a millisecond, because that, and not `period_ms`, is how well the edges are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinympy.energy.trace import Floats, MeterSpec, Trace
from tinympy.errors import MeterError

Chip = Literal["ina219", "ina226", "ina228"]
Counts = npt.NDArray[np.int64]

RANGES_MV: dict[Chip, tuple[int, ...]] = {"ina219": (40, 80, 160, 320), "ina226": (80,), "ina228": (40, 160)}
# The largest errors that the data sheets state at 25 degrees: offset of the shunt's voltage in V by range, relative
# gain of the current, relative gain and offset (V) of the bus voltage. In the INA228's gain is its oscillator, 0.5 %.
_OFFSETS_V: dict[Chip, tuple[float, ...]] = {
    "ina219": (100e-6, 125e-6, 150e-6, 200e-6),
    "ina226": (10e-6,),
    "ina228": (1e-6, 1e-6),
}
_GAINS: dict[Chip, float] = {"ina219": 0.005, "ina226": 0.001, "ina228": 0.0055}
_VOLTAGES: dict[Chip, tuple[float, float]] = {
    "ina219": (0.005, 4e-3),
    "ina226": (0.001, 7.5e-3),
    "ina228": (0.0005, 2.5e-3),
}
_NOMINAL_V = 3.3
_ENERGY_COUNT = 16 * 3.2
_ENERGY_PERIOD = 1 << 40
# A reading that is this much later than usual does not stand for the time since the one before.
_LATE = 20.0
# How long a recorder may take to see an edge.
_EDGE_S = 1e-3
_FIELDS = {"ina219": 4, "ina226": 4, "ina228": 5}

END = b"# end"
_HEADER = re.compile(r"# (ina2\d\d) shunt=(\S+) lsb=(\S+) volts=(\S+) full=(\d+) round=(\d+) ticks=(\d+)\s*")


@dataclass(frozen=True)
class Header:
    """The recorder's first line.

    lsb_a, lsb_v -- of one count; full -- the count where the range ends; round_us -- what converting both takes;
    ticks -- us until its clock wraps
    """

    chip: Chip
    shunt_ohm: float
    lsb_a: float
    lsb_v: float
    full: int
    round_us: int
    ticks: int


def specification(chip: Chip, shunt_ohm: float, shunt_limit: float, range_mv: int | None) -> MeterSpec:
    """What is known of such a meter; the voltage's offset counts as a part of 3.3 V."""
    at = 0 if range_mv is None else RANGES_MV[chip].index(range_mv)
    gain, offset_v = _VOLTAGES[chip]
    return MeterSpec(
        chip,
        gain_limits=(shunt_limit + _GAINS[chip],),
        offset_limit_a=_OFFSETS_V[chip][at] / shunt_ohm,
        voltage_limit=gain + offset_v / _NOMINAL_V,
        voltage_basis="measured",
    )


def header(line: str) -> Header:
    """The Header in the recorder's first line. MeterError when it is none."""
    match = _HEADER.fullmatch(line)
    if match is None:
        raise MeterError(f"the recorder says {line.strip()[:60]!r}", "reset its board and try again")
    chip, shunt, lsb, volts, full, round_us, ticks = match.groups()
    return Header(chip, float(shunt), float(lsb), float(volts), int(full), int(round_us), int(ticks))  # type: ignore[arg-type]


def decode(said: bytes, header: Header, spec: MeterSpec) -> Trace:
    """The trace in the recorder's lines.

    Raises:
        MeterError: there are not two whole lines.
    """
    rows, damaged = _rows(said, _FIELDS[header.chip])
    if len(rows) < 2:
        raise MeterError("the recorder sent nothing that can be read", "try another cable or port")
    t = _unwrapped(rows[:, 0], header.ticks) / 1e6
    v = (rows[:, 2] * header.lsb_v).astype(np.float64)
    i: Floats
    mean_v: Floats
    notes = [f"{damaged} lines of the recorder were damaged"] if damaged else []
    if header.chip == "ina228":
        joules = np.diff(rows[:, 1]) % _ENERGY_PERIOD * (_ENERGY_COUNT * header.lsb_a)
        over = int(np.count_nonzero(rows[1:, 4]))
        mean_v = (v[:-1] + v[1:]) / 2
        volt_seconds = mean_v * np.diff(t)
        i = np.divide(joules, volt_seconds, out=np.zeros_like(joules), where=volt_seconds > 0)
        pieces = np.maximum(1, np.ceil(np.diff(t) / _EDGE_S)).astype(np.int64)
        t = _divided(t, pieces)
        i, mean_v, bits = np.repeat(i, pieces), np.repeat(mean_v, pieces), np.repeat(rows[:-1, 3], pieces)
    else:
        over = int(np.count_nonzero(np.abs(rows[1:, 1]) >= header.full))
        lengths = np.diff(t)
        late = lengths > _LATE * np.median(lengths)
        middles = (t[:-1] + t[1:]) / 2 + header.round_us / 1e6
        i = np.where(late, np.nan, np.interp(middles, t, rows[:, 1] * header.lsb_a)).astype(np.float64)
        t, mean_v, bits = t[:-1], np.interp(middles, t, v).astype(np.float64), rows[:-1, 3]
    if over:
        notes.append(f"{over} readings are beyond the shunt's range: choose a larger range_mv or a smaller shunt")
    seen_v = float(np.median(v)) or _NOMINAL_V
    gain, offset_v = _VOLTAGES[header.chip]
    full_scale_a = header.full * header.lsb_a
    spec = replace(spec, voltage_limit=gain + offset_v / seen_v, full_scale_a=full_scale_a)
    return Trace(t, i, mean_v, spec, bits=bits.astype(np.uint8), notes=tuple(notes))


def _rows(said: bytes, fields: int) -> tuple[Counts, int]:
    """The lines of `fields` whole numbers, shape (n, fields), and how many others there are before the end."""
    lines = said.partition(END)[0].split(b"\n")[:-1]
    rows, damaged = [], 0
    for line in lines:
        values = line.strip().split(b",")
        try:
            row = [int(value) for value in values]
        except ValueError:
            row = []
        if len(row) == fields:
            rows.append(row)
        else:
            damaged += 1
    return np.array(rows, np.int64).reshape(-1, fields), damaged


def _unwrapped(ticks: Counts, period: int) -> Floats:
    """us since the first of readings of a counter that wraps at `period`."""
    return np.append(0, np.cumsum(np.diff(ticks) % period)).astype(np.float64)


def _divided(t: Floats, pieces: Counts) -> Floats:
    """Where samples begin when each interval between two times of t is `pieces` of them."""
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = np.repeat(np.diff(t) / pieces, pieces)
    begin: Floats = np.repeat(t[:-1], pieces) + (np.arange(first.size) - first) * step
    return begin
