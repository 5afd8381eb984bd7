"""The Power Profiler Kit II: its meter against the emulated instrument, with every fault that such instruments have.

The faults of facts and of other clients' issues: a lost sample, split or corrupt or missing calibration, a device left
streaming, changes of range, an unfilled last piece, and the board that takes too much.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from recorded import record, window
from tinympy.energy.emulated import launch
from tinympy.energy.meters import RecordingError, open_meter
from tinympy.energy.trace import Trace
from tinympy.errors import MeterError, UsageError

IDLE_A, ACTIVE_A = 0.010, 0.027


def mean(trace: Trace, where: slice) -> float:
    return float(np.nanmean(trace.i[where]))


def test_a_recording() -> None:
    before = time.monotonic()
    trace = record("emu:ppk2")
    took = time.monotonic() - before
    assert trace.spec.emulated and trace.spec.name == "ppk2"
    assert (trace.spec.voltage_basis, trace.v) == ("set", 3.3)
    assert trace.notes == ()
    active = window(trace)
    assert mean(trace, active) == pytest.approx(ACTIVE_A, rel=1e-4)
    assert mean(trace, slice(0, active.start)) == pytest.approx(IDLE_A, rel=3e-4)
    assert trace.bits is not None and trace.ranges is not None
    assert trace.t.size == trace.i.size == trace.bits.size == trace.ranges.size
    assert np.allclose(np.diff(trace.t), 1e-5)
    assert 0.5 < trace.t[-1] < took
    assert set(trace.ranges) == {3}
    assert trace.spec.gain_limits[trace.ranges[0]] == 0.10


@pytest.mark.parametrize(("query", "expected"), [("split", ACTIVE_A), ("stale", ACTIVE_A)])
def test_what_does_not_disturb_a_recording(query: str, expected: float) -> None:
    """Calibration in two pieces; samples that come already when the port is opened."""
    trace = record(f"emu:ppk2?fault={query}", 0.1)
    assert mean(trace, window(trace)) == pytest.approx(expected, rel=2e-4)
    assert trace.notes == ()


def test_lost_samples_are_missing_and_shift_nothing() -> None:
    with (
        launch("ppk2", {"lost": "0.03", "burst": "700"}) as emulator,
        open_meter(f"ppk2:{emulator.address}?mode=source&v=3.3") as meter,
    ):
        meter.start()
        time.sleep(0.1)
        rise = emulator.set_trigger(True)
        time.sleep(0.8)
        took = emulator.set_trigger(False) - rise
        time.sleep(0.1)
        trace = meter.stop()
    active = window(trace)
    lost = np.isnan(trace.i)
    # On a busy computer the time of a read may say a turn of the counter more or less.
    assert lost.any() and abs((np.count_nonzero(lost) + 350) % 700 - 350) <= 128
    assert f"{np.count_nonzero(lost)} of {lost.size} samples lost" in trace.notes[0]
    # An edge that was lost is where samples begin again: at most one loss later.
    assert (active.stop - active.start) / 1e5 == pytest.approx(took, abs=0.015)
    assert mean(trace, slice(active.start + 700, active.stop)) == pytest.approx(ACTIVE_A, rel=1e-4)


def test_losses_of_any_size() -> None:
    trace = record("emu:ppk2?lost=0.03", 1.0)
    share = float(np.isnan(trace.i).mean())
    assert 0.01 < share < 0.06
    assert "samples lost" in trace.notes[0]
    assert mean(trace, window(trace)) == pytest.approx(ACTIVE_A, rel=3e-3)


def test_bytes_that_do_not_belong_there() -> None:
    trace = record("emu:ppk2?fault=garbage", 0.6)
    assert 0 < np.count_nonzero(np.isnan(trace.i)) < 200
    assert mean(trace, window(trace)) == pytest.approx(ACTIVE_A, rel=1e-4)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("corrupt", "R0 = 3.09e[+]27, which no PPK2 can have"),
        ("short", "does not come to its end"),
        ("mute", "does not answer as a PPK2 does"),
        ("other", "is no PPK2: it answered b'.*unknown command"),
        ("stale,endless", "does not stop sending, so it is no PPK2"),
    ],
)
def test_a_meter_that_makes_no_sense_is_refused(fault: str, reason: str) -> None:
    with pytest.raises(MeterError, match=reason) as caught, open_meter(f"emu:ppk2?fault={fault}"):
        pass
    assert caught.value.hint


def test_a_meter_that_does_not_stop() -> None:
    trace = record("emu:ppk2?fault=endless", 0.1)
    assert trace.notes == ("the meter did not stop when it was told to",)
    assert mean(trace, window(trace)) == pytest.approx(ACTIVE_A, rel=2e-4)


@pytest.mark.parametrize("fault", ["overcurrent", "clipped"])
def test_too_much_current(fault: str) -> None:
    with pytest.raises(RecordingError, match="beyond a PPK2's 1 A for") as caught:
        record(f"emu:ppk2?fault={fault}", 0.1)
    assert "Joulescope" in caught.value.hint
    partial = caught.value.partial
    assert partial is not None and partial.spec.emulated
    assert partial.notes[0].startswith("clipped: ")
    assert partial.i[window(partial)].min() > 1.0


def test_unplugged() -> None:
    with pytest.raises(RecordingError, match=r"unplugged \d\.\d s after the start") as caught:
        record("emu:ppk2?fault=unplug:0.3", 0.5)
    partial = caught.value.partial
    assert partial is not None
    assert partial.t.size > 10_000


def test_unplugged_before_it_is_started() -> None:
    with launch("ppk2") as emulator, open_meter(f"ppk2:{emulator.address}?v=3.3") as meter:
        emulator.close()
        time.sleep(0.2)
        with pytest.raises(MeterError, match=r"gone|does not take commands|sends no samples"):
            meter.start()


def bursts(query: str) -> Trace:
    """1 ms of 80 mA, 1 ms of 2 mA, fifty times."""
    with open_meter(f"emu:ppk2?idle=0.002&active=0.080&{query}") as meter:
        meter.start()
        start = time.monotonic_ns() // 1000 + 100_000
        edges = b"".join(b"1@%d\n0@%d\n" % (start + 2000 * k, start + 2000 * k + 1000) for k in range(50))
        with Path(meter.emulator.trigger).open("wb", buffering=0) as fifo:
            fifo.write(edges)
        time.sleep(0.3)
        return meter.stop()


def test_short_bursts_are_not_smeared() -> None:
    trace = bursts("")
    assert trace.bits is not None and trace.ranges is not None
    active = trace.bits == 1
    assert np.count_nonzero(active) == pytest.approx(5000, abs=50)
    assert trace.i[active].mean() == pytest.approx(0.080, rel=1e-3)
    assert trace.i[~active].mean() == pytest.approx(0.002, rel=1e-3)
    assert (trace.ranges[active] == 4).all() and (trace.ranges[~active] == 2).all()
    assert trace.notes == ()


def test_spikes_at_changes_of_range_can_be_left_out() -> None:
    raw, settled = bursts("spike=0.5"), bursts("spike=0.5&settle=3")
    assert raw.i.max() > 0.115
    assert not np.isnan(raw.i).any()
    assert np.nanmax(settled.i) < 0.085
    assert np.count_nonzero(np.isnan(settled.i)) == 3 * 100
    assert [note for note in settled.notes if "right after a change of range, and were left out" in note]


def test_ampere_mode_takes_the_users_word() -> None:
    trace = record("emu:ppk2?mode=ampere&v=3.0", 0.1)
    assert (trace.v, trace.spec.voltage_basis, trace.spec.voltage_limit) == (3.0, "assumed", 0.05)
    assert mean(trace, window(trace)) == pytest.approx(ACTIVE_A, rel=2e-4)
    with open_meter("emu:ppk2?mode=ampere&v=3.0") as meter, pytest.raises(MeterError, match="feeds nothing"):
        meter.power(3.3)


def test_the_supply() -> None:
    with open_meter("emu:ppk2?mode=source&v_limit=0.01") as meter:
        with pytest.raises(MeterError, match="not told which voltage"):
            meter.start()
        with pytest.raises(UsageError, match=r"0.5 V"):
            meter.power(0.5)
        meter.power(2.5)
        meter.start()
        time.sleep(0.1)
        meter.power(None)
        time.sleep(0.1)
        trace = meter.stop()
    assert (trace.v, trace.spec.voltage_limit) == (2.5, 0.01)
    on = trace.i > 0.005
    assert on[:5000].all() and not on[-5000:].any()
    # A board that takes nothing is in the lowest range.
    assert trace.ranges is not None and trace.ranges[-1] == 0
    assert abs(trace.i[-5000:].mean()) < 1e-7


def test_it_is_off_once_the_port_is_closed() -> None:
    with launch("ppk2") as emulator:
        with open_meter(f"ppk2:{emulator.address}?mode=source&v=3.3") as meter:
            meter.start()
        with open_meter(f"ppk2:{emulator.address}?mode=source") as meter:
            meter._volts = 3.3  # known, but not fed again
            meter.start()
            time.sleep(0.1)
            assert meter.stop().i.max() < 1e-5


def test_recordings_one_after_the_other() -> None:
    with open_meter("emu:ppk2") as meter:
        for level in (False, True):
            meter.emulator.set_trigger(level)
            meter.start()
            time.sleep(0.15)
            trace = meter.stop()
            assert trace.bits is not None and set(trace.bits[2000:]) == {int(level)}
            assert trace.notes == ()


def test_a_port_is_used_by_one_program() -> None:
    with launch("ppk2") as emulator:
        address = f"ppk2:{emulator.address}?v=3.3"
        with open_meter(address), pytest.raises(MeterError, match="cannot open"), open_meter(address):
            pass
