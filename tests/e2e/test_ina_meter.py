"""The real recorder on the real interpreter, behind the real transport; only the chip and its pin are emulated."""

from __future__ import annotations

import time

import numpy as np
import pytest

from played_board import window
from tinympy.energy.align import BoardWindow
from tinympy.energy.emulated import launch
from tinympy.energy.measurement import Measurement, measure
from tinympy.energy.meters import RecordingError, open_meter
from tinympy.energy.meters.emulated_meter import EmulatedMeter
from tinympy.energy.meters.ina import Ina, Options
from tinympy.energy.trace import Trace
from tinympy.errors import MeterError

ACTIVE_W = 0.027 * 3.3
IDLE_W = 0.010 * 3.3
WINDOW_S = 0.6


def opened(address: str) -> EmulatedMeter:
    meter = open_meter(address)
    assert isinstance(meter, EmulatedMeter)
    return meter


def recorded(meter: EmulatedMeter, windows: int = 3) -> tuple[Trace, list[BoardWindow]]:
    """A recording of windows of different lengths, and what the board would say of them."""
    meter.start()
    time.sleep(0.6)
    said = [window(meter.emulator.trigger, WINDOW_S + 0.05 * number, rest_s=0.5) for number in range(windows)]
    return meter.stop(), said


def measured(address: str) -> Measurement:
    with opened(address) as meter:
        trace, windows = recorded(meter)
    assert trace.spec.emulated and trace.spec.voltage_basis == "measured"
    return measure(trace, windows, trigger=meter.trigger)


# A round of conversions is blurred at both ends; the INA228's counter has steps of 40 uJ.
@pytest.mark.parametrize(("chip", "within"), [("ina219", 0.002), ("ina226", 0.002), ("ina228", 0.0015)])
def test_windows_have_the_energy_of_the_profile(chip: str, within: float) -> None:
    result = measured(f"emu:{chip}?ripple=0.002&ripple_hz=200")
    assert not result.refused
    powers = [window.power_w for window in result.windows]
    assert np.median(powers) == pytest.approx(ACTIVE_W, rel=within)
    assert result.idle is not None and result.idle.power_w == pytest.approx(IDLE_W, rel=0.02)
    assert result.spec.name == chip


def test_an_error_of_the_chip_is_seen_and_within_the_stated_limit() -> None:
    result = measured("emu:ina228?gain=0.012&offset=0.000005&shunt=0.2")
    error = np.median([window.power_w for window in result.windows]) / ACTIVE_W - 1
    assert error == pytest.approx(0.0122, abs=0.001)
    assert error < result.spec.gain_limits[0]
    assert result.spec.offset_limit_a == pytest.approx(5e-6)


def test_a_meter_records_again() -> None:
    with opened("emu:ina226") as meter:
        for _ in range(2):
            meter.start()
            time.sleep(0.3)
            trace = meter.stop()
            assert len(trace.t) > 50
            assert np.median(trace.i) == pytest.approx(0.010, rel=0.01)


def test_without_a_trigger_pin_there_are_samples_all_the_same() -> None:
    with launch("ina") as emulator, Ina(emulator.address, Options()) as meter:
        assert meter.trigger is None
        meter.start()
        emulator.set_trigger(True)
        time.sleep(0.3)
        trace = meter.stop()
    assert trace.bits is not None and not trace.bits.any()
    assert np.mean(trace.i[-110:-10]) == pytest.approx(0.027, rel=0.02)


@pytest.mark.parametrize("chip", ["ina226", "ina228"])
def test_a_range_that_is_too_small_is_said(chip: str) -> None:
    with opened(f"emu:{chip}?idle=0.95") as meter:
        meter.start()
        time.sleep(0.4)
        trace = meter.stop()
    assert "beyond the shunt's range" in trace.notes[0]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("emu:ina228?fault=absent", "no ina228 answers at 0x40"),
        ("emu:ina228?fault=other", "at 0x40 is no ina228"),
        ("emu:ina219?fault=other", "at 0x40 is no ina219"),
        ("emu:ina226?addr=0x41", "no ina226 answers at 0x41"),
    ],
)
def test_a_chip_that_is_not_there_is_named(address: str, message: str) -> None:
    with pytest.raises(MeterError, match=message), opened(address):
        pass


def test_a_recorder_that_is_unplugged_leaves_what_it_sent() -> None:
    with opened("emu:ina226?fault=unplug:0.5") as meter:
        meter.start()
        time.sleep(1.5)
        with pytest.raises(RecordingError, match="disappeared") as raised:
            meter.stop()
    assert raised.value.partial is not None
    assert raised.value.partial.t[-1] == pytest.approx(0.5, abs=0.3)
    assert raised.value.partial.spec.emulated


def test_a_port_that_is_not_there_is_a_meter_error() -> None:
    with pytest.raises(MeterError, match="cannot open /dev/nowhere"), open_meter("ina228:/dev/nowhere"):
        pass
