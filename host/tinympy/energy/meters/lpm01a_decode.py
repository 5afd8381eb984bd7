"""What an X-NUCLEO-LPM01A sends while it measures, as lines of text or in binary: values, with marks between them.

Text: `6409-07` is 6409e-7; `TimeStamp: 001s 000ms, buff 01%` each second; `event 00 ris`. Binary: big-endian words of
16 bits, of which the upper 4 are the exponent of 16 with its sign reversed, and marks F0 Fx … FF FF: F1 and F2 text, F3
the time in ms (32 bits) and how full its buffer is (8 bits), F4 the end, F5 too much current, F6 the supply is off, F7
mV.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..trace import Floats

_VALUE = re.compile(rb"\d{4}[+-]\d{2}")
_STAMP = re.compile(rb"TimeStamp:\s*[<>]?\s*(\d+)s (\d+)ms, buff (\d+)%")
_EVENT = re.compile(rb"event \d+ \w+")
_OVERCURRENT = re.compile(rb"over-?\s?current", re.IGNORECASE)
_DIGITS = re.compile(rb"\d")
_TEXTS = (b"\xf1", b"\xf2")
_MARK = re.compile(
    rb"\xf0(?:(?P<text>[\xf1\xf2][\t\r\n -~]{0,300})|(?P<stamp>\xf3.{5})|(?P<sign>[\xf4-\xf6])|\xf7.{2})\xff\xff",
    re.DOTALL,
)
# A stamp may be a sample off.
_SMALLEST_LOSS = 2


@dataclass
class Stream:
    """What was sent, in order. Places are numbers of values that came before.

    values -- as sent, in A or J; NaN where one is not readable
    stamps -- place, and the meter's time in ms
    events -- places of the edges of its trigger input
    problems -- what it said of errors
    overcurrent, ended -- whether it said so
    """

    values: Floats
    stamps: list[tuple[int, int]] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    overcurrent: bool = False
    ended: bool = False
    fullest: int = 0

    def remark(self, text: bytes, place: int) -> None:
        """A line that is no value."""
        if stamp := _STAMP.search(text):
            seconds, ms, full = map(int, stamp.groups())
            self.stamps.append((place, 1000 * seconds + ms))
            self.fullest = max(self.fullest, full)
        elif _EVENT.search(text):
            self.events.append(place)
        elif _OVERCURRENT.search(text):
            self.overcurrent = True
        elif b"Acquisition completed" in text:
            self.ended = True
        elif b"error" in text.lower():
            self.problems.append(text.decode("ascii", "replace").replace("PowerShield > ", "").strip())


def read_text(data: bytes) -> Stream:
    """Lines; one that looks like a value, and is none, is one that was damaged."""
    stream, values = Stream(np.empty(0)), list[float]()
    for line in data.replace(b"\0", b"").split(b"\n")[:-1]:
        line = line.strip()
        if len(line) == 7 and _VALUE.match(line):
            values.append(float(line[:4] + b"e" + line[4:]))
        elif line and (_DIGITS.match(line) or line[:1] in b"+-") and not stream.ended:
            values.append(np.nan)
        elif line:
            stream.remark(line, len(values))
    stream.values = np.array(values)
    return stream


def read_binary(data: bytes) -> Stream:
    """Words between marks. Where an odd number of bytes is, one was lost, and none of these words can be trusted."""
    stream, at, count = Stream(np.empty(0)), 0, 0
    parts: list[Floats] = []
    for mark in _MARK.finditer(data):
        parts.append(_words(data[at : mark.start()]))
        count += parts[-1].size
        at = mark.end()
        if (text := mark["text"]) is not None:
            stream.remark(text[1:], count)
        elif (stamp := mark["stamp"]) is not None:
            stream.stamps.append((count, int.from_bytes(stamp[1:5], "big")))
            stream.fullest = max(stream.fullest, stamp[5])
        elif mark["sign"] == b"\xf5":
            stream.overcurrent = True
        elif mark["sign"] == b"\xf4":
            stream.ended = True
            break
    if not stream.ended:
        parts.append(_words(data[at:][: (len(data) - at) // 2 * 2]))
    stream.values = np.concatenate(parts) if parts else np.empty(0)
    return stream


def _words(data: bytes) -> Floats:
    if len(data) % 2:
        return np.full(len(data) // 2, np.nan)
    words = np.frombuffer(data, ">u2").astype(np.int64)
    return np.asarray((words & 0xFFF) * 16.0 ** -(words >> 12))


@dataclass(frozen=True)
class Placed:
    """values -- NaN where one is missing, evenly spaced; edges -- places of the trigger's edges; lost -- how many"""

    values: Floats
    edges: npt.NDArray[np.int64]
    lost: int


def place(stream: Stream, rate_hz: float) -> Placed:
    """Fills what is missing between stamps, which come at the meter's own time, with NaN.

    Where in such a second values were lost, an unreadable one shows; otherwise the place is its end.
    """
    missing: list[tuple[int, int]] = []
    filled, before = 0, 0
    for at, ms in stream.stamps:
        lack = round(ms / 1000 * rate_hz) - at - filled
        if lack >= _SMALLEST_LOSS:
            unreadable = np.flatnonzero(np.isnan(stream.values[before:at]))
            missing.append((before + int(unreadable[0]) if unreadable.size else at, lack))
            filled += lack
        before = at
    where = np.repeat([at for at, _ in missing], [count for _, count in missing]).astype(np.int64)
    values = np.insert(stream.values, where, np.nan) if where.size else stream.values
    edges = np.array(stream.events, np.int64)
    edges = edges + np.searchsorted(where, edges, side="left" if where.size == 0 else "right")
    return Placed(values, edges, int(np.count_nonzero(np.isnan(values))))
