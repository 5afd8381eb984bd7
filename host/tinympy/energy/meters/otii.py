"""Qoitech's Otii Arc and Ace, through their server (TCP, JSON) and the maker's own client: pip install 'tinympy[otii]'.

Address: otii:HOST:PORT, or otii: for 127.0.0.1:1905, where the Otii application and otii_server listen. Scripting needs
the maker's Automation licence; the client takes one that is free, and uses OTII_USERNAME and OTII_PASSWORD. Options:

device -- its name or id, where several are attached
v -- V that it feeds from opening until closing (otherwise from `power` on)
mode -- source: it feeds the board; inline: it lies in the line of another supply
max_a -- A at which it cuts off its supply
trig -- the input GPI1 or GPI2 that the board's trigger pin is wired to, 1 or 2, or none
io_v -- V of a high level at that input

The edges of that input are stamped by the instrument. Its samples stay in the server until the end of the recording.
"""

from __future__ import annotations

import contextlib
import io
import socket
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinympy.energy.trace import Floats, MeterSpec, Trace
from tinympy.errors import MeterError, UsageError

from .base import RecordingError
from .otii_server import Bounded, failures, host_and_port, load_client

_MODES = {"source": "voltage", "inline": "inline"}
# From the maker: gain, and offset in A below and above the end of the range that is more exact. The offset above is one
# step of 82 uA (Arc), as no error is stated there.
_ARC = (0.001, 50e-9, 82e-6, 0.019)
_ACE = (0.0005, 25e-9, 82e-6, 0.019)
_VOLTAGE_LIMIT = 0.001
_CONNECT_S = 3.0
_LICENCE_S = 1


@dataclass(frozen=True)
class Options:
    device: str | None = None
    v: float | None = None
    mode: str = "source"
    max_a: float = 0.5
    trig: str = "1"
    io_v: float = 3.3


class Otii:
    """One that the server at `place` knows; see `base.Meter`."""

    pulses = False

    def __init__(self, place: str, options: Options) -> None:
        if options.trig not in ("1", "2", "none"):
            raise UsageError(f"an Otii has no input {options.trig}", "trig=1, trig=2, or trig=none")
        if options.mode not in _MODES:
            raise UsageError(f"an Otii has no mode {options.mode}", "modes: source, inline")
        if options.mode == "inline" and options.v is not None:
            raise UsageError("an Otii that lies in the line of another supply feeds nothing", "leave v away")
        self.trigger = None if options.trig == "none" else int(options.trig) - 1
        self._options = options
        self._host, self._port = host_and_port(place)
        self._otii: Any = None
        self._device: Any = None
        self._project: Any = None
        self._fed = False

    def __enter__(self) -> Otii:
        client = load_client()
        try:
            # The client itself would wait for the system's own limit, which is minutes.
            socket.create_connection((self._host, self._port), _CONNECT_S).close()
            with failures(), contextlib.redirect_stdout(io.StringIO()):  # it prints
                self._otii = client.OtiiClient().connect(host=self._host, port=self._port, try_for_seconds=_LICENCE_S)
                self._otii.connection = Bounded(self._otii.connection)
                self._device = self._choose()
                self._prepare()
        except OSError as error:
            self.__exit__()
            raise MeterError(
                f"no Otii server answers at {self._host}:{self._port} ({error.strerror or error})",
                "start the Otii application with its TCP server switched on, or otii_server",
            ) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._otii is None:
            return
        for step in (self._unfeed, self._close_project, self._otii.disconnect, self._otii.connection.close_connection):
            with contextlib.suppress(Exception):
                step()
        self._otii = None

    @property
    def spec(self) -> MeterSpec:
        gain, low_a, _, _ = self._limits
        return MeterSpec(
            "otii",
            serial=getattr(self._device, "id", None),
            gain_limits=(gain,),
            offset_limit_a=low_a,
            voltage_limit=_VOLTAGE_LIMIT,
            voltage_basis="measured",
        )

    def power(self, volts: float | None) -> None:
        if volts is None:
            with failures():
                self._unfeed()
            return
        if self._options.mode != "source":
            raise MeterError("an Otii that lies in the line of another supply feeds nothing", "leave mode=inline away")
        with failures():
            self._device.set_main_voltage(volts)
            self._device.set_main(True)
            self._fed = True

    def start(self) -> None:
        with failures():
            self._project.start_recording()

    def stop(self) -> Trace:
        try:
            with failures():
                self._project.stop_recording()
                cut_off = self._fed and not self._device.get_main()
                trace = self._trace()
        except MeterError as error:
            raise RecordingError(error.message, error.hint) from error
        if cut_off:
            raise RecordingError(
                f"the Otii has cut off its supply: the current was above {self._options.max_a:g} A",
                "allow more with max_a=2, if the board may draw that",
                trace,
            )
        return trace

    @property
    def _limits(self) -> tuple[float, float, float, float]:
        return _ACE if getattr(self._device, "type", "Arc") == "Ace" else _ARC

    def _choose(self) -> Any:
        wanted = self._options.device
        found = self._otii.get_devices(timeout=1)
        fitting = [device for device in found if wanted in (None, device.name, device.id)]
        if len(fitting) == 1:
            return fitting[0]
        names = ", ".join(f"{device.name} ({device.id})" for device in found)
        if not found:
            raise MeterError(
                "the Otii server knows no Arc and no Ace", "plug one in, and look whether it is shown there"
            )
        if not fitting:
            raise MeterError(f"no Otii is called {wanted}", f"there are {names}")
        raise MeterError(f"several Otiis are attached: {names}", "say which: device=NAME")

    def _prepare(self) -> None:
        self._project = self._otii.create_project()
        device, options = self._device, self._options
        device.add_to_project()
        device.set_power_regulation(_MODES[options.mode])
        device.set_max_current(options.max_a)
        for channel in ("mc", "mv"):
            device.enable_channel(channel, True)
        if self.trigger is not None:
            device.set_exp_voltage(options.io_v)
            device.enable_exp_port(True)
            device.enable_channel(self._input, True)
        if options.v is not None:
            self.power(options.v)

    @property
    def _input(self) -> str:
        return f"i{self._options.trig}"

    def _trace(self) -> Trace:
        recording = self._project.get_last_recording()
        if recording is None:
            raise MeterError("the Otii server has no recording", "try again")
        t, i = self._samples(recording, "mc")
        at, volts = self._samples(recording, "mv")
        *_, high_a, end_a = self._limits
        spec = self.spec
        if float(np.max(i)) > end_a:
            spec = replace(spec, offset_limit_a=high_a)
        return Trace(t, i, np.interp(t, at, volts), spec, edges=self._edges(recording))

    def _samples(self, recording: Any, channel: str) -> tuple[Floats, Floats]:
        """When (s), and what."""
        count = recording.get_channel_data_count(self._device.id, channel)
        data = recording.get_channel_data(self._device.id, channel, 0, count) if count else None
        if not data or not data["values"]:
            raise MeterError(f"the recording of the Otii has nothing of the channel {channel}", "try again")
        values = np.array(data["values"], np.float64)
        return data["timestamp"] + data["interval"] * np.arange(len(values)), values

    def _edges(self, recording: Any) -> tuple[float, ...]:
        """What the input did, beginning with a rising edge: its level at the start is listed like one."""
        if self.trigger is None:
            return ()
        count = recording.get_channel_data_count(self._device.id, self._input)
        if not count:
            return ()
        level, edges = False, []
        for change in recording.get_channel_data(self._device.id, self._input, 0, count)["values"]:
            if bool(change["value"]) != level:
                level = not level
                edges.append(float(change["timestamp"]))
        return tuple(edges)

    def _unfeed(self) -> None:
        if self._fed:
            self._fed = False
            self._device.set_main(False)

    def _close_project(self) -> None:
        if self._project is not None:
            self._project.close(force=True)
            self._project = None


def open_at(place: str, options: Options) -> Otii:
    return Otii(place, options)
