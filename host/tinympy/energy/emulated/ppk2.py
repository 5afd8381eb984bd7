"""An emulated Power Profiler Kit II: 100 000 samples a second, the board's trigger line on input D0.

Options beside the profile's (profile.py):

clock_ppm -- how much too fast its clock is
lost -- the share of samples that are lost; burst -- how many of them at a time, 0: 1 to 200
spike -- by how much the three samples after a change of range are too large, relative
buffer_s -- s of samples that it keeps while nobody reads; what is beyond them is lost
fault -- one of these, or several with commas between:

split -- its calibration comes in two pieces, 0.1 s apart
short -- it lacks constants, and its end
corrupt -- R0 is 3.09e27
mute -- no calibration at all
other -- it is no PPK2: something else answers, with a prompt
stale -- it sends samples already when the port is opened
endless -- it does not stop sending when told to
garbage -- three bytes that do not belong there, once 0.3 s after the start, and fifty later on
overcurrent, clipped -- the board takes 1.5 A, 50 A while it is active
usb -- the board's USB cable feeds it as well, and gives whatever it takes beyond its idle current
unplug:SECONDS -- after the start
"""

from __future__ import annotations

import math
import struct
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.errors import UsageError

from ..trace import Floats
from .process import Scene
from .terminal import Terminal
from .trigger import HOLD_S

METER_DEFAULTS = {"mode": "source", "v": "3.3"}

_RATE_HZ = 100_000
_TOP_A = np.array((50e-6, 500e-6, 5e-3, 50e-3))
_FULL_SCALE = 0x3FFF
_VOLTS_PER_STEP = 1.8 / 163840
_FAULTS = (
    "split", "short", "corrupt", "mute", "other", "stale", "endless", "garbage", "overcurrent", "clipped", "usb",
    "unplug",
)  # fmt: skip
# The size of constants that such instruments have; no real unit's.
_CONSTANTS = {
    "R": (1004.2308, 101.3412, 10.2874, 0.9770, 0.0567),
    "GS": (0.0, 98.4512, 17.2051, 2.2134, 0.0684),
    "GI": (1.0, 0.9702, 0.9615, 0.9528, 0.9591),
    "O": (112.9420, 75.4627, 64.6020, 50.4983, 87.2177),
    "S": (4.8e-8, 5.96e-7, 5.281e-6, 6.2577e-5, 2.940743e-3),
    "I": (-1.04e-7, -1.443e-6, -1.6439e-5, -2.24119e-4, -9.388455e-3),
    "UG": (1.0, 1.0, 1.0, 1.0, 1.0),
}
_ARGUMENTS = {0x06: 0, 0x07: 0, 0x0C: 1, 0x0D: 2, 0x11: 1, 0x19: 0, 0x20: 0, 0x25: 5}
_TICK_S = 0.004


@dataclass(frozen=True)
class Options:
    clock_ppm: float = 0.0
    lost: float = 0.0
    burst: int = 0
    spike: float = 0.0
    buffer_s: float = 10.0
    fault: str = ""

    def __post_init__(self) -> None:
        faults(self.fault)


def serve(scene: Scene, options: Options) -> None:
    Instrument(scene, options, Terminal()).run()


def faults(text: str) -> dict[str, float]:
    """Faults by name, with the number behind the colon or 0. Raises UsageError for one that does not exist."""
    found = {}
    for each in filter(None, text.split(",")):
        name, _, number = each.partition(":")
        try:
            found[name] = float(number or 0)
        except ValueError:
            name = each
        if name not in _FAULTS:
            raise UsageError(f"an emulated ppk2 has no fault {each}", f"faults: {', '.join(_FAULTS)}")
    return found


class Instrument:
    """One that is attached at a terminal."""

    def __init__(self, scene: Scene, options: Options, terminal: Terminal) -> None:
        self._fault = faults(options.fault)
        too_much = {"overcurrent": 1.5, "clipped": 50.0}
        for name in self._fault.keys() & too_much.keys():
            scene = replace(scene, profile=replace(scene.profile, active=too_much[name]))
        if "usb" in self._fault:
            scene = replace(scene, profile=replace(scene.profile, active=scene.profile.idle))
        self._scene, self._options, self._terminal = scene, options, terminal
        self._rate_hz = _RATE_HZ * (1 + options.clock_ppm * 1e-6)
        self._random = np.random.default_rng(7)
        self._gains = list(_CONSTANTS["UG"])
        self._commands = bytearray()
        self._volts, self._mode, self._on = 3.3, 2, False
        self._start: float | None = None
        self._stop = math.inf
        self._made = 0
        self._range = 0
        self._loss = self._loss_after(0)

    def run(self) -> None:
        if "stale" in self._fault:
            self._measure()
        self._scene.announce(self._terminal.path)
        while True:
            if not self._terminal.connected:
                self._on = False
                self._terminal.write()
                time.sleep(_TICK_S)
            self._obey(self._terminal.read(_TICK_S))
            if self._start is not None:
                now = time.monotonic()
                if "unplug" in self._fault and now - self._start > self._fault["unplug"]:
                    break
                self._send_samples(min(now - HOLD_S, self._stop))
                if now - HOLD_S > self._stop:
                    self._start = None
            self._terminal.write()
        self._terminal.unplug()

    def _obey(self, data: bytes) -> None:
        self._commands += data
        if "other" in self._fault:
            if self._commands:
                self._terminal.write(b"\r\nunknown command\r\n>>> ")
                self._commands.clear()
            return
        while self._commands:
            code = self._commands[0]
            size = 1 + _ARGUMENTS.get(code, 0)
            if len(self._commands) < size:
                return
            arguments = bytes(self._commands[1:size])
            del self._commands[:size]
            self._command(code, arguments)

    def _command(self, code: int, arguments: bytes) -> None:
        if code == 0x06:
            self._measure()
        elif code in (0x07, 0x20):
            if "endless" not in self._fault:
                self._stop = time.monotonic()
            if code == 0x20:
                self._on = False
        elif code == 0x0C:
            self._on = arguments != b"\0"
        elif code == 0x0D:
            self._volts = struct.unpack(">H", arguments)[0] / 1000
        elif code == 0x11:
            self._mode = arguments[0]
        elif code == 0x19:
            self._send_calibration()
        elif code == 0x25 and arguments[0] < len(self._gains):
            self._gains[arguments[0]] = struct.unpack("<f", arguments[1:])[0]

    def _measure(self) -> None:
        self._start, self._stop, self._made = time.monotonic(), math.inf, 0

    def _send_calibration(self) -> None:
        constants: dict[str, Any] = {**_CONSTANTS, "UG": self._gains}
        lines = ["Calibrated: 0"]
        lines += [f"{name}{k}: {constants[name][k]:.9f}" for name in constants for k in range(5)]
        lines += [f"VDD: {self._volts * 1000:.0f}", "HW: 9173", f"mode: {self._mode}", "IA: 59", "END", ""]
        text = "\n".join(lines)
        if "mute" in self._fault:
            return
        if "corrupt" in self._fault:
            text = text.replace(f"R0: {_CONSTANTS['R'][0]:.9f}", "R0: 3.09e27")
        if "short" in self._fault:
            text = text[: text.index("GI2")]
        reply = text.encode()
        if "split" in self._fault:
            at = reply.index(b"R0") + 6
            self._terminal.write(reply[:at])
            time.sleep(0.1)
            reply = reply[at:]
        self._terminal.write(reply)

    def _send_samples(self, until: float) -> None:
        """All samples up to the time `until` that are not made yet."""
        assert self._start is not None
        count = int((until - self._start) * self._rate_hz) - self._made
        if count <= 0:
            return
        index = self._made + np.arange(count)
        t = self._start + index / self._rate_hz
        levels = self._scene.line.levels(t)
        current = self._scene.profile.current(t, levels) if self._on else np.zeros(count)
        adc, which = self._converted(current)
        words = adc | which << 14 | (index & 63) << 18 | levels.astype(np.int64) << 24
        kept = words[self._kept(index)]
        self._made += count
        if self._terminal.waiting_bytes < self._options.buffer_s * 4 * _RATE_HZ:
            self._terminal.write(self._disturbed(kept.astype("<u4").tobytes(), count))

    def _converted(self, current: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """What the ADC says, and in which range. With noise of one step, so that the mean is the current's."""
        which = np.searchsorted(_TOP_A, current)
        changed = np.flatnonzero(np.diff(which, prepend=self._range)) if which.size else which
        self._range = int(which[-1])
        if self._options.spike:
            current = current.copy()
            for at in changed:
                current[at : at + 3] *= 1 + self._options.spike
        r, gs, gi, o, s, i = (np.array(_CONSTANTS[name])[which] for name in ("R", "GS", "GI", "O", "S", "I"))
        wanted = current / np.array(self._gains)[which] - (s * self._volts + i)
        x = 2 * wanted / (gi + np.sqrt(gi * gi + 4 * gs * wanted))
        steps = (x * r / _VOLTS_PER_STEP + o) / 4
        noisy = np.floor(steps + self._random.random(steps.size))
        return np.clip(noisy, 0, _FULL_SCALE).astype(np.int64), which.astype(np.int64)

    def _loss_after(self, end: float) -> tuple[float, float]:
        """The first sample that is lost after `end`, and the first one that is not."""
        if not self._options.lost:
            return math.inf, math.inf
        size = self._options.burst or int(self._random.integers(1, 200))
        mean = self._options.burst or 100
        start = end + 1 + int(self._random.exponential(mean / self._options.lost - mean))
        return start, start + size

    def _kept(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        kept = np.ones(index.size, bool)
        while self._loss[0] <= index[-1]:
            kept[(index >= self._loss[0]) & (index < self._loss[1])] = False
            if self._loss[1] > index[-1]:  # it goes on in what comes next
                break
            self._loss = self._loss_after(self._loss[1])
        return kept

    def _disturbed(self, data: bytes, count: int) -> bytes:
        if "garbage" not in self._fault or self._start is None:
            return data
        for at, size in ((0.3, 3), (0.6, 50)):
            if self._made - count <= at * _RATE_HZ < self._made:
                data = data[:402] + self._random.bytes(size) + data[402:]
        return data
