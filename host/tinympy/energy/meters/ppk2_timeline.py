"""Where the samples of a Power Profiler Kit II are in time: what its counter and the times of arrival say was lost.

The counter has 6 bits, so it tells a loss modulo 64 samples (0.64 ms). The rest shows in when the bytes came: samples
are made at an even rate, so whatever was lost makes all that follows late. How late bytes are varies from read to read,
but never below what the way takes: of several reads, the earliest counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .line import Chunk
from .ppk2_decode import RATE_HZ, Words, skipped

_PERIOD = 64
_PERIOD_S = _PERIOD / RATE_HZ
# Reads whose earliest counts after a gap, and how few of them at the end tell nothing; as many of them have to agree
# where the counter saw no gap.
_READS = 16
_FEW_READS = 4
_MANY_READS = 128
# How fast the base follows a meter whose clock is slower than this computer's.
_FOLLOW = 0.02
# So many samples one after the other that do not count on: bytes are missing, not samples.
_ASTRAY = 8
_PROBE = 32
_GIVE_UP_BYTES = 1 << 20


@dataclass(frozen=True)
class Timeline:
    """What arrived, shape (n,), and where each word of it is in time, in samples from the first, int64, shape (n,)."""

    words: Words
    index: npt.NDArray[np.int64]

    @property
    def total(self) -> int:
        """Samples that were made from the first to the last one."""
        return int(self.index[-1]) + 1 if self.index.size else 0

    @property
    def lost(self) -> int:
        return self.total - self.words.size

    @property
    def gaps(self) -> int:
        return int(np.count_nonzero(np.diff(self.index) > 1))


def timeline(chunks: Sequence[Chunk]) -> Timeline:
    """The samples in what was read, from the first byte that the meter sent."""
    data = b"".join(piece for _, piece in chunks)
    segments = _framed(data)
    pieces = [np.frombuffer(data, "<u4", count, start) for start, count in segments]
    words: Words = pieces[0] if len(pieces) == 1 else np.concatenate(pieces or [np.empty(0, "<u4")])
    if words.size < 2:
        return Timeline(words, np.arange(words.size))
    visible = skipped(words)
    index = np.arange(words.size)
    gaps = np.flatnonzero(visible) + 1
    if gaps.size:
        index[1:] += np.cumsum(visible, dtype=np.int64)
    ends = np.cumsum([len(piece) for _, piece in chunks])
    counts = np.zeros(len(chunks), np.int64)
    for start, count in segments:
        counts += np.clip((ends - start) // 4, 0, count)
    times = np.array([time for time, _ in chunks])
    for at, missing in _unseen(times, counts, index, gaps):
        index[at:] += missing
    return Timeline(words, index)


def _framed(data: bytes) -> list[tuple[int, int]]:
    """Pieces in which words follow each other: their first byte, and how many words. One, unless bytes are missing."""
    segments, at = [], 0
    while len(data) - at >= 4:
        words: Words = np.frombuffer(data, "<u4", (len(data) - at) // 4, at)
        wrong = skipped(words) != 0
        if np.count_nonzero(wrong) < _ASTRAY:
            segments.append((at, words.size))
            break
        sums = np.cumsum(np.concatenate(([0], wrong)))
        astray = np.flatnonzero(sums[_ASTRAY:] - sums[:-_ASTRAY] == _ASTRAY)
        if not astray.size:
            segments.append((at, words.size))
            break
        # Some of the first wrong words may have counted on by chance.
        before = max(0, int(astray[0]) - _ASTRAY)
        good = before + int(np.flatnonzero(wrong[before:])[0]) + 1
        if good > 1:
            segments.append((at, good))
        found = _found_again(data, at + 4 * good)
        if found is None:
            break
        at = found
    return segments


def _found_again(data: bytes, start: int) -> int | None:
    """The first byte of the first word from where samples count on."""
    for at in range(start, min(len(data) - 4 * _PROBE - 3, start + _GIVE_UP_BYTES), 4 * _PROBE // 2):
        for offset in range(4):
            words: Words = np.frombuffer(data, "<u4", _PROBE, at + offset)
            wrong = np.flatnonzero(skipped(words))
            if wrong.size <= 2:
                # The first one that counts may have its counter from the right place, and its lower half not.
                return at + offset + 4 * (int(wrong[-1]) + 2 if wrong.size else 1)
    return None


def _unseen(
    times: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    index: npt.NDArray[np.int64],
    gaps: npt.NDArray[np.int64],
) -> list[tuple[int, int]]:
    """Losses of whole turns of the counter: the word before which they were, and how many samples.

    times, counts -- when something was read, and how many words were complete then, shape (reads,)
    index -- where the words are as far as the counter tells; gaps -- the words before which it saw something missing
    """
    brought = np.diff(counts, prepend=0) > 0
    times, counts = times[brought], counts[brought]
    late = times - index[counts - 1] / RATE_HZ
    padded = np.concatenate((late, np.full(_READS - 1, np.inf)))
    earliest = np.lib.stride_tricks.sliding_window_view(padded, _READS).min(axis=1)
    first_gap = np.searchsorted(gaps, counts)
    found: list[tuple[int, int]] = []
    turns, base = 0, earliest[0]
    for read in range(1, len(late)):
        rest = earliest[read] - turns * _PERIOD_S - base
        more = round(rest / _PERIOD_S)
        seen = first_gap[read] > first_gap[read - 1]
        if seen:
            lost = more > 0 and read + _FEW_READS < len(late)
        else:  # samples that the counter misses soon explain why this read is late
            soon = first_gap[min(read + _FEW_READS, len(late) - 1)] > first_gap[read]
            lost = more > 0 and not soon and _lasting(late[read : read + _MANY_READS] - turns * _PERIOD_S - base)
        if lost:
            at = gaps[first_gap[read] - 1] if seen else counts[read - 1]
            found.append((int(at), more))
            turns += more
        while more < 0 and found:  # the reads before were late for another reason
            at, turned = found.pop()
            back = min(turned, -more)
            turns, more = turns - back, more + back
            if turned > back:
                found.append((at, turned - back))
        rest = earliest[read] - turns * _PERIOD_S - base
        if rest >= 0:
            base += _FOLLOW * min(rest, _PERIOD_S / 4)
        elif not found or rest > -_PERIOD_S / 4:  # otherwise it may be a turn too many
            base += rest
    return [(at, turned * _PERIOD) for at, turned in found]


def _lasting(late: npt.NDArray[np.float64]) -> bool:
    return len(late) > 2 * _READS and bool(late.min() > 0.8 * _PERIOD_S)
