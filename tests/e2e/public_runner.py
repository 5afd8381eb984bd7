"""What MLPerf Tiny's public runner (mlcommons/tiny, benchmark/runner) does at a serial port, byte for byte.

Written from observation of what it sends and accepts: two writes for a command, one byte read at a time, a reply that
ends with any line containing m-ready, 5 s of patience for each line and 30 s for infer, inputs in pieces of 31 bytes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import serial

LINE_S = 5.0
INFER_S = 30.0
PIECE_BYTES = 31


def answers_to(port: str, device: Mapping[str, Any], mode: str = "performance") -> bool:
    """Whether the device at `port` is the one that this entry of devices.yaml means: its name, until 1 s of silence."""
    said = b""
    with serial.Serial(port, device["baud"][mode], timeout=1) as line:
        line.write(b"name%")
        while byte := line.read(1):
            said += byte
    found = re.search(r"m-name-dut-\[(.*)\]", said.decode())
    return found is not None and found[1] == device["check_name"]


class Runner:
    """A connection. Lines are what it makes of them; `pieces` counts the `db` commands of the last load."""

    def __init__(self, port: str, baud: int = 115200) -> None:
        self._line = serial.Serial(port, baud, timeout=0.1)
        self.pieces = 0

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def command(self, text: str, patience_s: float = LINE_S) -> list[str]:
        self._line.write(text.encode())
        self._line.write(b"%")
        lines = []
        while True:
            line = self._read_line(patience_s)
            if line:
                lines.append(line)
            if "m-ready" in line:
                return lines

    def identify(self) -> tuple[str, str]:
        """Name and model as its regular expressions take them from the replies."""
        [name] = [m[2] for line in self.command("name") if (m := re.match(r"^m-(name)-dut-\[([^]]+)]$", line))]
        said = dict(
            m.groups() for line in self.command("profile") if (m := re.match(r"^m-(model|profile)-\[([^]]+)]$", line))
        )
        assert set(said) == {"model", "profile"}
        return name, said["model"]

    def load(self, data: bytes) -> list[str]:
        """Send an input; the reply to its last piece."""
        reply = self.command(f"db load {len(data)}")
        self.pieces = 0
        for at in range(0, len(data), PIECE_BYTES):
            reply = self.command("db " + data[at : at + PIECE_BYTES].hex())
            self.pieces += 1
        return reply

    def infer(self, n: int, warmup: int) -> tuple[list[float], int]:
        """Results and microseconds, as it finds them in the reply: the last m-results, the first and the last lap."""
        results: list[float] = []
        laps = []
        for line in self.command(f"infer {n} {warmup}", INFER_S):
            if match := re.match(r"^m-results-\[([^]]+)\]$", line):
                results = [float(x) for x in match.group(1).split(",") if x.strip()]
            elif match := re.match(r"^m-lap-us-([0-9]+)$", line):
                laps.append(int(match.group(1)))
        assert len(laps) >= 2, "it would print: Incomplete time data"
        return results, laps[-1] - laps[0]

    def _read_line(self, patience_s: float) -> str:
        line = b""
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            byte = self._line.read(1)
            if byte == b"\n":
                return line.decode()
            if byte and byte not in b"\r\0":
                line += byte
        raise AssertionError(f"it would give up: no line within {patience_s} s after {line!r}")
