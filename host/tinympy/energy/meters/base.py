"""What the rest of tinympy sees of a meter."""

from __future__ import annotations

from typing import Protocol

from tinympy.energy.trace import MeterSpec, Trace
from tinympy.errors import MeterError


class RecordingError(MeterError):
    """A recording that ended before its time; `partial` is what there is of it, None where that is nothing."""

    def __init__(self, message: str, hint: str, partial: Trace | None = None) -> None:
        super().__init__(message, hint)
        self.partial = partial


class Meter(Protocol):
    """A meter that is attached. Every wait in it ends; what goes wrong is a MeterError with a hint.

    with open_meter("ppk2:/dev/ttyACM1?trig=0") as meter: meter.power(3.3); meter.start(); …; trace = meter.stop()
    """

    trigger: int | None
    """The logic input that the board's trigger pin is wired to; None: the meter has no trigger input."""

    pulses: bool
    """Whether it stamps edges of one direction only: the board then pulses its pin at both ends of a window."""

    def __enter__(self) -> Meter:
        """Opens it: after that `spec` holds.

        Raises:
            MeterError: nothing is there, something else is, or its answer makes no sense (constants out of range).
        """
        ...

    def __exit__(self, *exception: object) -> None:
        """Stops, turns its supply off, closes; never raises."""
        ...

    @property
    def spec(self) -> MeterSpec: ...

    def power(self, volts: float | None) -> None:
        """Turns the meter's own supply on at `volts`, or off (None); MeterError where it is no supply."""
        ...

    def start(self) -> None:
        """Begins to record: a thread of its own takes the bytes until `stop`, and only appends them."""
        ...

    def stop(self) -> Trace:
        """Ends recording and decodes. Returns within seconds, with what there is.

        Raises:
            RecordingError: overcurrent, unplugged, no sample at all.
        """
        ...
