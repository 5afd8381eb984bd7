"""INA219, INA226 and INA228 (TI), read by a second MicroPython board that runs `device/recorder/ina.py`.

Address: ina228:PORT, ina226:PORT or ina219:PORT of that board, or ina:PORT?chip=ina228. The recorder is sent to its
heap; nothing is written to its flash. How its lines become a trace, and what an INA228 integrates by itself, is in
ina_decode.py. Options:

shunt, shunt_limit -- ohm, and its relative error; modules have 0.1 ohm and 1 %
range_mv -- of the shunt's voltage, 40, 80, 160 or 320 (INA219), 40 or 160 (INA228); the smallest unless said
i2c, sda, scl, addr -- where the chip is: number of the bus, pins as numbers (otherwise the bus has its own), address
trig -- the recorder's pin that the board's trigger pin is wired to
period_ms -- how often an INA228 is read between edges; 100, or 10 without a trigger
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from importlib.resources import files

from tinympy import transport
from tinympy.energy.trace import MeterSpec, Trace
from tinympy.errors import BoardError, MeterError, NoBoardError, UsageError

from .base import RecordingError
from .ina_decode import END, RANGES_MV, Chip, Header, decode, header, specification

_READ_BYTES, _READ_S = 8192, 0.2
_END_S = 3.0


@dataclass(frozen=True)
class Options:
    chip: str = "ina228"
    shunt: float = 0.1
    shunt_limit: float = 0.01
    range_mv: int | None = None
    i2c: int = 0
    sda: int | None = None
    scl: int | None = None
    addr: str = "0x40"
    trig: int | None = None
    period_ms: int | None = None


class Ina:
    """The meter on the port `port`: see `base.Meter`."""

    pulses = False

    def __init__(self, port: str, options: Options) -> None:
        chip = _check(options)
        self.trigger = None if options.trig is None else 0
        self._chip, self._port, self._options = chip, port, options
        self._spec = specification(chip, options.shunt, options.shunt_limit, options.range_mv)
        self._line: transport.Transport | None = None
        self._header: Header | None = None
        self._reader: _Reader | None = None

    def __enter__(self) -> Ina:
        options = self._options
        arguments = (
            *(self._chip, options.shunt, options.range_mv, options.i2c, options.sda, options.scl),
            *(int(options.addr, 0), options.trig),
        )
        if not self._port:
            raise MeterError(f"no port is named for the {self._chip}", f"say where its board is: {self._chip}:PORT")
        try:
            self._line = transport.open(self._port)
            self._line.exec(files("tinympy.recorder").joinpath("ina.py").read_text(encoding="utf-8"))
            self._header = header(self._line.exec(f"recorder = prepare{arguments!r}"))
        except (BoardError, NoBoardError) as error:
            self.__exit__()
            raise _meter_error(error, self._chip, options.addr) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.abandon()
            self._reader = None
        if self._line is not None:
            # The program there ends with whatever it reads.
            self._line.__exit__(None)
            self._line = None

    @property
    def spec(self) -> MeterSpec:
        return self._spec

    def power(self, volts: float | None) -> None:
        """MeterError for any voltage: it is no supply."""
        if volts is not None:
            raise MeterError(f"an {self._chip} is no supply", "leave the voltage away, and feed the board yourself")

    def start(self) -> None:
        assert self._line is not None
        period_ms = self._options.period_ms or (100 if self.trigger is not None else 10)
        try:
            self._line.start(f"record(recorder, {period_ms})")
        except BoardError as error:
            raise MeterError(error.message, error.hint) from error
        self._reader = _Reader(self._line)

    def stop(self) -> Trace:
        assert self._line is not None and self._reader is not None and self._header is not None
        reader, self._reader = self._reader, None
        said, failure = reader.finish()
        trace = None
        with contextlib.suppress(MeterError):
            trace = decode(said, self._header, self._spec)
        if failure is None:
            try:
                self._line.leave()
            except BoardError as error:
                failure = error
        if failure is not None:
            raise RecordingError(f"the recorder at {self._port}: {failure.message}", failure.hint, trace)
        if trace is None:
            raise RecordingError(f"the recorder at {self._port} sent nothing that can be read", "try another cable")
        return trace


class _Reader:
    """A thread that takes what the recorder sends."""

    def __init__(self, line: transport.Transport) -> None:
        self._line = line
        self._pieces: list[bytes] = []
        self._failure: BoardError | None = None
        self._until_s: float | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def finish(self) -> tuple[bytes, BoardError | None]:
        """Asks the recorder to end: all it sent, and what went wrong. Returns within seconds."""
        self._until_s = time.monotonic() + _END_S
        try:
            self._line.write(b"\n")
        except BoardError as error:
            self._failure = self._failure or error
        self._thread.join(_END_S + 2 * _READ_S)
        said = b"".join(self._pieces)
        if self._failure is None and END not in said[-200:]:
            self._failure = BoardError("it does not end", "unplug it, plug it in, try again")
        return said, self._failure

    def abandon(self) -> None:
        self._until_s = 0.0
        self._thread.join(2 * _READ_S)

    def _read(self) -> None:
        try:
            while self._until_s is None or time.monotonic() < self._until_s:
                piece = self._line.read(_READ_BYTES, time.monotonic() + _READ_S)
                self._pieces.append(piece)
                if END in b"".join(self._pieces[-2:]):
                    return
        except BoardError as error:
            self._failure = error


def _check(options: Options) -> Chip:
    chip = next((known for known in RANGES_MV if known == options.chip), None)
    if chip is None:
        raise UsageError(f"{options.chip} is not known", f"known are {', '.join(RANGES_MV)}")
    if options.range_mv is not None and options.range_mv not in RANGES_MV[chip]:
        ranges = ", ".join(map(str, RANGES_MV[chip]))
        raise UsageError(f"an {chip} has no range of {options.range_mv} mV", f"range_mv is one of {ranges}")
    if options.shunt <= 0:
        raise UsageError(f"a shunt of {options.shunt} ohm cannot be", "shunt=0.1 is what most modules have")
    try:
        int(options.addr, 0)
    except ValueError:
        raise UsageError(f"addr={options.addr} is not a number", "addr=0x40 is the usual one") from None
    return chip


def _meter_error(error: BoardError | NoBoardError, chip: Chip, addr: str) -> MeterError:
    reason = error.message
    if "another chip" in reason:
        return MeterError(f"at {addr} is no {chip}: {reason}", "name the chip that is there: ina219, ina226 or ina228")
    if "raised OSError" in reason:
        return MeterError(f"no {chip} answers at {addr} ({reason})", "check wires and supply, addr, i2c, sda, scl")
    return MeterError(f"the recorder's board: {reason}", error.hint)


def open_at(place: str, options: Options) -> Ina:
    return Ina(place, options)
