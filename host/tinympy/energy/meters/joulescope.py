"""Jetperch's Joulescope JS110 and JS220, through the maker's own driver: pip install 'tinympy[joulescope]'.

Address: joulescope: for the only one, or joulescope:u/js220/SERIAL as the driver names it. It lies in the line of a
supply, and measures current and voltage. Options:

rate -- samples a second, a divisor of 2 000 000 (JS110) or 1 000 000 (JS220) as the driver lists them
trig -- the general purpose input that the board's trigger pin is wired to: 0 to 3 (JS110: 0 or 1), 7 for the trigger
    input of a JS220, or none
gain_limit -- relative error of the current, and of the voltage: 1 %, a bound for all ranges
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tinympy.energy.trace import MeterSpec, Trace
from tinympy.errors import MeterError, UsageError

from .base import RecordingError
from .joulescope_blocks import Block, assemble

_INPUTS = (0, 1, 2, 3, 7)
_AUTOMATIC = {
    "js110": (("s/i/range/select", "auto"), ("s/v/range/select", "15 V")),
    "js220": (("s/i/range/mode", "auto"), ("s/v/range/mode", "auto")),
}


class Driver(Protocol):
    """What is used of `pyjoulescope_driver.Driver`."""

    def device_paths(self) -> list[str]: ...
    def open(self, path: str, /) -> None: ...
    def close(self, path: str, /) -> None: ...
    def publish(self, topic: str, value: object, /) -> None: ...
    def subscribe(self, topic: str, flags: list[str], fn: Callable[[str, Any], None], /) -> None: ...
    def unsubscribe(self, topic: str, fn: Callable[[str, Any], None], /) -> None: ...
    def finalize(self) -> None: ...


@dataclass(frozen=True)
class Options:
    rate: int = 100_000
    trig: str = "0"
    gain_limit: float = 0.01


class Joulescope:
    """One that the driver finds; see `base.Meter`. `load` makes the driver."""

    pulses = False

    def __init__(self, place: str, options: Options, load: Callable[[], Driver] | None = None) -> None:
        if options.trig not in ("none", *map(str, _INPUTS)):
            raise UsageError(f"a Joulescope has no input {options.trig}", "trig=0 to trig=3, trig=7, or trig=none")
        if options.rate <= 0:
            raise UsageError(f"rate={options.rate} is none", "rate=100000 goes without saying")
        self.trigger = None if options.trig == "none" else int(options.trig)
        self._place, self._options, self._load = place, options, load or _load
        self._driver: Driver | None = None
        self._path = ""
        self._blocks: dict[str, list[Block]] = {}
        # One object: the driver knows a subscription by it.
        self._take = self._append

    def __enter__(self) -> Joulescope:
        self._driver = self._load()
        try:
            with _failures("cannot open the Joulescope"):
                path = self._choose(self._driver.device_paths())
                self._driver.open(path)
                self._path = path
                for topic, value in _AUTOMATIC.get(self._model, ()):
                    self._driver.publish(f"{path}/{topic}", value)
                self._driver.publish(f"{path}/h/fs", self._options.rate)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        driver, self._driver = self._driver, None
        if driver is None:
            return
        with contextlib.suppress(Exception):
            self._silence(driver)
        if self._path:
            with contextlib.suppress(Exception):
                driver.close(self._path)
        with contextlib.suppress(Exception):
            driver.finalize()
        self._path = ""

    @property
    def spec(self) -> MeterSpec:
        return MeterSpec(
            "joulescope",
            serial=self._path.rpartition("/")[2] or None,
            rate_hz=float(self._options.rate),
            gain_limits=(self._options.gain_limit,),
            voltage_limit=self._options.gain_limit,
            voltage_basis="measured",
        )

    def power(self, volts: float | None) -> None:
        """MeterError for any voltage: it is no supply."""
        if volts is not None:
            raise MeterError("a Joulescope is no supply", "leave the voltage away, and feed the board through it")

    def start(self) -> None:
        driver = self._opened()
        self._blocks = {signal: [] for signal in self._signals}
        with _failures("the Joulescope does not start"):
            for signal in self._signals:
                driver.subscribe(f"{self._path}/{signal}/!data", ["pub"], self._take)
            for signal in self._signals:
                driver.publish(f"{self._path}/{signal}/ctrl", 1)

    def stop(self) -> Trace:
        trouble = None
        try:
            with _failures("the Joulescope does not stop"):
                self._silence(self._opened())
                if self._path not in self._opened().device_paths():
                    raise MeterError("the Joulescope was unplugged", "plug it in again")
        except MeterError as error:
            trouble = error
        current, voltage, *inputs = (self._blocks[signal] for signal in self._signals)
        trace = None
        if current and voltage:
            trace = assemble(current, voltage, inputs[0] if inputs else None, self.trigger, self.spec)
        if trouble is not None:
            raise RecordingError(trouble.message, trouble.hint, trace)
        if trace is None:
            raise RecordingError("the Joulescope sent no samples", "unplug it, plug it in, and try again")
        return trace

    @property
    def _signals(self) -> tuple[str, ...]:
        return ("s/i", "s/v") if self.trigger is None else ("s/i", "s/v", f"s/gpi/{self.trigger}")

    @property
    def _model(self) -> str:
        return self._path.split("/")[-2].lower() if self._path.count("/") else ""

    def _append(self, topic: str, value: Any) -> None:
        """Called on the driver's own thread."""
        signal = topic[len(self._path) + 1 :].removesuffix("/!data")
        self._blocks[signal].append(
            Block(value["sample_id"], value["decimate_factor"], value["sample_rate"], value["data"])
        )

    def _silence(self, driver: Driver) -> None:
        if not self._blocks:
            return
        for signal in self._signals:
            driver.publish(f"{self._path}/{signal}/ctrl", 0)
        for signal in self._signals:
            driver.unsubscribe(f"{self._path}/{signal}/!data", self._take)

    def _choose(self, found: list[str]) -> str:
        fitting = [path for path in found if self._place in ("", path)]
        if len(fitting) == 1:
            return fitting[0]
        names = ", ".join(found)
        if not found:
            raise MeterError("no Joulescope is attached", "plug it in; on Linux, its udev rule has to be installed")
        if not fitting:
            raise MeterError(f"there is no Joulescope {self._place}", f"there are {names}")
        raise MeterError(f"several Joulescopes are attached: {names}", "say which: joulescope:PATH")

    def _opened(self) -> Driver:
        assert self._driver is not None, "not open"
        return self._driver


@contextlib.contextmanager
def _failures(what: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:  # TimeoutError is an OSError
        raise MeterError(f"{what}: {error}", "does another program use it? unplug it, plug it in, try again") from error


def _load() -> Driver:
    try:
        from pyjoulescope_driver import Driver as MakersDriver
    except ImportError as error:
        raise MeterError("the driver for Joulescopes is not installed", "pip install 'tinympy[joulescope]'") from error
    driver: Driver = MakersDriver()
    return driver


def open_at(place: str, options: Options) -> Joulescope:
    return Joulescope(place, options)
