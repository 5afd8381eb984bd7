"""The public runner's recordings, `…-energy.bin` with `…-timestamps.json`, as in submissions to MLPerf Tiny up to v1.3.

One byte F1, the rate as float32, then one float32 for each sample: µJ, little endian. The stamps are seconds, in order:
the first one opens the recording, then each two are the ends of a window.

The runner takes whole samples: from the first one that is not before the window's first stamp to the last one that is
before its second. It finds them by adding up the sample period, whose rounding grows. The same sum here gives published
energies to the last digit; with the straight product k / rate two thirds of the windows are a sample off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.energy.importers import source
from tinympy.energy.importers.source import Head, Samples, trace_of
from tinympy.energy.trace import Floats, Trace
from tinympy.errors import UsageError

_MAGIC = 0xF1
_HEADER_BYTES = 5
_RATES_HZ = (1.0, 1e6)
_VOLTS = 1.0


@dataclass(frozen=True)
class Options(source.Options):
    """timestamps -- the file of stamps; None: the one beside it. opening -- whether the first stamp is no window's."""

    timestamps: str | None = None
    opening: bool = True


def recognises(head: Head) -> bool:
    return len(head.content) >= _HEADER_BYTES and head.content[0] == _MAGIC and _is_rate(_rate(head.content))


def load(path: Path, options: Options) -> Trace:
    content = path.read_bytes()
    if not recognises(Head(path, content)):
        raise UsageError(f"{path.name} does not begin like an energy file of the runner", "is it …-energy.bin?")
    if (len(content) - _HEADER_BYTES) % 4:
        raise UsageError(f"{path.name} ends within a sample", "the file is cut off; get it again")
    rate = float(_rate(content))
    energies = np.frombuffer(content, "<f4", offset=_HEADER_BYTES).astype(np.float64) * 1e-6
    t = np.arange(len(energies)) / rate
    volts = options.volts or _VOLTS
    notes = []
    if options.volts is None:
        notes.append(f"the file has energies, not currents; the currents are for an assumed {_VOLTS:g} V")
    edges: tuple[float, ...] = ()
    found = _stamps_file(path, options.timestamps)
    if found is None:
        notes.append("no file of timestamps beside it: windows are not marked")
    else:
        stamps = _stamps(found, len(energies) / rate)
        edges = tuple(float(edge) for edge in _on_samples(stamps[1:] if options.opening else stamps, t, rate))
    known = Samples(t, energies * rate / volts)
    chosen = source.Options(volts, options.serial, options.gain)
    return trace_of(path, known, chosen, name="eembc", rate_hz=rate, edges=edges, notes=tuple(notes))


def _on_samples(stamps: Floats, t: Floats, rate: float) -> Floats:
    """The beginning of the first sample that is not before each stamp, by the runner's own sum of sample periods."""
    summed = np.concatenate(([0.0], np.cumsum(np.full(len(t), 1 / rate))))
    ends = np.append(t, 2 * t[-1] - t[-2]) if len(t) > 1 else t
    return ends[np.minimum(np.searchsorted(summed, stamps), len(ends) - 1)]


def _stamps_file(path: Path, given: str | None) -> Path | None:
    if given is not None:
        return Path(given)
    beside = sorted(each for each in path.parent.iterdir() if "timestamp" in each.name.lower() and each != path)
    stem = path.name.lower().split("energy")[0]
    named = [each for each in beside if each.name.lower().startswith(stem)]
    if stem and named:
        return named[0]
    return beside[0] if len(beside) == 1 else None


def _stamps(path: Path, length_s: float) -> Floats:
    """Seconds; a JSON list of numbers, or text with one number first in each line."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        if path.suffix.lower() == ".json" or text.lstrip().startswith(("[", "{")):
            values = json.loads(text)
            if isinstance(values, dict):
                values = next(value for value in values.values() if isinstance(value, list))
        else:
            values = [line.replace(",", " ").split()[0] for line in text.splitlines() if line.strip()]
        stamps = np.array([float(value) for value in values])
    except (ValueError, TypeError, StopIteration) as error:
        raise UsageError(f"{path.name} is no list of timestamps: {error}", "it has seconds, [0.1, 2.5, …]") from error
    if not len(stamps) or not np.isfinite(stamps).all() or (np.diff(stamps) <= 0).any() or stamps[0] < 0:
        raise UsageError(f"{path.name} is no list of times in order", "it has seconds, [0.1, 2.5, …]")
    if stamps[-1] > length_s + 1:
        raise UsageError(
            f"{path.name} goes to {stamps[-1]:g} s, the recording only to {length_s:g} s",
            "are both files of the same run, are the stamps seconds, and is the recording complete?",
        )
    return stamps


def _rate(content: bytes) -> np.float32:
    return np.float32(np.frombuffer(content, "<f4", count=1, offset=1)[0])


def _is_rate(rate: np.float32) -> bool:
    return bool(np.isfinite(rate)) and _RATES_HZ[0] <= float(rate) <= _RATES_HZ[1]
