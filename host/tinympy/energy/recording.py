"""A recording in the public runner's format, which `importers/eembc` reads: small enough to keep with every record."""

from __future__ import annotations

import struct

import numpy as np

from tinympy.energy.power import Cumulated
from tinympy.energy.trace import Trace

RATE_HZ = 1000
"""The public runner's. A minute takes 240 kB."""

MAGIC = 0xF1


def content(trace: Trace) -> bytes:
    """F1, the rate as float32, then one float32 for each millisecond: µJ, little endian; NaN where nothing is known.

    A millisecond with lost samples has the mean power of those that are there.
    """
    cumulated = Cumulated.of(trace)
    count = max(1, round((cumulated.end - cumulated.begin) * RATE_HZ))
    power = cumulated.means(cumulated.begin + np.arange(count + 1) / RATE_HZ)
    return struct.pack("<Bf", MAGIC, RATE_HZ) + (1e6 / RATE_HZ * power).astype("<f4").tobytes()
