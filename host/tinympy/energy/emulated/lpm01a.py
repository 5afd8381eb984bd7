"""An emulated X-NUCLEO-LPM01A: text and binary, with an event for every edge of the direction that it was asked for.

The board pulses its pin at both ends of a window: it is active between each two falling edges of the trigger line.
Where no events were asked for, that line is no pin, and the board is active while it is high. Options beside the
profile's (profile.py):

clock_ppm -- how much too fast its clock is
lost -- the share of samples that are lost, 20 ms of them at a time
fault -- one of these, or several with commas between:

overcurrent -- the board takes 80 mA while it is active: it is cut off, as at any current above 50 mA
refuse:COMMAND -- it refuses commands that begin so (refuse:eventsrc is firmware before 1.0.6)
mute -- it answers nothing
other -- it is no LPM01A: something else answers, with a prompt
stale -- it measures already when the port is opened
damaged -- some lines of text come incomplete
unplug:SECONDS -- after the start

The wording of what it says when asked who it is, of its errors, and of events in binary is a guess.
"""

from __future__ import annotations

import math
import re
import struct
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinympy.errors import UsageError

from ..trace import Floats
from .process import Scene
from .terminal import Terminal
from .trigger import HOLD_S

METER_DEFAULTS = {"v": "3.3"}

_PROMPT = "PowerShield > "
_FAULTS = ("overcurrent", "refuse", "mute", "other", "stale", "damaged", "unplug")
_LIMIT_A = 0.05
_RATES = {
    **{str(rate): rate for rate in (1, 2, 5, 10, 20, 50, 100, 200, 500)},
    **{f"{rate}k": 1000 * rate for rate in (1, 2, 5, 10, 20, 50, 100)},
}
_CHOICES = {
    "format": ("ascii_dec", "bin_hexa"),
    "output": ("current", "energy"),
    "trigsrc": ("sw", "d7"),
    "acqmode": ("dyn", "stat"),
    "pwr": ("on", "off", "on nostatus", "off nostatus"),
    "eventsrc": ("d7 fal", "d7 ris"),
}
_TICK_S = 0.004
_BURST_S = 0.02


@dataclass(frozen=True)
class Options:
    clock_ppm: float = 0.0
    lost: float = 0.0
    fault: str = ""

    def __post_init__(self) -> None:
        faults(self.fault)
        if "unplug" in faults(self.fault):
            try:
                float(faults(self.fault)["unplug"])
            except ValueError:
                raise UsageError("unplug needs a number of seconds", "unplug:2.0") from None


def faults(text: str) -> dict[str, str]:
    """Faults by name, with what is behind the colon. Raises UsageError for one that does not exist."""
    found = dict(each.partition(":")[::2] for each in text.split(",") if each)
    for name in found:
        if name not in _FAULTS:
            raise UsageError(f"an emulated lpm01a has no fault {name}", f"faults: {', '.join(_FAULTS)}")
    return found


def serve(scene: Scene, options: Options) -> None:
    Instrument(scene, options, Terminal()).run()


class Instrument:
    """One that is attached at a terminal."""

    def __init__(self, scene: Scene, options: Options, terminal: Terminal) -> None:
        self._fault = faults(options.fault)
        if "overcurrent" in self._fault:
            scene = replace(scene, profile=replace(scene.profile, active=0.08))
        self._scene, self._options, self._terminal = scene, options, terminal
        self._random = np.random.default_rng(7)
        self._chosen = {"format": "ascii_dec", "output": "current", "pwr": "off", "eventsrc": ""}
        self._rate, self._volts = 100, 3.3
        self._received = b""
        self._start: float | None = None
        self._stop, self._unplug = math.inf, math.inf
        self._made, self._edges_sent, self._lost_until = 0, 0, 0

    def run(self) -> None:
        if "stale" in self._fault:
            self._measure()
        self._scene.announce(self._terminal.path)
        while time.monotonic() < self._unplug:
            if not self._terminal.connected:
                self._terminal.write()
                time.sleep(_TICK_S)
            self._received += self._terminal.read(_TICK_S)
            *lines, self._received = self._received.split(b"\n")
            for line in lines:
                self._obey(line.decode("ascii", "replace").strip())
            if self._start is not None:
                now = time.monotonic() - HOLD_S
                self._send_samples(min(now, self._stop))
                if self._start is not None and now > self._stop:
                    self._end()
            self._terminal.write()
        self._terminal.unplug()

    def _obey(self, command: str) -> None:
        if "other" in self._fault:
            self._say("unknown command\r\n>>> ")
        if self._fault.keys() & {"other", "mute"} or not command:
            return
        name, _, argument = command.partition(" ")
        reason = self._refusal(name, argument)
        if reason:
            self._say(f"\r\n{_PROMPT}error {command}\r\nError detail: {reason}\r\n\r\n")
        elif name == "stop":
            self._stop = time.monotonic()
        else:
            self._say(f"\r\n{_PROMPT}ack {command}{self._do(name, argument)}\r\n\r\n")
            if name == "start":
                self._measure()

    def _refusal(self, name: str, argument: str) -> str:
        if (refused := self._fault.get("refuse")) is not None and name.startswith(refused):
            return "unknown command" if name == "eventsrc" else "not possible"
        if name == "freq" and argument not in _RATES:
            return "sampling frequency out of range"
        if name == "volt" and argument != "get" and not 1800 <= _millivolts(argument) <= 3300:
            return "voltage out of range"
        if name in _CHOICES and argument not in _CHOICES[name]:
            return "unknown parameter"
        if name == "stop" and self._start is None:
            return "no acquisition in progress"
        known = {"htc", "hrc", "lcd", "acqtime", "trigdelay", "freq", "volt", "start", "stop", *_CHOICES}
        return "" if name in known | {"version", "powershield", "status", "range"} else "unknown command"

    def _do(self, name: str, argument: str) -> str:
        """Does it, and says what is said behind the acknowledgement."""
        if name in _CHOICES:
            self._chosen[name] = argument.removesuffix(" nostatus") if name == "pwr" else argument
        elif name == "freq":
            self._rate = _RATES[argument]
        elif name == "volt" and argument != "get":
            self._volts = _millivolts(argument) / 1000
        return {
            "volt": f" {self._volts * 1000:04.0f}-03" if argument == "get" else "",
            "version": " 1.0.6",
            "powershield": " PowerShield present 0123456789ABCDEF",
            "status": " ok",
            "range": " 100n 50m",
        }.get(name, "")

    def _measure(self) -> None:
        self._start, self._stop = time.monotonic(), math.inf
        self._made, self._lost_until = 0, 0
        self._edges_sent = len(self._scene.line.edges())
        self._events = 0
        if "unplug" in self._fault:
            self._unplug = self._start + float(self._fault["unplug"])

    def _end(self) -> None:
        self._start = None
        if self._chosen["format"] == "bin_hexa":
            self._terminal.write(b"\xf0\xf4\xff\xff")
        self._say(f"\r\n{_PROMPT}Acquisition completed\r\n\r\n")

    def _send_samples(self, until: float) -> None:
        """All samples up to the time `until` that are not made yet, with stamps and events between them."""
        assert self._start is not None
        rate = self._rate * (1 + self._options.clock_ppm * 1e-6)
        count = int((until - self._start) * rate) - self._made
        if count <= 0:
            return
        index = self._made + np.arange(count)
        t = self._start + index / rate
        line = self._scene.line
        active = line.between_falls(t) if self._chosen["eventsrc"] else line.levels(t)
        current = self._scene.profile.current(t, active)
        if self._chosen["pwr"] != "on":
            current = np.zeros(count)
        too_much = np.flatnonzero(current > _LIMIT_A)
        if too_much.size:
            count = int(too_much[0])
            index, current = index[:count], current[:count]
        values = current * self._volts / self._rate if self._chosen["output"] == "energy" else current
        shown = self._shown(values)
        out, after = bytearray(), 0
        for at, mark in sorted(self._marks(index, rate), key=lambda each: each[0]):
            out += self._kept(shown, index, after, at) + mark
            after = at
        self._terminal.write(bytes(out + self._kept(shown, index, after, count)))
        self._made += count
        if too_much.size:
            self._cut_off()

    def _marks(self, index: npt.NDArray[np.int64], rate: float) -> list[tuple[int, bytes]]:
        """Stamps and events that fall between these samples: before which of them, and how they are sent."""
        assert self._start is not None
        seconds = np.flatnonzero((index % self._rate == 0) & (index > 0))
        marks = [(int(at), self._stamp(int(index[at]) // self._rate)) for at in seconds]
        end = self._start + (self._made + index.size) / rate
        edges = self._scene.line.edges()
        while self._edges_sent < len(edges) and edges[self._edges_sent][0] < end:
            when, level = edges[self._edges_sent]
            self._edges_sent += 1
            wanted = self._chosen["eventsrc"]
            if wanted and when >= self._start and level == (wanted == "d7 ris"):
                at = math.ceil((when - self._start) * rate) - self._made
                marks.append((max(0, at), self._text(f"event {self._events % 100:02d} ris")))
                self._events += 1
        return marks

    def _stamp(self, seconds: int) -> bytes:
        if self._chosen["format"] == "bin_hexa":
            return b"\xf0\xf3" + struct.pack(">IB", 1000 * seconds, 1) + b"\xff\xff"
        return self._text(f"TimeStamp: {seconds % 1000:03d}s 000ms, buff 01%")

    def _text(self, line: str) -> bytes:
        if self._chosen["format"] == "bin_hexa":
            return b"\xf0\xf2" + line.encode() + b"\xff\xff"
        return f"{line}\r\n".encode()

    def _kept(self, shown: list[bytes], index: npt.NDArray[np.int64], start: int, stop: int) -> bytes:
        if not self._options.lost:
            return b"".join(shown[start:stop])
        kept, burst = [], max(1, round(_BURST_S * self._rate))
        for at in range(start, stop):
            if index[at] >= self._lost_until and self._random.random() < self._options.lost / burst:
                self._lost_until = int(index[at]) + burst
            if index[at] >= self._lost_until:
                kept.append(shown[at])
        return b"".join(kept)

    def _shown(self, values: Floats) -> list[bytes]:
        """Each value as it is sent. With noise of its last digit, so that the mean is the value's."""
        safe = np.maximum(values, 1e-12)
        noise = self._random.random(values.size)
        if self._chosen["format"] == "bin_hexa":
            power = np.clip(-np.floor(np.log(safe) / math.log(16)) + 2, 0, 14)
            digits = np.clip(np.floor(safe * 16.0**power + noise), 0, 0xFFF)
            words = (power.astype(np.int64) << 12 | digits.astype(np.int64)).astype(">u2").tobytes()
            return [words[at : at + 2] for at in range(0, len(words), 2)]
        power = np.clip(-np.floor(np.log10(safe)) + 3, 0, 15)
        digits = np.clip(np.floor(safe * 10.0**power + noise), 0, 9999)
        lines = [b"%04d-%02d\r\n" % pair for pair in zip(digits.astype(int), power.astype(int), strict=True)]
        if "damaged" in self._fault:
            lines = [line[:3] + b"\r\n" if k % 997 == 500 else line for k, line in enumerate(lines, self._made)]
        return lines

    def _cut_off(self) -> None:
        self._start, self._chosen["pwr"] = None, "off"
        if self._chosen["format"] == "bin_hexa":
            self._terminal.write(b"\xf0\xf5\xff\xff\xf0\xf4\xff\xff")
        else:
            self._say(f"\r\n{_PROMPT}error: overcurrent on target, power off\r\n")

    def _say(self, text: str) -> None:
        self._terminal.write(text.encode())


def _millivolts(text: str) -> int:
    match = re.fullmatch(r"(\d+)m", text)
    return int(match[1]) if match else 0
