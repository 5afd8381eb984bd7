"""A meter that is emulated: its emulator runs from opening to closing, everything else is as with the real one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from ..emulated import Emulator, launch
from ..trace import MeterSpec, Trace
from .base import Meter, RecordingError


class EmulatedMeter:
    """What `connect` makes of the emulator's address; `emulator` has the trigger line, from opening to closing."""

    emulator: Emulator

    def __init__(self, kind: str, given: Mapping[str, str], connect: Callable[[str], Meter]) -> None:
        self._kind, self._given, self._connect = kind, given, connect
        # Options of the meter that are wrong show before anything runs.
        meter = connect("")
        self.trigger, self.pulses = meter.trigger, meter.pulses
        self._meter: Meter | None = None

    def __enter__(self) -> EmulatedMeter:
        self.emulator = launch(self._kind, self._given)
        try:
            self._meter = self._connect(self.emulator.address)
            self._meter.__enter__()
        except BaseException:
            self._meter = None
            self.emulator.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._inner().__exit__(*exception)
        finally:
            self.emulator.close()

    @property
    def spec(self) -> MeterSpec:
        return dataclasses.replace(self._inner().spec, serial="emulated", emulated=True)

    def power(self, volts: float | None) -> None:
        self._inner().power(volts)

    def start(self) -> None:
        self._inner().start()

    def stop(self) -> Trace:
        try:
            return self._marked(self._inner().stop())
        except RecordingError as error:
            if error.partial is not None:
                error.partial = self._marked(error.partial)
            raise

    def _marked(self, trace: Trace) -> Trace:
        return dataclasses.replace(trace, spec=dataclasses.replace(trace.spec, serial="emulated", emulated=True))

    def _inner(self) -> Meter:
        assert self._meter is not None, "not open"
        return self._meter
