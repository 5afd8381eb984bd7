"""A run that an energy meter listens to: the meter's supply, its recording, and the board's marks in it.

The meter is on for as long as the board is used, and records from before the first window to behind the last one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tinympy import energy, records
from tinympy.dut import Dut, Timed
from tinympy.energy.meters import EmulatedMeter, Meter, open_meter
from tinympy.energy.trace import Trace
from tinympy.errors import MeterError

IDLE_S = 1.2
"""Before the first window and behind the last one, for the meter to see what the board takes when it waits."""

Pin = int | str


@dataclass(frozen=True)
class Metering:
    """What was asked for: the meter's address, the pin that the board marks its windows with, where the meter sits."""

    address: str
    pin: Pin | None = None
    rail: str | None = None

    @property
    def emulated(self) -> bool:
        """Whether the meter is, whose current follows a board that is a process here."""
        return self.address.startswith("emu:")


@contextlib.contextmanager
def opened(metering: Metering | None) -> Iterator[Meter | None]:
    """The meter, open; None where there is none.

    Raises:
        UsageError: its address cannot be read.
        MeterError: the meter.
    """
    if metering is None:
        yield None
        return
    with open_meter(metering.address) as meter:
        yield meter


def mark(metering: Metering | None, meter: Meter | None) -> Pin | None:
    """What the board raises in its windows: of one that is a process the emulated meter's trigger line."""
    if isinstance(meter, EmulatedMeter):
        return meter.emulator.trigger
    return None if metering is None else metering.pin


@dataclass(frozen=True)
class Heard:
    """A timed window, in microseconds of the board's clock since it began to serve."""

    begin_us: int
    end_us: int


@dataclass
class Listened:
    """What there is when the windows have run: the recording, and when the preamble began where there was one."""

    trace: Trace | None = None
    preamble_us: int | None = None


@contextlib.contextmanager
def listening(meter: Meter, dut: Dut) -> Iterator[Listened]:
    """Record while the context lasts, with some idling at both ends, and a preamble for a meter without a trigger.

    Raises:
        BoardError, MeterError: one of the two; nothing is left of the recording then.
    """
    found = Listened()
    meter.start()
    try:
        time.sleep(IDLE_S)
        if meter.trigger is None:
            found.preamble_us = dut.preamble()
        yield found
        time.sleep(IDLE_S)
    except BaseException:
        with contextlib.suppress(MeterError):
            meter.stop()
        raise
    found.trace = meter.stop()
