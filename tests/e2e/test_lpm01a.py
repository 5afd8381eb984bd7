"""The LPM01A: its meter against the emulated instrument, and the public runner's own driver against that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinympy.energy.emulated import Emulator, launch
from tinympy.energy.meters import RecordingError, open_meter
from tinympy.energy.trace import Trace
from tinympy.errors import MeterError, UsageError

IDLE_A, ACTIVE_A = 0.010, 0.027
DRIVER = Path(__file__).parent / "public_runner_lpm01a.py"


def pulse(emulator: Emulator) -> float:
    """A short low pulse; when it fell, in s of `time.monotonic`."""
    emulator.set_trigger(True)
    fall = emulator.set_trigger(False)
    emulator.set_trigger(True)
    return fall


def record(query: str = "", active_s: float = 0.2) -> tuple[Trace, float]:
    """Idle, active, idle; and how long it was active."""
    with open_meter(f"emu:lpm01a?{query}") as meter:
        meter.start()
        time.sleep(0.1)
        begin = pulse(meter.emulator)
        time.sleep(active_s)
        took = pulse(meter.emulator) - begin
        time.sleep(0.1)
        return meter.stop(), took


def mean(trace: Trace, begin: float, end: float) -> float:
    return float(np.nanmean(trace.i[(trace.t > begin) & (trace.t < end)]))


@pytest.mark.parametrize(
    ("query", "rate"),
    [
        ("", 5000),
        ("freq=100000", 100_000),
        ("freq=5000&format=bin", 5000),
        ("output=energy&freq=1000", 1000),
        ("output=energy&freq=10000", 10_000),
    ],
)
def test_a_recording(query: str, rate: int) -> None:
    trace, took = record(query)
    assert (trace.spec.name, trace.spec.rate_hz, trace.spec.emulated) == ("lpm01a", rate, True)
    assert (trace.v, trace.spec.voltage_basis, trace.spec.full_scale_a) == (3.3, "measured", 0.05)
    assert trace.notes == () and trace.bits is None
    rise, fall = trace.edges
    assert fall - rise == pytest.approx(took, abs=1.5 / rate)
    assert mean(trace, rise, fall - 1 / rate) == pytest.approx(ACTIVE_A, rel=1e-4)
    assert mean(trace, 0, rise - 1 / rate) == pytest.approx(IDLE_A, rel=3e-4)
    # It lasts until the stamp after the end, so that what was lost until then is known.
    assert trace.t[-1] >= 1.0


def test_lost_samples_are_missing() -> None:
    trace, _ = record("lost=0.1&freq=1000", 1.5)
    lost = np.isnan(trace.i)
    assert lost.any() and np.count_nonzero(lost) % 20 == 0
    assert f"{np.count_nonzero(lost)} of {lost.size} samples lost" in trace.notes[0]
    # Those between two stamps are as many as the time between them says.
    assert np.abs(trace.t.size / 1000 - round(trace.t[-1])) < 0.2


def test_lines_that_arrive_damaged_are_lost_where_they_are() -> None:
    trace, took = record("fault=damaged", 0.5)
    assert np.count_nonzero(np.isnan(trace.i)) == pytest.approx(trace.t.size / 997, abs=1)
    rise, fall = trace.edges
    assert fall - rise == pytest.approx(took, abs=1.5 / 5000)
    assert mean(trace, rise, fall - 1e-3) == pytest.approx(ACTIVE_A, rel=1e-4)


@pytest.mark.parametrize("query", ["", "format=bin&", "freq=100000&"])
def test_overcurrent_names_meters_for_more(query: str) -> None:
    with pytest.raises(RecordingError, match="more than the 50 mA that an LPM01A can give") as caught:
        record(f"{query}fault=overcurrent")
    assert "JS220" in caught.value.hint and "PPK2" in caught.value.hint
    partial = caught.value.partial
    assert partial is not None and partial.t.size > 100 and np.nanmax(partial.i) < 0.05


@pytest.mark.parametrize("query", ["", "format=bin&"])
def test_unplugged(query: str) -> None:
    with pytest.raises(RecordingError, match=r"unplugged \d\.\d s after the start") as caught:
        record(f"{query}fault=unplug:0.35", 0.6)
    assert caught.value.partial is not None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refuse:volt", "refuses `volt 3300m`: not possible"),
        ("refuse:eventsrc", "does not report edges of its trigger input"),
        ("mute", "does not answer as an LPM01A does"),
        ("other", "is no LPM01A: it answered b'.*unknown command"),
    ],
)
def test_a_meter_that_makes_no_sense_is_refused(fault: str, reason: str) -> None:
    with pytest.raises(MeterError, match=reason) as caught, open_meter(f"emu:lpm01a?fault={fault}"):
        pass
    assert caught.value.hint


def test_old_firmware_measures_without_events() -> None:
    trace, _ = record("fault=refuse:eventsrc&trig=none")
    assert trace.edges == () and trace.t.size > 1000


def test_a_meter_that_measures_already_is_taken_over() -> None:
    trace, _ = record("fault=stale")
    assert trace.notes == () and len(trace.edges) == 2


@pytest.mark.parametrize("edge", ["fal", "ris"])
def test_a_level_is_one_edge_and_a_pulse_one(edge: str) -> None:
    with open_meter(f"emu:lpm01a?edge={edge}") as meter:
        meter.emulator.set_trigger(edge == "fal")
        meter.start()
        time.sleep(0.1)
        for level in (edge == "ris", edge == "fal"):
            meter.emulator.set_trigger(level)
            time.sleep(0.1)
        first = meter.emulator.set_trigger(edge == "ris")
        meter.emulator.set_trigger(edge == "fal")
        time.sleep(0.1)
        trace = meter.stop()
    assert len(trace.edges) == 2 and first and meter.pulses


def test_the_supply() -> None:
    with open_meter("emu:lpm01a?v=2.5&trig=none&freq=1000") as meter:
        assert meter.trigger is None
        meter.start()
        time.sleep(0.2)
        assert meter.stop().v == 2.5
        meter.power(None)
        meter.start()
        time.sleep(0.2)
        assert np.nanmax(meter.stop().i) < 1e-6
        with pytest.raises(UsageError, match="5 V"):
            meter.power(5.0)


@pytest.mark.parametrize(
    "query",
    ["freq=3000", "freq=200000", "freq=20000&output=energy", "freq=10000&format=ascii", "format=hex", "output=power",
     "edge=both", "v=5", "trig=D8", "fault=fire", "fault=unplug:soon"],
)  # fmt: skip
def test_what_it_cannot_do_is_refused_before_anything_runs(query: str) -> None:
    with pytest.raises(UsageError):
        open_meter(f"emu:lpm01a?{query}")


def test_the_public_runners_driver() -> None:
    folder = os.environ.get("TINYMPY_PUBLIC_RUNNER")
    if folder is None:
        pytest.skip("TINYMPY_PUBLIC_RUNNER is not set: the folder benchmark/runner of mlcommons/tiny")
    with launch("lpm01a") as emulator:
        # It waits without end for what does not come.
        done = subprocess.run(
            [sys.executable, DRIVER, folder, emulator.address, emulator.trigger],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["samples"] == pytest.approx(1000, abs=20)
    assert found["stamps"] == ["TimeStamp: 001s 000ms, buff 01%"]
    assert found["energy_j"] == pytest.approx(ACTIVE_A * 3.3 * found["samples"] / 1000, rel=1e-3)
