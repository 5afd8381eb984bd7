"""What all importers share: the beginning of a file, the options of every format, and how samples become a trace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tinympy.energy.trace import Bits, Floats, MeterSpec, Trace, VoltageBasis
from tinympy.errors import UsageError

_HEAD_BYTES = 8192
_REGULAR = 0.9


@dataclass(frozen=True)
class Options:
    """Of every format.

    volts -- the supply, where the file has no voltage
    serial -- of the meter
    gain -- relative limit of the meter's error, 0.1 for ±10 %, where it is not known or known better
    """

    volts: float | None = None
    serial: str | None = None
    gain: float | None = None


@dataclass(frozen=True)
class Head:
    """Where a file is and how it begins; a folder begins with nothing."""

    path: Path
    content: bytes

    @classmethod
    def of(cls, path: Path) -> Head:
        if path.is_dir():
            return cls(path, b"")
        with path.open("rb") as file:
            return cls(path, file.read(_HEAD_BYTES))

    @property
    def first_line(self) -> str:
        """Without its end and a byte order mark; empty where the file is no text."""
        if b"\0" in self.content:
            return ""
        text = self.content.decode("utf-8", "replace").removeprefix("\ufeff")
        return text.splitlines()[0].strip() if text else ""


class Importer(Protocol):
    """A module of this package."""

    Options: type[Any]

    def recognises(self, head: Head) -> bool: ...

    def load(self, path: Path, options: Any) -> Trace: ...


@dataclass(frozen=True)
class Samples:
    """What a file has, in SI units, before it is a trace; shapes (n,)."""

    t: Floats
    i: Floats
    v: Floats | None = None
    bits: Bits | None = None


def trace_of(
    path: Path,
    samples: Samples,
    options: Options,
    *,
    name: str,
    gain_limits: tuple[float, ...] = (),
    offset_limit_a: float = 0.0,
    serial: str | None = None,
    rate_hz: float | None = None,
    edges: tuple[float, ...] = (),
    notes: tuple[str, ...] = (),
) -> Trace:
    """Checks the times, puts NaN where samples are missing, and says what is known of the meter.

    Raises:
        UsageError: fewer than two samples, times that stand still or go back, no voltage.
    """
    t = samples.t
    if len(t) < 2:
        raise UsageError(f"{path.name} has {len(t)} samples", "a recording has at least two; is the file cut off?")
    wrong = np.flatnonzero(~(np.diff(t) > 0))
    if len(wrong):
        at = int(wrong[0]) + 1
        raise UsageError(
            f"{path.name}: the time of sample {at + 1}, {t[at]:.9g} s, is not after that of the one before, "
            f"{t[at - 1]:.9g} s",
            "is the column the time, and are two recordings in one file?",
        )
    if options.gain is not None and not 0 < options.gain < 1:
        raise UsageError(f"gain={options.gain:g} is no limit", "±10 % is gain=0.1")
    v, basis = _voltage(path, samples, options)
    filled, v, regular_hz, note = _with_gaps(samples, v)
    lost = int(np.count_nonzero(~np.isfinite(filled.i)))
    if lost == len(filled.i):
        raise UsageError(f"{path.name} has no current", "is the column the current?")
    spec = MeterSpec(
        name=name,
        serial=options.serial or serial,
        rate_hz=rate_hz or regular_hz,
        gain_limits=gain_limits if options.gain is None else (options.gain,),
        offset_limit_a=offset_limit_a,
        voltage_basis=basis,
    )
    return Trace(filled.t, filled.i, v, spec, filled.bits, edges=edges, notes=notes + note)


def no_gain_beyond(i: Floats, limit_a: float, gain: float) -> tuple[float, ...]:
    """`gain` for a recording that stays within `limit_a` but for a thousandth of its samples; else nothing is known."""
    known = i[np.isfinite(i)]
    return (gain,) if np.mean(known > limit_a) <= 1e-3 else ()


def _voltage(path: Path, samples: Samples, options: Options) -> tuple[Floats | float, VoltageBasis]:
    if samples.v is not None and options.volts is None:
        return samples.v, "measured"
    if options.volts is None:
        raise UsageError(f"{path.name} has no voltage", "say what the supply was: volts=3.3")
    if not options.volts > 0:
        raise UsageError(f"volts={options.volts:g} is no supply", "say what the supply was: volts=3.3")
    return options.volts, "assumed"


def _with_gaps(samples: Samples, v: Floats | float) -> tuple[Samples, Floats | float, float | None, tuple[str, ...]]:
    """Rows that are missing become one sample of NaN each gap; and the rate, None where times are irregular."""
    steps = np.diff(samples.t)
    usual = float(np.median(steps))
    near = np.abs(steps - usual) <= 0.25 * usual
    if np.mean(near) < _REGULAR:
        return samples, v, None, ()
    rate = float(1 / steps[near].mean())
    gaps = np.flatnonzero(steps > 1.5 * usual) + 1
    if not len(gaps):
        return samples, v, rate, ()
    t = np.insert(samples.t, gaps, samples.t[gaps - 1] + usual)
    i = np.insert(samples.i, gaps, np.nan)
    bits = None if samples.bits is None else np.insert(samples.bits, gaps, samples.bits[gaps - 1])
    if not isinstance(v, float):
        v = np.insert(v, gaps, v[gaps - 1])
    missing = round(float((steps[gaps - 1] - usual).sum()) * rate)
    note = f"{missing} samples are missing in {len(gaps)} places of the file"
    return Samples(t, i, None, bits), v, rate, (note,)
