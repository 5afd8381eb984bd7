"""ST's X-NUCLEO-LPM01A ("PowerShield"): it feeds the board with 1.8 to 3.3 V and measures up to 50 mA.

Address: lpm01a:PORT, or lpm01a: alone for the only one that is attached. Options:

v -- V that it feeds, from opening until closing (otherwise from `power` on)
freq -- samples a second: 1, 2, 5, 10, … 100000 in these steps; 5000 goes without saying
format -- ascii (up to 5000 a second) or bin; whatever fits goes without saying
output -- current, or energy: it integrates by itself between samples (up to 10000 a second)
v_limit -- relative error of the voltage, which it measures itself; the maker states none: 1 %
trig -- d7: the board's pin is wired to D7; none: it is not. Firmware from 1.0.6 on puts edges into what it sends, of
    one direction: the board has to pulse the pin at both ends of a window, as MLPerf Tiny's firmware does
edge -- fal or ris: which edge of a pulse counts

The maker's limit of the current is 2 %.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from tinympy.errors import MeterError, UsageError

from ..trace import MeterSpec, Trace
from .base import RecordingError
from .line import AtLine
from .lpm01a_decode import Stream, place, read_binary, read_text

BAUD = 3_686_400
VOLTS = (1.8, 3.3)
LIMIT_A = 0.05
GAIN_LIMIT = 0.02
SMALLEST_A = 100e-9

_RATES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_MOST = {"ascii": 5000, "bin": 100_000}
_MOST_ENERGY = 10_000
_FORMATS = {"ascii": "ascii_dec", "bin": "bin_hexa"}
_REPLUG = "unplug it, plug it in, and try again"
_REPLY_S = 3.0
# A new voltage, and the supply, make it calibrate itself.
_CALIBRATE_S = 10.0
_FULL = 90
# Having stopped by itself, it refuses to stop.
_STARTED = re.compile(rb".*?ack start(?:\r?\n)*", re.DOTALL)
_STAMP_OR_END = re.compile(rb"TimeStamp[^\n]*\n|error[^\n]*\n|\xf0[\xf3-\xf6].{0,5}\xff\xff", re.DOTALL)
_STAMP_S = 1.2
_STOPPED = re.compile(rb"Acquisition completed|error")


@dataclass(frozen=True)
class Options:
    v: float | None = None
    freq: int = 5000
    format: str | None = None
    output: str = "current"
    v_limit: float | None = None
    trig: str = "d7"
    edge: str = "fal"


class Lpm01a(AtLine):
    """One at `path`; see tinympy.energy.meters.base.Meter."""

    def __init__(self, path: str, options: Options) -> None:
        most = _MOST_ENERGY if options.output == "energy" else _MOST["bin"]
        if options.freq not in _RATES or options.freq > most:
            rates = ", ".join(str(rate) for rate in _RATES if rate <= most)
            raise UsageError(f"an LPM01A has no {options.freq} samples a second", f"freq: one of {rates}")
        self._format = options.format or ("ascii" if options.freq <= _MOST["ascii"] else "bin")
        _one_of("format", self._format, tuple(_FORMATS))
        _one_of("output", options.output, ("current", "energy"))
        _one_of("edge", options.edge, ("fal", "ris"))
        _one_of("trig", options.trig, ("d7", "none"))
        if options.freq > _MOST[self._format]:
            raise UsageError(
                f"format=ascii is too slow for freq={options.freq}", "leave format away, or say format=bin"
            )
        if options.v is not None:
            _check_volts(options.v)
        self.trigger = 0 if options.trig == "d7" else None
        self.pulses = self.trigger is not None
        super().__init__(path, BAUD)
        self._options = options
        self._volts: float | None = None
        self._controlled = False

    def _begin(self) -> None:
        self._controlled = False
        self._take_control()
        self._configure()
        if self._options.v is not None:
            self.power(self._options.v)

    def _end(self) -> None:
        if not self._controlled:
            return
        self._write("stop")
        self._opened().settle(0.1, 1.0)
        for last in ("pwr off", "hrc"):
            self._command(last)

    @property
    def spec(self) -> MeterSpec:
        limit = self._options.v_limit
        return MeterSpec(
            "lpm01a",
            self._serial,
            float(self._options.freq),
            (GAIN_LIMIT,),
            SMALLEST_A,
            0.01 if limit is None else limit,
            "measured",
            full_scale_a=LIMIT_A,
        )

    def power(self, volts: float | None) -> None:
        if volts is None:
            self._command("pwr off")
            return
        _check_volts(volts)
        self._command(f"volt {round(volts * 1000)}m", _CALIBRATE_S)
        self._command("pwr on nostatus", _CALIBRATE_S)
        said = self._command("volt get", answer=rb".*?(\d{4})([+-]\d{2})\D")
        self._volts = float(b"%se%s" % said.groups())

    def start(self) -> None:
        if self._volts is None:
            raise MeterError("the LPM01A was not told which voltage to feed", "add v=3.3 to its address")
        self._command("start")

    def stop(self) -> Trace:
        line, notes = self._opened(), list[str]()
        if line.trouble is None:
            try:
                # With its next stamp it is known what was lost until then.
                line.wait(lambda data: _STAMP_OR_END.search(data) is not None, _STAMP_S, new=True)
                self._write("stop")
                if not line.wait(lambda data: _STOPPED.search(data) is not None, _REPLY_S, new=True):
                    notes.append("the meter did not say that it had stopped")
                line.settle(0.05, 0.5)
            except MeterError as error:
                line.trouble = line.trouble or error.message
        data = b"".join(piece for _, piece in line.take())
        data = data[match.end() if (match := _STARTED.match(data)) else 0 :]
        stream = read_text(data) if self._format == "ascii" else read_binary(data)
        if not stream.values.size and not stream.overcurrent:
            why = line.trouble or "; ".join(stream.problems) or "silent"
            raise RecordingError(f"the LPM01A at {self._path} sent no samples: {why}", _REPLUG)
        trace = self._trace(stream, notes)
        if stream.overcurrent:
            raise RecordingError(
                f"the board took more than the {LIMIT_A * 1000:g} mA that an LPM01A can give, and was cut off",
                "measure it with a meter for more: a Joulescope JS220, or a PPK2",
                trace,
            )
        if line.trouble is not None:
            seconds = trace.t.size / self._options.freq
            raise RecordingError(f"the LPM01A was unplugged {seconds:.1f} s after the start", _REPLUG, trace)
        if stream.problems:
            raise RecordingError(f"the LPM01A says: {'; '.join(stream.problems)}", _REPLUG, trace)
        return trace

    def _trace(self, stream: Stream, notes: list[str]) -> Trace:
        assert self._volts is not None
        rate = self._options.freq
        placed = place(stream, rate)
        current = placed.values
        if self._options.output == "energy":
            current = current * rate / self._volts
        if placed.lost:
            share = placed.lost / current.size
            notes.append(f"{placed.lost} of {current.size} samples lost ({share:.2%}); where, is known to a second")
        if stream.fullest >= _FULL:
            notes.append(f"the meter's buffer was {stream.fullest} % full: this computer reads too slowly, lower freq")
        edges = tuple(float(at) / rate for at in placed.edges) if self.trigger is not None else ()
        return Trace(np.arange(current.size) / rate, current, self._volts, self.spec, edges=edges, notes=tuple(notes))

    def _take_control(self) -> None:
        """Gets its attention. A run that crashed may have left it measuring."""
        line = self._opened()
        self._write("stop")
        if not line.settle(0.25, 3.0):
            raise MeterError(f"what is at {self._path} does not stop sending, so it is no LPM01A", "name another port")
        try:
            self._command("htc")
            self._controlled = True
        except MeterError as error:
            said = line.text()[:40]
            if line.trouble is not None or b"error" in said:
                raise
            raise MeterError(
                f"what is at {self._path} is no LPM01A: it answered {said!r}"
                if said
                else f"what is at {self._path} does not answer as an LPM01A does",
                "`tinympy meters` lists what is attached",
            ) from error

    def _configure(self) -> None:
        options = self._options
        for command in ("acqtime inf", "trigdelay 0", "trigsrc sw", f"output {options.output}"):
            self._command(command)
        self._command(f"format {_FORMATS[self._format]}")
        self._command(f"freq {options.freq // 1000}k" if options.freq >= 1000 else f"freq {options.freq}")
        if self.trigger is not None:
            try:
                self._command(f"eventsrc d7 {options.edge}")
            except MeterError as error:
                raise MeterError(
                    f"this LPM01A does not report edges of its trigger input: {error.message}",
                    "update its firmware (1.0.6 or later), or add trig=none to its address",
                ) from error

    def _command(self, command: str, limit_s: float = _REPLY_S, answer: bytes = b"[^\n]*\n") -> re.Match[bytes]:
        """Its reply to a command, from the acknowledgement to an `answer`, by default the end of the line.

        Raises:
            MeterError: it refuses, or does not answer in time.
        """
        line, whole = self._opened(), re.compile(b"ack " + command.encode() + answer, re.DOTALL)
        line.take()
        self._write(command)
        line.wait(lambda reply: whole.search(reply) is not None or b"error" in reply, limit_s)
        reply = line.text()
        if found := whole.search(reply):
            return found
        if b"error" in reply:
            line.settle(0.1, 0.5)
            detail = re.search(rb"Error detail:\s*([^\r\n]+)", line.text())
            why = detail[1].decode("ascii", "replace").strip() if detail else "no reason given"
            raise MeterError(f"the LPM01A refuses `{command}`: {why}", _REPLUG)
        raise MeterError(f"the LPM01A does not answer `{command}`: {line.trouble or 'silent'}", _REPLUG)

    def _write(self, command: str) -> None:
        self._opened().write(f"{command}\r\n".encode())


def open_at(place: str, options: Options) -> Lpm01a:
    return Lpm01a(place, options)


def _one_of(name: str, value: str, values: tuple[str, ...]) -> None:
    if value not in values:
        raise UsageError(f"an LPM01A has no {name}={value}", f"{name}: {' or '.join(values)}")


def _check_volts(volts: float) -> None:
    if not VOLTS[0] <= volts <= VOLTS[1]:
        raise UsageError(f"an LPM01A does not feed {volts:g} V", f"{VOLTS[0]} to {VOLTS[1]} V")
