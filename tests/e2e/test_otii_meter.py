"""The maker's real client, and our meter with it, against the emulated Otii server."""

from __future__ import annotations

import socket
import sys
import time

import numpy as np
import pytest
from otii_tcp_client.otii_client import OtiiClient

from played_board import window
from tinympy.energy.emulated import launch
from tinympy.energy.measurement import measure
from tinympy.energy.meters import RecordingError, open_meter, otii_server
from tinympy.energy.meters.emulated_meter import EmulatedMeter
from tinympy.errors import MeterError, UsageError

ACTIVE_W = 0.027 * 3.3


def opened(address: str) -> EmulatedMeter:
    meter = open_meter(address)
    assert isinstance(meter, EmulatedMeter)
    return meter


def test_the_makers_client_completes_by_itself() -> None:
    with launch("otii") as emulator:
        host, port = emulator.address.split(":")
        with OtiiClient().connect(host=host, port=int(port)) as otii:
            [device] = otii.get_devices()
            assert device.type == "Arc" and device.is_connected()
            project = otii.create_project()
            device.add_to_project()
            device.set_main_voltage(3.0)
            for channel in ("mc", "mv", "i1"):
                device.enable_channel(channel, True)
            device.set_main(True)
            project.start_recording()
            time.sleep(0.2)
            emulator.set_trigger(True)
            time.sleep(0.5)
            emulator.set_trigger(False)
            time.sleep(0.2)
            project.stop_recording()
            device.set_main(False)
            recording = project.get_last_recording()
            count = recording.get_channel_data_count(device.id, "mc")
            data = recording.get_channel_data(device.id, "mc", 0, count)
            changes = recording.get_channel_data(device.id, "i1", 0, 10)["values"]
            volts = recording.get_channel_data(device.id, "mv", 0, 10)["values"]
    assert data["data_type"] == "analog" and len(data["values"]) == count
    assert [change["value"] for change in changes] == [False, True, False]
    begin, end = (change["timestamp"] for change in changes[1:])
    at = np.arange(count) * data["interval"]
    inside = (at >= begin) & (at < end)
    assert set(np.array(data["values"])[inside]) == {0.027} and set(np.array(data["values"])[~inside]) == {0.010}
    assert inside.sum() * data["interval"] == pytest.approx(end - begin, abs=0.001)
    assert volts == [3.0] * 10


def test_windows_have_the_energy_of_the_profile() -> None:
    with opened("emu:otii?ripple=0.003") as meter:
        meter.start()
        time.sleep(0.3)
        windows = [window(meter.emulator.trigger, 0.5 + 0.05 * number) for number in range(3)]
        trace = meter.stop()
    assert trace.bits is None and len(trace.edges) == 6
    assert trace.spec.name == "otii" and trace.spec.emulated and trace.spec.voltage_basis == "measured"
    # Above the range that is more exact, the limit is another one.
    assert trace.spec.offset_limit_a == pytest.approx(82e-6)
    result = measure(trace, windows, trigger=meter.trigger)
    assert not result.refused
    assert np.median([window.power_w for window in result.windows]) == pytest.approx(ACTIVE_W, rel=0.001)


def test_in_the_line_of_another_supply_it_feeds_nothing() -> None:
    with opened("emu:otii?mode=inline&volts=1.8&active=0.005") as meter:
        with pytest.raises(MeterError, match="feeds nothing"):
            meter.power(3.3)
        meter.start()
        time.sleep(0.2)
        trace = meter.stop()
    assert np.allclose(trace.v, 1.8)
    assert np.allclose(trace.i, 0.010)
    assert trace.spec.offset_limit_a == pytest.approx(50e-9)


@pytest.mark.parametrize(
    ("fault", "message"),
    [("licence", "no free licence"), ("login", "not logged in"), ("nodevice", "no Arc and no Ace")],
)
def test_what_is_missing_is_named(fault: str, message: str) -> None:
    with pytest.raises(MeterError, match=message), opened(f"emu:otii?fault={fault}"):
        pass


def test_a_server_that_goes_in_the_middle_is_an_error() -> None:
    with opened("emu:otii?fault=disconnect:0.2") as meter:
        meter.start()
        time.sleep(0.4)
        with pytest.raises(RecordingError, match="gone"):
            meter.stop()


def test_a_server_that_falls_silent_is_not_waited_for_without_end() -> None:
    with opened("emu:otii?fault=silent:0.1") as meter:
        meter.start()
        time.sleep(0.3)
        with pytest.raises(RecordingError, match="silent"):
            meter.stop()


def test_answers_that_the_client_would_wait_for_without_end_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otii_server, "_ANSWER_S", 0.2)
    asked = []

    class Connection:
        def send_and_receive(self, request: dict[str, object], timeout: float | None) -> dict[str, object]:
            asked.append(timeout)
            return {}

        def close_connection(self) -> None: ...

    bounded = otii_server.Bounded(Connection())
    bounded.send_and_receive({"cmd": "recording_get_channel_data"}, None)
    bounded.send_and_receive({"cmd": "otii_get_devices"}, 4)
    bounded.send_and_receive({"cmd": "arc_get_main"})
    assert asked == [0.2, 4, 3.0]


def test_a_current_that_is_too_large_switches_the_supply_off() -> None:
    with opened("emu:otii?active=0.3&max_a=0.2") as meter:
        meter.start()
        time.sleep(0.2)
        meter.emulator.set_trigger(True)
        time.sleep(0.2)
        with pytest.raises(RecordingError, match=r"above 0\.2 A") as raised:
            meter.stop()
    assert raised.value.partial is not None
    assert raised.value.partial.i[-1] == 0.0 and raised.value.partial.i[0] == 0.010


def test_where_no_server_listens_the_hint_says_what_to_start() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(MeterError, match=f"no Otii server answers at {place}") as raised, open_meter(f"otii:{place}"):
        pass
    assert "otii_server" in raised.value.hint


def test_without_the_makers_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "otii_tcp_client", None)
    with pytest.raises(MeterError) as raised, open_meter("otii:"):
        pass
    assert "tinympy[otii]" in raised.value.hint


@pytest.mark.parametrize("address", ["otii:nowhere", "otii:?trig=3", "otii:?mode=sink", "otii:?mode=inline&v=3"])
def test_addresses_that_cannot_be_are_refused(address: str) -> None:
    with pytest.raises(UsageError):
        open_meter(address)
