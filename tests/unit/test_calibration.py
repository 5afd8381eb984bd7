"""session: how many inferences a window has, on boards of a given speed: steady, slow, and faster than it seemed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import example_records
from tinympy import boards, records, session, tasks
from tinympy.dut import Dut, Timed
from tinympy.plan import Job
from tinympy.records import Record
from tinympy.tasks import Sample

Speed = Callable[[int], float]
"""Microseconds for one inference, by how many windows were timed before."""


class Timer:
    """A device under test that times nothing: each window takes what `speed` says."""

    def __init__(self, speed: Speed) -> None:
        self._speed = speed
        self._count = 0
        self.loaded: list[bytes] = []

    def load_input(self, data: bytes) -> None:
        self.loaded.append(data)

    def timed(self, n: int, warmup: int, timeout_s: float) -> Timed:
        latency_us = self._speed(self._count)
        assert (n + warmup) * latency_us / 1e6 < timeout_s
        self._count += 1
        return Timed(round(n * latency_us), 1000, 900, 0, 0)


def measured(folder: Path, speed: Speed, window_s: float, warmup: int = 10) -> tuple[Record, Timer]:
    task = tasks.get("digits")
    job = Job(boards.get("unix"), task, "native", ("performance",), None, window_s, folder, warmup=warmup)
    record = example_records.record(example_records.DIGITS, status="running")
    records.create(record, folder)
    timer = Timer(speed)
    samples = [Sample(str(i), 0, np.full((1, 4), i, np.int8), b"") for i in range(7)]
    observe: Any = lambda what, done, of: None  # noqa: E731
    run = session._Run(job, record, cast(Dut, timer), samples, observe, 0.0, speed(0) / 1e6)
    session._measure_performance(run, None)
    return record, timer


@pytest.mark.parametrize("latency_us", [3.0, 250.0, 40_000.0, 900_000.0, 7_000_000.0])
@pytest.mark.parametrize("window_s", [0.01, 2.5, 10.0])
def test_windows_last_as_long_as_asked_for_and_not_much_longer(
    tmp_path: Path, latency_us: float, window_s: float
) -> None:
    record, _ = measured(tmp_path, lambda _: latency_us, window_s)
    assert len({(window.n, window.warmup) for window in record.windows}) == 1
    for window in record.windows:
        assert window_s <= window.elapsed_us / 1e6 <= 1.06 * window_s + latency_us / 1e6
    calibrated_s = sum(window.elapsed_us for window in record.calibration) / 1e6
    assert calibrated_s <= 0.85 * window_s + latency_us / 1e6


def test_each_window_runs_on_another_input(tmp_path: Path) -> None:
    record, timer = measured(tmp_path, lambda _: 250.0, 2.5)
    assert [window.input_index for window in record.windows] == [0, 1, 2, 3, 4]
    assert timer.loaded[-5:] == [bytes([i] * 4) for i in range(5)]


def test_first_window_that_falls_short_counts_to_the_calibration(tmp_path: Path) -> None:
    calibrations = len(measured(tmp_path, lambda _: 250.0, 10.0)[0].calibration)
    record, _ = measured(tmp_path, lambda count: 250.0 if count < calibrations else 150.0, 10.0)
    assert len(record.calibration) == calibrations + 1 and record.calibration[-1].elapsed_us < 10e6
    assert len(record.windows) == 5 and all(window.elapsed_us >= 10e6 for window in record.windows)
    assert [window.input_index for window in record.windows] == [0, 1, 2, 3, 4]


def test_fastest_of_the_last_calibrations_counts(tmp_path: Path) -> None:
    count = len(measured(tmp_path, lambda _: 250.0, 10.0)[0].calibration)
    record, _ = measured(tmp_path, lambda i: 200.0 if i == count - 2 else 250.0, 10.0)
    assert len(record.calibration) == count and record.windows[0].n * 200.0 >= 10e6


def test_board_that_grows_ever_faster_ends_its_calibration(tmp_path: Path) -> None:
    record, _ = measured(tmp_path, lambda count: 1000.0 * 0.8**count, 10.0)
    assert len(record.windows) == 5 and len(record.calibration) <= 20


def test_single_inferences_take_one_to_calibrate(tmp_path: Path) -> None:
    record, _ = measured(tmp_path, lambda _: 250.0, 0.0, warmup=0)
    assert [(window.n, window.warmup) for window in (*record.calibration, *record.windows)] == [(1, 0)] * 6
