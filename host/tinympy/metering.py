"""A run that an energy meter listens to: the meter's supply, its recording, and the board's marks in it.

The meter is on for as long as the board is used, and records from before the first window to behind the last one.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinympy import records
from tinympy.boards import Board
from tinympy.deploy import Mark
from tinympy.dut import Dut
from tinympy.energy.align import BoardWindow
from tinympy.energy.measurement import measure
from tinympy.energy.meters import FileMeter, Meter, open_meter
from tinympy.energy.meters.emulated_meter import EmulatedMeter
from tinympy.energy.trace import Trace
from tinympy.energy.uncertainty import LEAST_SHARE
from tinympy.errors import MeterError, UsageError

IDLE_S = 1.2
"""Before the first window and behind the last one, for the meter to see what the board takes when it waits."""
STEPS = 1000
"""Of the envelope that a record keeps of a recording."""

Pin = int | str


@dataclass(frozen=True)
class Metering:
    """What was asked for: the meter's address, the pin that the board marks its windows with, where the meter sits, and
    whether nothing else feeds the board.
    """

    address: str
    pin: Pin | None = None
    rail: str | None = None
    only_supply: bool = False

    def sees(self, board: Board) -> bool:
        """Whether the meter can measure a board: emulated ones those that are processes here, and only they do."""
        if self.address.startswith("file:"):
            return True
        return self.address.startswith("emu:") == board.shares_computer


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


def recorded(metering: Metering) -> tuple[Trace, int | None]:
    """The recording that lies at the address file:PATH, and the logic input that the board's pin was wired to.

    Raises:
        UsageError: the address is of a meter, or the file cannot be read.
    """
    meter = open_meter(metering.address)
    if not isinstance(meter, FileMeter):
        raise UsageError(
            f"{metering.address} has no recording of what is over",
            "export it: --meter file:PATH; or let the meter listen: `tinympy unplug --meter`",
        )
    return meter.load(), meter.trigger


def listener(metering: Metering) -> Meter:
    """The meter, not open yet.

    Raises:
        UsageError: its address cannot be read, or is that of a file.
        MeterError: it is not attached.
    """
    meter = open_meter(metering.address)
    if isinstance(meter, FileMeter):
        raise UsageError("a file is read when the run is over", "`tinympy collect --meter file:PATH`")
    return meter


def mark(metering: Metering | None, meter: Meter | None) -> Mark | None:
    """How the board shows its windows: one that is a process on the emulated meter's trigger line."""
    if metering is None or meter is None:
        return None
    pin = meter.emulator.trigger if isinstance(meter, EmulatedMeter) else metering.pin
    return None if pin is None else Mark(pin, meter.pulses)


@dataclass(frozen=True)
class Heard:
    """A timed window of n inferences, in microseconds of the board's clock since it began to serve."""

    n: int
    begin_us: int
    end_us: int


@dataclass
class Listened:
    """What there is when the windows have run: the recording, and when the preamble began where there was one."""

    trigger: int | None
    trace: Trace | None = None
    preamble_us: int | None = None

    def energy(self, asked: Metering, heard: Sequence[Heard], count: int) -> records.Energy:
        """What the last `count` of the windows took; those before them are in the recording as well.

        Raises:
            MeterError: the windows cannot be found in the recording, or too much of it was lost.
        """
        assert self.trace is not None
        listed = [BoardWindow(each.n, each.end_us - each.begin_us, each.begin_us) for each in heard]
        found = measure(self.trace, listed, count=count, trigger=self.trigger, preamble_us=self.preamble_us)
        if found.refused:
            first, *others = found.refused
            more = f", and {len(others)} more windows are like it" if others else ""
            raise MeterError(
                first + more, "record again, with nothing else running here and the meter on a port of its own, no hub"
            )
        limit = found.gross.limit
        return records.Energy(
            meter=records.Meter(
                name=found.spec.name,
                address=asked.address,
                emulated=found.spec.emulated,
                serial=found.spec.serial,
                rate_hz=found.spec.rate_hz,
                voltage_v=found.volts,
                voltage_basis=found.spec.voltage_basis,
                rail=asked.rail,
                only_supply=asked.only_supply,
            ),
            windows=[
                records.WindowEnergy(each.energy_j, each.net_j, each.power_w, each.coverage) for each in found.windows
            ],
            marks="preamble" if found.alignment.method == "preamble" else "pin",
            ranges=[
                number
                for number in range(len(found.windows[-1].shares))
                if any(each.shares[number] >= LEAST_SHARE for each in found.windows)
            ],
            limit=None if limit is None else limit.relative,
            drift_ppm=1e6 * found.alignment.drift,
            idle_w=None if found.idle is None else found.idle.power_w,
            notes=list(found.notes),
            envelope=envelope(self.trace, found.alignment.spans),
        )


@contextlib.contextmanager
def listening(meter: Meter, dut: Dut, marked: bool) -> Iterator[Listened]:
    """Record while the context lasts, with some idling at both ends, and a preamble where no trigger shows the windows.

    marked -- whether the board shows them on a pin
    Raises:
        BoardError, MeterError: one of the two; nothing is left of the recording then.
    """
    found = Listened(meter.trigger if marked else None)
    meter.start()
    try:
        time.sleep(IDLE_S)
        if found.trigger is None:
            found.preamble_us = dut.preamble()
        yield found
        time.sleep(IDLE_S)
    except BaseException:
        with contextlib.suppress(MeterError):
            meter.stop()
        raise
    found.trace = meter.stop()


def envelope(trace: Trace, spans: Sequence[tuple[float, float]]) -> records.Envelope:
    """Mean, lowest and highest power of up to STEPS equal numbers of samples; None where all of them were lost."""
    each = -(-len(trace.t) // STEPS)
    power = np.full(-(-len(trace.t) // each) * each, np.nan)
    power[: len(trace.t)] = trace.i * trace.v
    rows = power.reshape(-1, each)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows of nothing but lost samples
        figures = [function(rows, axis=1) for function in (np.nanmean, np.nanmin, np.nanmax)]
    lists = [[None if np.isnan(value) else float(f"{value:.4g}") for value in each] for each in figures]
    begin = float(trace.t[0])
    step_s = each * float(trace.t[-1] - begin) / max(1, len(trace.t) - 1)
    mean, low, high = lists
    return records.Envelope(step_s, mean, low, high, [[start - begin, end - begin] for start, end in spans])
