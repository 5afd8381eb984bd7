"""A Joulescope through a driver with the maker's topics, keys and packing, and no instrument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pyjoulescope_driver import Driver as MakersDriver

from tinympy.energy.meters.base import RecordingError
from tinympy.energy.meters.joulescope import Joulescope, Options
from tinympy.energy.meters.joulescope_blocks import Block, assemble
from tinympy.energy.trace import MeterSpec, Trace
from tinympy.errors import MeterError, UsageError

PATH = "u/js220/000415"
BASE_HZ = 2_000_000
BLOCK = 1000


class FakeDriver:
    """Delivers 10 blocks of a window (27 mA) between idle ones (10 mA) when the signals are switched on.

    skipped -- blocks of current and voltage that get lost
    """

    def __init__(self, paths: tuple[str, ...] = (PATH,), skipped: tuple[int, ...] = (), first: int = 4_000_040) -> None:
        self.paths = list(paths)
        self.skipped, self.first = skipped, first
        self.published: list[tuple[str, Any]] = []
        self.functions: dict[str, Callable[[str, Any], None]] = {}
        self.opened: list[str] = []
        self.finalized = False
        self.rate_hz = 100_000

    def device_paths(self) -> list[str]:
        return self.paths

    def open(self, path: str) -> None:
        self.opened.append(path)

    def close(self, path: str) -> None:
        self.opened.remove(path)

    def finalize(self) -> None:
        self.finalized = True

    def subscribe(self, topic: str, flags: list[str], fn: Callable[[str, Any], None]) -> None:
        assert flags == ["pub"]
        self.functions[topic] = fn

    def unsubscribe(self, topic: str, fn: Callable[[str, Any], None]) -> None:
        assert self.functions.pop(topic) is fn

    def publish(self, topic: str, value: object) -> None:
        self.published.append((topic, value))
        if topic.endswith("h/fs"):
            self.rate_hz = int(str(value))
        if topic.endswith("/ctrl") and value == 1:
            signal = topic.removesuffix("/ctrl")
            for block in range(10):
                self.deliver(f"{signal}/!data", signal[len(PATH) + 1 :], block)

    def deliver(self, topic: str, signal: str, block: int) -> None:
        step = BASE_HZ // self.rate_hz
        k = np.arange(block * BLOCK, (block + 1) * BLOCK)
        high = (k >= 2500) & (k < 7500)
        if signal.startswith("s/gpi"):
            data = np.packbits(high.astype(np.uint8), bitorder="little")
        elif block in self.skipped:
            return
        else:
            data = {"s/i": np.where(high, 0.027, 0.010), "s/v": np.full(BLOCK, 3.3)}[signal].astype(np.float32)
        self.functions[topic](
            topic,
            {
                "sample_id": self.first + int(k[0]) * step,
                "utc": 0,
                "field_id": 1,
                "index": 0,
                "sample_rate": BASE_HZ,
                "decimate_factor": step,
                "time_map": {"offset_time": 0, "offset_counter": 0, "counter_rate": float(BASE_HZ)},
                "data": data,
            },
        )


def recorded(driver: FakeDriver, options: Options | None = None) -> Trace:
    with Joulescope("", options or Options(), lambda: driver) as meter:
        meter.start()
        return meter.stop()


def test_current_voltage_and_trigger_are_on_one_clock() -> None:
    driver = FakeDriver()
    trace = recorded(driver, Options(trig="2"))
    assert len(trace.t) == 10 * BLOCK and trace.t[1] == pytest.approx(1e-5)
    assert trace.bits is not None
    high = trace.bits == 1 << 2
    assert np.flatnonzero(high).tolist() == list(range(2500, 7500))
    assert np.allclose(trace.i[high], 0.027) and np.allclose(trace.i[~high], 0.010)
    assert np.allclose(trace.v, 3.3)
    assert trace.spec.serial == "000415" and trace.spec.rate_hz == 100_000 and not trace.notes


def test_lost_blocks_are_gaps_in_the_trace_and_not_cuts() -> None:
    trace = recorded(FakeDriver(skipped=(3, 8)))
    assert len(trace.t) == 10 * BLOCK
    assert np.flatnonzero(np.isnan(trace.i)).tolist() == [*range(3000, 4000), *range(8000, 9000)]
    assert np.isfinite(trace.v).all()
    assert trace.notes == ("2000 of 10000 samples lost (20.00%) in 2 gaps",)


def test_inputs_at_a_rate_of_their_own_are_put_beside_the_samples() -> None:
    levels = np.zeros(205, np.uint8)
    levels[67:147] = 1  # ids 100 to 179
    packed = np.packbits(levels, bitorder="little")  # 205 levels in 26 bytes: the last 3 bits say nothing
    samples = [Block(40, 20, BASE_HZ, np.full(10, value, np.float32)) for value in (0.01, 3.3)]
    trace = assemble(samples[:1], samples[1:], [Block(33, 1, BASE_HZ, packed)], 0, MeterSpec("joulescope"))
    assert trace.bits is not None
    assert trace.bits.tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]  # ids 40, 60, 80, 100, …


def test_the_instrument_is_set_up_and_left_as_it_was_found() -> None:
    driver = FakeDriver()
    recorded(driver, Options(rate=50_000))
    assert (f"{PATH}/h/fs", 50_000) in driver.published
    assert (f"{PATH}/s/i/range/mode", "auto") in driver.published
    assert [value for topic, value in driver.published if topic == f"{PATH}/s/i/ctrl"][-1] == 0
    assert not driver.functions and not driver.opened and driver.finalized


def test_without_a_trigger_there_are_no_bits() -> None:
    driver = FakeDriver()
    assert recorded(driver, Options(trig="none")).bits is None
    assert not any("gpi" in topic for topic, _ in driver.published)


def test_an_instrument_that_is_unplugged_leaves_what_it_sent() -> None:
    driver = FakeDriver()
    with pytest.raises(RecordingError, match="unplugged") as raised, Joulescope("", Options(), lambda: driver) as meter:
        meter.start()
        driver.paths.clear()
        meter.stop()
    assert raised.value.partial is not None and len(raised.value.partial.t) == 10 * BLOCK


def test_no_samples_are_no_recording() -> None:
    driver = FakeDriver(skipped=tuple(range(10)))
    with pytest.raises(RecordingError, match="no samples") as raised:
        recorded(driver)
    assert raised.value.partial is None


@pytest.mark.parametrize(
    ("paths", "place", "message"),
    [
        ((), "", "no Joulescope"),
        ((PATH, "u/js110/1"), "", "several"),
        ((PATH,), "u/js220/9", "no Joulescope u/js220/9"),
    ],
)
def test_which_one_is_meant_has_to_be_clear(paths: tuple[str, ...], place: str, message: str) -> None:
    driver = FakeDriver(paths)
    with pytest.raises(MeterError, match=message), Joulescope(place, Options(), lambda: driver):
        pass
    assert driver.finalized


def test_what_the_driver_raises_is_a_meter_error() -> None:
    class Busy(FakeDriver):
        def open(self, path: str) -> None:
            raise RuntimeError("jsdrv_open failed 9")

    with pytest.raises(MeterError, match="jsdrv_open failed 9"), Joulescope("", Options(), Busy):
        pass


def test_an_input_that_it_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="input 5"):
        Joulescope("", Options(trig="5"))


def test_the_real_driver_has_what_is_used_of_it() -> None:
    used = [name for name in vars(FakeDriver) if not name.startswith("_") and name != "deliver"]
    assert all(callable(getattr(MakersDriver, name)) for name in used)
    # No instrument is attached here: the real one finds none, in the same words.
    if not _attached():
        with pytest.raises(MeterError, match="no Joulescope"), Joulescope("", Options()):
            pass


def _attached() -> list[str]:
    driver = MakersDriver()
    try:
        found: list[str] = driver.device_paths()
        return found
    finally:
        driver.finalize()
