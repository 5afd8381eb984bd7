"""What a Power Profiler Kit II sends: its calibration as text, its samples as words of 32 bits.

Of a word, little-endian: bits 0 to 13 the ADC, 14 to 16 the range, 18 to 23 a counter of samples, 24 to 31 inputs D0
to D7. With x = (4 adc - O) (1.8 / 163840) / R in A, the current is UG (x (GS x + GI) + S VDD + I), VDD in V; each range
has constants of its own.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinympy.errors import MeterError

from ..trace import Floats

Words = npt.NDArray[np.uint32]

RATE_HZ = 100_000
RANGES = 5
FULL_SCALE = 0x3FFF
TOP_A = (50e-6, 500e-6, 5e-3, 50e-3, 1.0)
"""Where each range ends."""

_FAMILIES = ("R", "GS", "GI", "O", "S", "I", "UG")
_SHUNTS = (1000.0, 100.0, 10.0, 1.0, 0.05)
_VOLTS_PER_STEP = 1.8 / 163840
_LINE = re.compile(r"^\s*([A-Za-z]+)([0-4]?)\s*:\s*(\S+)\s*$", re.MULTILINE)
_END = re.compile(rb"(?:^|[\r\n])END\b")
_CHUNK = 1 << 15


@dataclass(frozen=True)
class Calibration:
    """The constants by name, one of them for each range, and the last VDD that the meter was set to, in V."""

    constants: dict[str, tuple[float, ...]]
    vdd: float | None = None

    def amperes(self, adc: Floats, which: int, volts: float) -> Floats:
        """A for ADC values in range `which`, where the board has `volts`."""
        r, gs, gi, o, s, i, ug = (self.constants[name][which] for name in _FAMILIES)
        x = (4 * adc - o) * (_VOLTS_PER_STEP / r)
        return np.asarray(ug * (x * (gs * x + gi) + s * volts + i))

    def table(self, volts: float) -> Floats:
        """A for the lower 17 bits of every word; NaN for ranges that do not exist."""
        table = np.full((8, FULL_SCALE + 1), np.nan)
        for which in range(RANGES):
            table[which] = self.amperes(np.arange(FULL_SCALE + 1.0), which, volts)
        return table.reshape(-1)


def is_whole(reply: bytes) -> bool:
    """Whether the calibration has come to its end; it may come in any number of pieces."""
    return _END.search(reply) is not None


def read_calibration(reply: bytes) -> Calibration:
    """The constants in the meter's reply, in which other bytes may stand before them.

    Raises:
        MeterError: a constant is missing, or is none that such a meter can have.
    """
    text = reply.decode("ascii", "replace")
    found: dict[str, list[float | None]] = {family: [None] * RANGES for family in _FAMILIES}
    # Firmware that does not know user gains has none.
    found["UG"] = [1.0] * RANGES
    vdd = None
    for name, index, value in _LINE.findall(text):
        try:
            number = float(value)
        except ValueError:
            continue
        if index and name in found:
            found[name][int(index)] = number
        elif name == "VDD" and 800 <= number <= 5000:
            vdd = number / 1000
    missing = [f"{family}{k}" for family in _FAMILIES for k in range(RANGES) if found[family][k] is None]
    if missing:
        raise MeterError(f"the meter's calibration lacks {', '.join(missing)}", "unplug it, plug it in, and try again")
    constants = {family: tuple(float(value or 0.0) for value in found[family]) for family in _FAMILIES}
    for which in range(RANGES):
        _check({family: constants[family][which] for family in _FAMILIES}, which)
    return Calibration(constants, vdd)


def _check(of: dict[str, float], which: int) -> None:
    top = TOP_A[which]
    limits = {
        "R": 0.7 < of["R"] / _SHUNTS[which] < 1.4,
        "GI": abs(of["GI"] - 1) < 0.15,
        "GS": abs(of["GS"] * top) < 0.15,
        "O": abs(of["O"]) < 1000,
        "S": abs(of["S"] * 5) < 0.1 * top,
        "I": abs(of["I"]) < 0.1 * top,
        "UG": 0.5 < of["UG"] < 2,
    }
    for family, good in limits.items():
        if not good or not math.isfinite(of[family]):
            raise MeterError(
                f"the meter's calibration has {family}{which} = {of[family]:g}, which no PPK2 can have",
                "unplug it, plug it in, and try again; if it stays, its calibration is lost: ask the maker",
            )


def currents(words: Words, table: Floats) -> Floats:
    """A for each word; `table` is the calibration's."""
    result = np.empty(words.size)
    indices = np.empty(_CHUNK, np.intp)
    # In pieces that stay in the cache.
    for start in range(0, words.size, _CHUNK):
        piece = words[start : start + _CHUNK]
        where = indices[: piece.size]
        np.bitwise_and(piece, 0x1FFFF, out=where, casting="unsafe")
        np.take(table, where, out=result[start : start + piece.size], mode="clip")
    return result


def ranges(words: Words) -> npt.NDArray[np.uint8]:
    return ((words >> 14) & 7).astype(np.uint8)


def inputs(words: Words) -> npt.NDArray[np.uint8]:
    """D0 to D7, D0 in bit 0."""
    return np.ascontiguousarray(_bytes(words)[:, 3])


def counters(words: Words) -> npt.NDArray[np.uint8]:
    """The rolling counter, 0 to 63."""
    return _bytes(words)[:, 2] >> np.uint8(2)


def _bytes(words: Words) -> npt.NDArray[np.uint8]:
    """Those of each word, the lowest first, shape (n, 4)."""
    return words.astype("<u4", copy=False).view(np.uint8).reshape(-1, 4)


def skipped(words: Words) -> npt.NDArray[np.uint8]:
    """How many samples are missing between one word and the next, modulo 64; shape (n - 1,)."""
    count = counters(words)
    return (count[1:] - count[:-1] - np.uint8(1)) & np.uint8(63)


def near_switches(which: npt.NDArray[np.uint8], samples: int) -> npt.NDArray[np.bool_]:
    """Where the range changed at most `samples - 1` samples ago: the current has not settled there."""
    changed = np.flatnonzero(which[1:] != which[:-1]) + 1
    near = np.zeros(which.size, bool)
    for offset in range(samples):
        near[changed[changed + offset < which.size] + offset] = True
    return near
