"""An emulated Otii server with one Arc on a loopback port: JSON lines, as the maker's client speaks them.

The Arc feeds the board once its main output is on, samples current 4000 and voltage 1000 times a second, and stamps the
edges of the board's trigger line at GPI1. Options beside those of the profile:

volts -- V of the supply in whose line it lies, in inline mode
fault -- licence: somebody else has the only licence; login: nobody is signed in; nodevice: no Arc is attached;
    disconnect:SECONDS after the start of a recording the server is gone; silent:SECONDS likewise, it answers no more
"""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinympy.errors import UsageError

from ..trace import Floats
from .process import Scene

FAULTS = ("licence", "login", "nodevice", "disconnect", "silent")
METER_DEFAULTS = {"mode": "source", "v": "3.3"}
_RATES_HZ = {"mc": 4000, "mv": 1000}
_DEVICE = {"device_id": "Arc00000000000000000000000000000001", "name": "Arc", "type": "Arc"}
_GREETING = {
    "type": "information",
    "info": "connected",
    "data": {"otii_version": "3.5.5", "protocol_version": "0.1", "server": "emulated"},
}


@dataclass(frozen=True)
class Options:
    volts: float = 3.3
    fault: str = ""

    def __post_init__(self) -> None:
        kind, _, when = self.fault.partition(":")
        timed = kind in ("disconnect", "silent")
        if (self.fault and kind not in FAULTS) or timed != bool(when):
            raise UsageError(
                f"an emulated Otii has no fault {self.fault}", f"faults: {', '.join(FAULTS)}; disconnect:SECONDS"
            )

    @property
    def fault_s(self) -> float:
        return float(self.fault.partition(":")[2] or 0)


class _Refused(Exception):
    """An error as the server names it."""

    def __init__(self, code: str, **data: object) -> None:
        super().__init__(code)
        self.code, self.data = code, data


class Arc:
    """The instrument and its projects: `commands` by the names they have in the protocol."""

    def __init__(self, scene: Scene, options: Options) -> None:
        self._scene, self._options = scene, options
        self._values: dict[str, Any] = {"main_voltage": 3.3, "max_current": 0.5, "main": False}
        self._channels: set[str] = set()
        # What the board is fed: V from when on.
        self._supply: list[tuple[float, float]] = [(0.0, 0.0)]
        self._begin: float | None = None
        self._end: float | None = None
        self._reserved = ""
        self.commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "otii_is_logged_in": lambda _: {"logged_in": options.fault != "login"},
            "otii_get_licenses": self._licences,
            "otii_reserve_license": self._reserve,
            "otii_return_license": self._reserve,
            "otii_get_devices": lambda _: {"devices": [] if options.fault == "nodevice" else [_DEVICE]},
            "otii_create_project": lambda _: {"project_id": 1},
            "otii_get_active_project": lambda _: {"project_id": 1},
            "otii_set_all_main": self._switch,
            "arc_add_to_project": self._nothing,
            "arc_is_connected": lambda _: {"connected": True},
            "arc_enable_channel": self._enable,
            "arc_enable_exp_port": self._nothing,
            "arc_set_main": self._switch,
            "arc_get_main": lambda _: {"value": self._fed()},
            "project_start_recording": self._start,
            "project_stop_recording": self._stop,
            "project_get_last_recording": lambda _: {
                "recording_id": -1 if self._begin is None else 1,
                "name": "Recording 1",
            },
            "project_close": self._nothing,
            "recording_get_channel_data_count": lambda data: {"count": len(self._channel(data["channel"]))},
            "recording_get_channel_data": self._data,
        }
        for name in ("main_voltage", "max_current", "exp_voltage", "power_regulation"):
            self.commands[f"arc_set_{name}"] = self._setter(name)
            self.commands[f"arc_get_{name}"] = lambda _, name=name: {"value": self._values.get(name, 0)}  # type: ignore[misc]

    @property
    def recorded_s(self) -> float:
        """How long it has been recording."""
        return 0.0 if self._begin is None or self._end is not None else time.monotonic() - self._begin

    def _nothing(self, _: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _licences(self, _: dict[str, Any]) -> dict[str, Any]:
        if self._options.fault == "login":
            raise _Refused("Not logged in")
        holder = "somebody" if self._options.fault == "licence" else self._reserved
        return {
            "licenses": [
                {
                    "id": 1,
                    "type": "Automation",
                    "available": self._options.fault != "licence",
                    "reserved_to": holder,
                    "hostname": "",
                }
            ]
        }

    def _reserve(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["license_id"] != 1 or self._options.fault == "licence":
            raise _Refused("License could not be reserved")
        self._reserved = "" if self._reserved else "emulated"
        return {}

    def _setter(self, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def change(data: dict[str, Any]) -> dict[str, Any]:
            self._values[name] = data["mode" if name == "power_regulation" else "value"]
            if name == "power_regulation" and data["mode"] == "inline":
                self._supply.append((time.monotonic(), self._options.volts))
            return {}

        return change

    def _switch(self, data: dict[str, Any]) -> dict[str, Any]:
        self._values["main"] = data["enable"]
        self._supply.append((time.monotonic(), self._values["main_voltage"] if data["enable"] else 0.0))
        return {}

    def _enable(self, data: dict[str, Any]) -> dict[str, Any]:
        (self._channels.add if data["enable"] else self._channels.discard)(data["channel"])
        return {}

    def _start(self, _: dict[str, Any]) -> dict[str, Any]:
        self._begin, self._end = time.monotonic(), None
        return {}

    def _stop(self, _: dict[str, Any]) -> dict[str, Any]:
        self._end = time.monotonic()
        return {}

    def _fed(self) -> bool:
        """Whether its output is on: a current that is too large has switched it off."""
        return bool(self._values["main"]) and not self._cut_off_after(self._since_start(4000))

    def _since_start(self, rate_hz: int) -> Floats:
        """The times of samples of the recording, s of CLOCK_MONOTONIC."""
        begin = self._begin if self._begin is not None else time.monotonic()
        end = self._end if self._end is not None else time.monotonic()
        return begin + np.arange(int((end - begin) * rate_hz)) / rate_hz

    def _cut_off_after(self, at: Floats) -> float | None:
        """When the current was above its limit first."""
        over = np.flatnonzero(self._uncut(at) > self._values["max_current"])
        return float(at[over[0]]) if over.size and self._values["main"] else None

    def _uncut(self, at: Floats) -> Floats:
        current = self._scene.profile.current(at, self._scene.line.levels(at))
        return np.where(self._fed_volts(at) > 0, current, 0.0)

    def _fed_volts(self, at: Floats) -> Floats:
        times, volts = np.array(self._supply).T
        return np.asarray(volts[np.searchsorted(times, at, side="right") - 1], np.float64)

    def _channel(self, name: str) -> list[Any]:
        if name not in self._channels:
            raise _Refused("Invalid key value", key="channel", value=name)
        begin, end = self._begin, self._end
        if begin is None or end is None:
            raise _Refused("Not ready")
        if name not in _RATES_HZ:
            edges = self._scene.line.edges() if name == "i1" else []
            within = [(at, level) for at, level in edges if begin <= at <= end]
            before = [level for at, level in edges if at < begin]
            known = [(begin, before[-1] if before else 0), *within]
            return [{"timestamp": at - begin, "value": bool(level)} for at, level in known]
        at = self._since_start(_RATES_HZ[name])
        cut = self._cut_off_after(at)
        values = self._uncut(at) if name == "mc" else self._fed_volts(at)
        return list(values if cut is None else np.where(at < cut, values, 0.0))

    def _data(self, data: dict[str, Any]) -> dict[str, Any]:
        first, name = data["index"], data["channel"]
        values = self._channel(name)[first : first + data["count"]]
        if name not in _RATES_HZ:
            return {"data_type": "digital", "values": values}
        interval = 1 / _RATES_HZ[name]
        return {"data_type": "analog", "timestamp": first * interval, "interval": interval, "values": values}


def answer(arc: Arc, request: dict[str, Any]) -> dict[str, Any]:
    """The reply to one request."""
    name = request.get("cmd", "")
    reply = {"cmd": name, "trans_id": request.get("trans_id", "")}
    try:
        if name not in arc.commands:
            raise _Refused("Invalid command")
        return {"type": "response", **reply, "data": arc.commands[name](request.get("data", {}))}
    except KeyError as missing:
        return {"type": "error", **reply, "errorcode": "Missing key in request", "data": {"key": str(missing)}}
    except _Refused as refusal:
        return {"type": "error", **reply, "errorcode": refusal.code, "data": {"message": refusal.code, **refusal.data}}


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(scene: Scene, options: Options) -> None:
    """Until it disconnects, or the process ends."""
    arc, gone = Arc(scene, options), threading.Event()

    class Client(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._send(_GREETING)
            while not gone.is_set() and (line := self.rfile.readline()):
                if not line.strip():
                    continue
                if options.fault_s and arc.recorded_s > options.fault_s:
                    if options.fault.startswith("silent"):
                        continue
                    gone.set()
                    return
                self._send(answer(arc, json.loads(line)))

        def _send(self, message: dict[str, Any]) -> None:
            self.wfile.write(json.dumps(message).encode() + b"\r\n")

    with _Server(("127.0.0.1", 0), Client) as server:
        scene.announce(f"127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gone.wait()
        server.shutdown()
