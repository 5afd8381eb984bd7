"""Nordic's Power Profiler Kit II: 100 000 samples of the current a second, eight logic inputs, no voltmeter.

Address: ppk2:PORT, or ppk2: alone for the only one that is attached. Options:

mode -- source: it feeds the board; ampere (what goes without saying): it lies in the line of another supply
v, voltage -- V. In source mode what it feeds, from opening until closing (otherwise from `power` on); in ampere mode,
    where it has to be said, what the other supply gives
v_limit -- relative error of that voltage; the maker states none: 2 % of what it feeds, 5 % of what you say
trig -- the input that the board's trigger pin is wired to, 0 to 7, or none
settle -- samples to leave out after each change of range, where real ones have spikes: Nordic's own programs smooth 3

The maker's limits of the current are typical ones: 10 %, and 15 % in the range that ends at 1 A.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass

import numpy as np

from tinympy.errors import MeterError, UsageError

from ..trace import MeterSpec, Trace
from .base import RecordingError
from .line import AtLine
from .ppk2_decode import (
    FULL_SCALE,
    RANGES,
    RATE_HZ,
    TOP_A,
    Calibration,
    currents,
    inputs,
    is_whole,
    near_switches,
    ranges,
    read_calibration,
)
from .ppk2_timeline import Timeline, timeline

GAIN_LIMITS = (0.10, 0.10, 0.10, 0.10, 0.15)
SMALLEST_A = 200e-9
VOLTS = (0.8, 5.0)

_START, _STOP, _POWER, _VOLTAGE, _MODE, _CALIBRATION = 0x06, 0x07, 0x0C, 0x0D, 0x11, 0x19
_MODES = {"ampere": 1, "source": 2}
# What has been silent for so long has stopped, even on a busy computer.
_QUIET_S = 0.25
_REPLUG = "unplug it, plug it in, and try again"
# A run of samples beyond 1 A that is no inrush.
_TOO_MUCH_S = 1e-3


@dataclass(frozen=True)
class Options:
    mode: str = "ampere"
    v: float | None = None
    voltage: float | None = None
    v_limit: float | None = None
    trig: str = "0"
    settle: int = 0


class Ppk2(AtLine):
    """One at `path`; see tinympy.energy.meters.base.Meter."""

    pulses = False

    def __init__(self, path: str, options: Options) -> None:
        self.trigger = _trigger(options.trig)
        super().__init__(path)
        self._options = options
        self._volts = options.v if options.v is not None else options.voltage
        if None not in (options.v, options.voltage) and options.v != options.voltage:
            raise UsageError(f"v={options.v:g} and voltage={options.voltage:g}", "say it once")
        if options.mode not in _MODES:
            raise UsageError(f"a PPK2 has no mode {options.mode}", "modes: source, ampere")
        if options.mode == "ampere" and self._volts is None:
            raise UsageError(
                "a PPK2 in ampere mode does not know the voltage",
                "add v=3.3, what the board's supply gives, or mode=source&v=3.3 if the PPK2 feeds it",
            )
        if self._volts is not None:
            _check_volts(self._volts)
        if options.settle < 0:
            raise UsageError(
                f"settle={options.settle} is negative", "settle=3 leaves out 3 samples after a range change"
            )
        self._calibration: Calibration | None = None

    def _begin(self) -> None:
        self._calibration = self._ask()
        self._send(_MODE, _MODES[self._options.mode])
        if self._options.mode == "ampere" or self._volts is not None:
            self._feed(self._volts or 0.0)

    def _end(self) -> None:
        self._send(_STOP)
        self._send(_POWER, 0)

    @property
    def spec(self) -> MeterSpec:
        source = self._options.mode == "source"
        limit = self._options.v_limit
        return MeterSpec(
            "ppk2",
            self._serial,
            float(RATE_HZ),
            GAIN_LIMITS,
            SMALLEST_A,
            limit if limit is not None else 0.02 if source else 0.05,
            "set" if source else "assumed",
            full_scale_a=TOP_A[-1],
        )

    def power(self, volts: float | None) -> None:
        if volts is None:
            self._send(_POWER, 0)
            return
        if self._options.mode != "source":
            raise MeterError("a PPK2 in ampere mode feeds nothing", "add mode=source to its address")
        _check_volts(volts)
        self._volts = volts
        self._feed(volts)

    def start(self) -> None:
        if self._volts is None:
            raise MeterError("the PPK2 was not told which voltage to feed", "add v=3.3 to its address")
        line = self._opened()
        line.take()
        self._send(_START)
        if not line.wait(bool, 1.0):
            raise MeterError(f"the PPK2 at {self._path} sends no samples: {line.trouble or 'silent for 1 s'}", _REPLUG)

    def stop(self) -> Trace:
        line, notes = self._opened(), []
        if line.trouble is None:
            try:
                self._send(_STOP)
                if not line.settle(_QUIET_S, 1.5):
                    notes.append("the meter did not stop when it was told to")
            except MeterError as error:
                line.trouble = line.trouble or error.message
        placed = timeline(line.take())
        if not placed.words.size:
            raise RecordingError(f"the PPK2 at {self._path} sent no samples: {line.trouble or 'silent'}", _REPLUG)
        trace, too_much = self._trace(placed, notes)
        if line.trouble is not None:
            seconds = placed.total / RATE_HZ
            raise RecordingError(f"the PPK2 was unplugged {seconds:.1f} s after the start", _REPLUG, trace)
        if too_much:
            raise RecordingError(
                f"the current was beyond a PPK2's 1 A for {too_much / RATE_HZ * 1000:.1f} ms",
                "measure this board with a meter for more, such as a Joulescope",
                trace,
            )
        return trace

    def _trace(self, placed: Timeline, notes: list[str]) -> tuple[Trace, int]:
        """The recording, and how many of its samples are beyond the meter's end when that is too many, or 0."""
        assert self._calibration is not None and self._volts is not None
        words = placed.words
        current = currents(words, self._calibration.table(self._volts))
        which, bits = ranges(words), inputs(words)
        beyond = int(np.count_nonzero((which == RANGES - 1) & (current > TOP_A[-1])))
        pinned = int(np.count_nonzero((words & FULL_SCALE == FULL_SCALE) & (which < RANGES - 1)))
        invalid = int(np.count_nonzero(which >= RANGES))
        near = near_switches(which, self._options.settle)
        if near.any():
            current[near] = np.nan
            notes.append(f"{near.mean():.2%} of the samples are right after a change of range, and were left out")
        if beyond:
            notes.append(f"clipped: {beyond} samples are beyond the end of the meter's last range, 1 A")
        if pinned:
            notes.append(f"{pinned} samples are at the end of their range, and too small: the current rose that fast")
        if invalid:
            notes.append(f"{invalid} samples name a range that does not exist, and count as lost")
        if placed.lost:
            share = placed.lost / placed.total
            notes.append(f"{placed.lost} of {placed.total} samples lost ({share:.2%}) in {placed.gaps} gaps")
            current, which, bits = _spread(placed, current, which, bits)
        t = np.arange(placed.total) / RATE_HZ
        trace = Trace(t, current, self._volts, self.spec, bits, np.minimum(which, RANGES - 1), notes=tuple(notes))
        return trace, beyond if beyond > _TOO_MUCH_S * RATE_HZ else 0

    def _ask(self) -> Calibration:
        """Its calibration. A run that crashed may have left it sending samples: those go first."""
        line = self._opened()
        for _ in range(2):
            self._send(_STOP)
            if not line.settle(_QUIET_S, 3.0):
                raise MeterError(
                    f"what is at {self._path} does not stop sending, so it is no PPK2", "name another port"
                )
            line.take()
            self._send(_CALIBRATION)
            if line.wait(is_whole, 1.5):
                return read_calibration(line.text())
        said = line.text()
        if line.trouble is not None:
            raise MeterError(f"the meter at {self._path} is gone: {line.trouble}", "plug it in again")
        if b"R0:" in said:
            raise MeterError(f"the calibration of the PPK2 at {self._path} does not come to its end", _REPLUG)
        raise MeterError(
            f"what is at {self._path} is no PPK2: it answered {said[:40]!r}"
            if said
            else f"what is at {self._path} does not answer as a PPK2 does",
            "a PPK2 has two ports, and the measurements come from the first; `tinympy meters` lists it",
        )

    def _feed(self, volts: float) -> None:
        self._send(_VOLTAGE, *struct.pack(">H", round(volts * 1000)))
        self._send(_POWER, 1)

    def _send(self, *command: int) -> None:
        self._opened().write(bytes(command))
        time.sleep(0.002)  # one command in a USB packet


def open_at(place: str, options: Options) -> Ppk2:
    return Ppk2(place, options)


def _spread(
    placed: Timeline, current: np.ndarray, which: np.ndarray, bits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As they are in time: NaN where a sample was lost, ranges and inputs as they were before it."""
    spread = np.full(placed.total, np.nan)
    spread[placed.index] = current
    before = np.repeat(np.arange(placed.words.size), np.diff(placed.index, append=placed.total))
    return spread, which[before], bits[before]


def _trigger(text: str) -> int | None:
    if text == "none":
        return None
    if text not in map(str, range(8)):
        raise UsageError(f"a PPK2 has no input {text}", "trig=0 to trig=7, or trig=none")
    return int(text)


def _check_volts(volts: float) -> None:
    if not VOLTS[0] <= volts <= VOLTS[1]:
        raise UsageError(f"a PPK2 does not go with {volts:g} V", f"{VOLTS[0]} to {VOLTS[1]} V")
