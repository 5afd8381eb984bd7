"""Joulescope's JLS files, version 2, read with the maker's `pyjls` (`pip install tinympy[joulescope]`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinympy.energy.importers import source
from tinympy.energy.importers.source import Head, Samples, trace_of
from tinympy.energy.trace import Bits, Floats, Trace
from tinympy.errors import UsageError

_MAGIC = b"jlsfmt\r\n \n \x1a\x20"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Options(source.Options):
    """source -- the instrument's name in the file, where there are several."""

    source: str | None = None


def recognises(head: Head) -> bool:
    return head.content.startswith(_MAGIC[:6])


def load(path: Path, options: Options) -> Trace:
    try:
        import pyjls
    except ImportError as error:
        raise UsageError(
            f"{path.name} is read with the maker's package pyjls, which is not here",
            "pip install 'tinympy[joulescope]', or export the recording as CSV",
        ) from error
    try:
        with pyjls.Reader(str(path)) as reader:
            return _read(path, reader, options)
    except (RuntimeError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path.name} cannot be read as JLS: {error}",
            "the file is damaged or not closed; open it in Joulescope's program and save it again",
        ) from error


def _read(path: Path, reader: Any, options: Options) -> Trace:
    sources = {key: each for key, each in reader.sources.items() if key and options.source in (None, each.name)}
    signals = [each for each in reader.signals.values() if each.source_id in sources and each.length]
    owners = {each.source_id for each in signals if each.name == "current"}
    if len(owners) != 1:
        names = ", ".join(each.name for each in sources.values())
        raise UsageError(f"{path.name} has currents of {len(owners)} instruments", f"choose one: source=… ({names})")
    owner = owners.pop()
    by_name = {each.name: each for each in signals if each.source_id == owner}
    current = by_name["current"]
    rate = float(current.sample_rate)
    i = _values(reader, current)
    offset = reader.sample_id_to_timestamp(current.signal_id, 0)
    t = np.arange(len(i)) / rate
    v = _on(reader, by_name["voltage"], t, offset) if "voltage" in by_name else None
    bits = _inputs(reader, by_name, t, offset)
    return trace_of(
        path,
        Samples(t, i, v, bits),
        options,
        name="joulescope",
        serial=sources[owner].serial_number or None,
        rate_hz=rate,
    )


def _inputs(reader: Any, by_name: dict[str, Any], t: Floats, offset: int) -> Bits | None:
    """General-purpose input n in bit n; None where none was recorded."""
    bits = None
    for n in range(4):
        signal = by_name.get(f"gpi[{n}]") or by_name.get(f"gpi{n}")
        if signal is not None:
            bits = np.zeros(len(t), np.uint8) if bits is None else bits
            bits |= (_on(reader, signal, t, offset) >= 0.5).astype(np.uint8) << np.uint8(n)
    return bits


def _on(reader: Any, signal: Any, t: Floats, offset: int) -> Floats:
    """A signal at the times of the current: the sample that holds then. JLS counts time in 2^-30 s."""
    values = _values(reader, signal)
    begin = (reader.sample_id_to_timestamp(signal.signal_id, 0) - offset) / 2**30
    at = np.floor((t - begin) * float(signal.sample_rate) + 1e-3).astype(np.int64)
    held: Floats = values[np.clip(at, 0, len(values) - 1)]
    return held


def _values(reader: Any, signal: Any) -> Floats:
    """All samples, read in blocks; single bits come packed, eight in a byte, the first one lowest."""
    parts = []
    for begin in range(0, signal.length, _BLOCK):
        count = min(_BLOCK, signal.length - begin)
        part = np.asarray(reader.fsr(signal.signal_id, begin, count))
        if part.dtype == np.uint8 and len(part) < count:
            part = np.unpackbits(part, bitorder="little")[:count]
        parts.append(part.astype(np.float64))
    return np.concatenate(parts)
