"""Random faults for a FaultyLine: the same seed and rates give the same faults at the same bytes.

faults = RandomFaults(seed=7, rates=Rates(drop=1e-4))
line = FaultyLine(board.port)
line.to_board, line.to_host = faults.to_board, faults.to_host
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Rates:
    """How likely a fault is at each byte."""

    drop: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    delay: float = 0.0
    stall: float = 0.0
    close: float = 0.0

    @classmethod
    def drawn(cls, seed: int) -> Rates:
        """Some kinds of faults, from about one in a run to hundreds; a run of `digits` moves some 100 kB."""
        source = random.Random(seed)
        chosen = {}
        for each in fields(cls):
            highest = {"delay": -4.0, "stall": -5.0, "close": -5.0}.get(each.name, -3.0)
            if source.random() < (0.15 if each.name in ("stall", "close") else 0.4):
                chosen[each.name] = 10 ** source.uniform(-6.0, highest)
        return cls(**chosen)


class UnpluggedError(OSError):
    """What the line sees when its plug is pulled."""


class RandomFaults:
    """`to_board` and `to_host` for a FaultyLine, and what they did.

    counts: faults by kind. delayed_s: by how much all delays together held the line up. silence_s: the longest time
    without a byte for the computer, from the first one on; `end` says until when.
    """

    LONGEST_DELAY_S = 1.0

    def __init__(self, seed: int, rates: Rates) -> None:
        self.counts: Counter[str] = Counter()
        self.delayed_s = 0.0
        self.silence_s = 0.0
        self._rates = rates
        self._stalled = False
        self._heard_s = time.monotonic()
        self.to_board = self._way(random.Random(f"{seed} to board"))
        self._to_host = self._way(random.Random(f"{seed} to host"))

    def to_host(self, data: bytes) -> bytes:
        data = self._to_host(data)
        if data:
            self.end()
        return data

    def end(self) -> None:
        """The computer hears something, or the run is over."""
        now_s = time.monotonic()
        self.silence_s = max(self.silence_s, now_s - self._heard_s)
        self._heard_s = now_s

    def _way(self, source: random.Random) -> Callable[[bytes], bytes]:
        kinds = [each.name for each in fields(Rates)]
        weights = [getattr(self._rates, kind) for kind in kinds]
        total = sum(weights)

        def gap() -> int:
            return int(source.expovariate(total)) if total else 1 << 62

        left = gap()

        def fault(data: bytes) -> bytes:
            nonlocal left
            out = bytearray()
            for byte in data:
                if left:
                    left -= 1
                    out.append(byte)
                    continue
                left = gap()
                kind = source.choices(kinds, weights)[0]
                self.counts[kind] += 1
                out += self._changed(kind, byte, source)
            return b"" if self._stalled else bytes(out)

        return fault

    def _changed(self, kind: str, byte: int, source: random.Random) -> bytes:
        if kind == "drop":
            return b""
        if kind == "duplicate":
            return bytes([byte, byte])
        if kind == "corrupt":
            return bytes([byte ^ source.randrange(1, 256)])
        if kind == "close":
            raise UnpluggedError
        if kind == "stall":
            self._stalled = True
            return b""
        length_s = source.uniform(0.0, self.LONGEST_DELAY_S)
        self.delayed_s += length_s
        time.sleep(length_s)
        return bytes([byte])
