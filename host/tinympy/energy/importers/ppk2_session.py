"""A `.ppk2` file of Nordic's Power Profiler: a zip of `session.raw` and `metadata.json`.

Format: pc-nrfconnect-ppk, saveFileHandler.ts and bitConversion.ts. A sample is a float32, µA, little endian, and a
uint16, big endian, with two bits for each logic input: 01 is 0, 10 is 1, 11 both within the sample, 00 nothing.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.energy.importers import ppk2_values, source
from tinympy.energy.importers.source import Head, Samples, trace_of
from tinympy.energy.trace import Bits, Trace
from tinympy.errors import UsageError

_SAMPLE = np.dtype([("ua", "<f4"), ("pairs", ">u2")])


@dataclass(frozen=True)
class Options(source.Options):
    pass


def recognises(head: Head) -> bool:
    return head.content.startswith(b"PK\x03\x04")


def load(path: Path, options: Options) -> Trace:
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read("metadata.json"))
            content = archive.read("session.raw")
        rate = float(metadata["metadata"]["samplesPerSecond"])
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        raise UsageError(
            f"{path.name} is no recording of the Power Profiler: {error}", "the file is damaged; save it again"
        ) from error
    if len(content) % _SAMPLE.itemsize or not rate > 0:
        raise UsageError(f"{path.name}: session.raw ends within a sample", "the file is damaged; save it again")
    samples = np.frombuffer(content, _SAMPLE)
    bits = _bits(samples["pairs"])
    i, note = ppk2_values.without_lost(samples["ua"].astype(np.float64) * 1e-6, samples["ua"] == np.float32(0.2), bits)
    return trace_of(
        path,
        Samples(np.arange(len(i)) / rate, i, None, bits),
        options,
        name="ppk2",
        gain_limits=ppk2_values.gain_limits(i),
        offset_limit_a=ppk2_values.OFFSET_A,
        rate_hz=rate,
        notes=note,
    )


def _bits(pairs: np.ndarray) -> Bits | None:
    """Input n in bit n: the upper bit of pair n. None where no sample has any pair."""
    if not pairs.any():
        return None
    bits = np.zeros(len(pairs), np.uint8)
    native = pairs.astype(np.uint16)
    for n in range(8):
        bits |= (((native >> (2 * n + 1)) & 1) << n).astype(np.uint8)
    return bits
