"""Repeatability and the meter's limit, held against simulations of many runs."""

import dataclasses

import numpy as np
import pytest

import energy_example as example
from tinympy.energy.measurement import measure
from tinympy.energy.trace import MeterSpec
from tinympy.energy.uncertainty import Repeatability, differ, meter_limit, repeatability, same_meter

PPK2 = MeterSpec("ppk2", "F1", 1e5, (0.10, 0.15), 0.2e-6, 0.02, "set", 50e-6)
RUNS = 20_000


def halves(values: np.ndarray) -> np.ndarray:
    """`repeatability` of each row."""
    found = [repeatability(list(row)) for row in values]
    assert all(found)
    return np.array([each.half_width for each in found if each])


@pytest.mark.parametrize("n", [2, 3, 5, 10, 20, 40])
def test_the_interval_holds_the_truth_in_95_of_100_runs(n: int) -> None:
    values = 100 + np.random.default_rng(n).standard_normal((RUNS, n))
    holds = np.mean(np.abs(np.median(values, axis=1) - 100) <= halves(values))
    assert 0.94 <= holds <= 0.965


def test_the_next_run_is_within_the_repeat_limit_in_93_to_97_of_100() -> None:
    rng = np.random.default_rng(0)
    one, other = (100 + rng.standard_normal((RUNS, 5)) for _ in range(2))
    limits = halves(one) * np.sqrt(2)
    assert repeatability(list(one[0])).repeat_limit == pytest.approx(limits[0])
    holds = np.mean(np.abs(np.median(one, axis=1) - np.median(other, axis=1)) <= limits)
    assert 0.93 <= holds <= 0.97


def test_repeatability_of_known_values() -> None:
    found = repeatability([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.spread == 4.0
    assert found.half_width == pytest.approx(3.025 * np.sqrt(2.5) / np.sqrt(5))
    assert found.relative == pytest.approx(found.half_width / 3)
    assert repeatability([1.0]) is None


def simulated(rng: np.random.Generator, runs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Runs of five windows of 10 s, which vary by 0.1 %, with a PPK2 that is anywhere within its limits.

    Errors of the median, half widths of its interval, and limits, all in J, shape (runs,).
    """
    volts, amps, seconds = 3.3, 0.028, 10.0
    truth = volts * amps * seconds
    read = np.empty((runs, 5))
    limits = np.empty(runs)
    for run in range(runs):
        gain, voltage, clock = (rng.uniform(-limit, limit) for limit in (0.10, 0.02, 50e-6))
        offset = rng.uniform(-0.2e-6, 0.2e-6)
        windows = amps * (1 + 1e-3 * rng.standard_normal(5))
        read[run] = ((1 + gain) * windows + offset) * volts * (1 + voltage) * seconds * (1 + clock)
        median = float(np.median(read[run]))
        limit = meter_limit(PPK2, energy_j=median, duration_s=seconds, volts=volts, shares=(1.0, 0.0))
        limits[run] = limit.limit_j
    return np.median(read, axis=1) - truth, halves(read), limits


def test_the_meters_limit_covers_the_truth_where_repeatability_cannot() -> None:
    error, half, limit = simulated(np.random.default_rng(0), 2000)
    assert np.mean(np.abs(error) <= limit) >= 0.99
    assert np.mean(np.abs(error) <= half) < 0.05


def test_a_meter_with_nothing_but_its_gain_error_is_covered() -> None:
    """The hardest case: no other part of the limit has room to spare, and a low reading has a low limit."""
    spec = MeterSpec("x", gain_limits=(0.10,), clock_limit=0.0)
    gains = np.random.default_rng(0).uniform(-0.10, 0.10, RUNS)
    limits = np.array([meter_limit(spec, energy_j=1 + g, duration_s=1.0, volts=1.0).limit_j for g in gains])
    assert np.mean(np.abs(gains) <= limits) >= 0.99
    assert limits.max() < 0.13


def test_the_limit_covers_the_truth_in_whole_measurements() -> None:
    """The same by way of traces: a meter of ±1 % at both ends of its limit, with a late edge."""
    board = example.windows([0.2] * 5, gap_s=0.4)
    for gain in (0.99, 1.01):
        trace = example.trace(board, noise_a=0.0005)
        result = measure(dataclasses.replace(trace, i=trace.i * gain), board)
        limit = result.gross.limit
        assert limit is not None and result.gross.repeatability is not None
        truth = example.truth_j(board[0]) / 10
        assert abs(result.gross.median_j - truth) <= limit.limit_j + result.gross.repeatability.half_width
        assert result.net is not None and result.net.limit is not None
        net = truth * 8 / 28
        assert abs(result.net.median_j - net) <= result.net.limit.limit_j + result.net.repeatability.half_width


def test_the_parts_of_the_limit_are_added() -> None:
    found = meter_limit(PPK2, energy_j=2.0, duration_s=10.0, volts=3.3, shares=(0.25, 0.75), edge_s=1e-3, step_w=0.05)
    assert found.gain_j == pytest.approx(2.0 * 0.1375 / 0.8625)
    assert found.offset_j == pytest.approx(0.2e-6 * 3.3 * 10)
    assert found.voltage_j == pytest.approx((2 + found.gain_j) * 0.02 / 0.98)
    assert found.clock_j == pytest.approx((2 + found.gain_j + found.voltage_j) * 50e-6, rel=1e-3)
    assert found.edges_j == pytest.approx(2 * 1e-3 * 0.05)
    parts = (found.gain_j, found.offset_j, found.voltage_j, found.clock_j, found.edges_j)
    assert found.limit_j == pytest.approx(sum(parts))
    assert found.relative == pytest.approx(found.limit_j / 2)
    # All at their lower ends at once: 1 / ((1 - gain)(1 - voltage)(1 - clock)).
    multiplied = 2.0 / (0.8625 * 0.98 * (1 - 50e-6)) - 2.0
    assert found.gain_j + found.voltage_j + found.clock_j == pytest.approx(multiplied)


def test_where_ranges_are_not_known_the_worst_one_counts() -> None:
    assert meter_limit(PPK2, energy_j=1.0, duration_s=1.0, volts=3.3).gain_j == pytest.approx(0.15 / 0.85)


def test_without_a_stated_gain_there_is_no_limit() -> None:
    assert meter_limit(MeterSpec("eembc"), energy_j=1.0, duration_s=1.0, volts=3.3) is None


def test_net_energy_has_the_gain_once_with_one_range_and_in_each_range_with_several() -> None:
    one = meter_limit(example.SPEC, energy_j=3.0, duration_s=1.0, volts=3.3, idle_j=2.0)
    assert one.gain_j == pytest.approx(0.01 / 0.99)
    assert one.relative == pytest.approx(0.01 / 0.99)
    two = meter_limit(PPK2, energy_j=3.0, duration_s=1.0, volts=3.3, idle_j=2.0, shares=(0.0, 1.0))
    assert two.gain_j == pytest.approx(0.15 / 0.85 * (3.0 + 2.0))


def test_the_same_meter_in_the_same_ranges_cancels_its_gain() -> None:
    assert same_meter(PPK2, PPK2, (0.0, 1.0), (0.005, 0.995)).cancels
    others = [
        (dataclasses.replace(PPK2, serial="F2"), (0.0, 1.0), "two meters"),
        (dataclasses.replace(PPK2, serial=None), (0.0, 1.0), "serial number"),
        (dataclasses.replace(PPK2, name="otii"), (0.0, 1.0), "two kinds"),
        (dataclasses.replace(PPK2, voltage_basis="assumed"), (0.0, 1.0), "voltage was set once and assumed once"),
        (PPK2, (0.5, 0.5), "different ranges"),
        (PPK2, (), "not known"),
    ]
    for spec, shares, reason in others:
        found = same_meter(PPK2, spec, (0.0, 1.0), shares)
        assert not found.cancels
        assert reason in found.reason


def test_repeatability_alone_decides_where_the_gain_cancels() -> None:
    close = Repeatability(5, 0.01, 0.01, 0.014, 0.02)
    cancelled = same_meter(PPK2, PPK2, (1.0, 0.0), (1.0, 0.0))
    uncancelled = same_meter(PPK2, dataclasses.replace(PPK2, serial="F2"))
    assert differ(1.0, 1.02, (close, close), (0.1, 0.1), cancelled) is True
    assert differ(1.0, 1.01, (close, close), (0.1, 0.1), cancelled) is False
    assert differ(1.0, 1.02, (close, close), (0.1, 0.1), uncancelled) is False
    assert differ(1.0, 1.30, (close, close), (0.1, 0.1), uncancelled) is True
    assert differ(1.0, 1.30, (close, close), (0.1, None), uncancelled) is None
    assert differ(1.0, 1.30, (close, None), (0.1, 0.1), cancelled) is None


def test_two_runs_of_the_same_thing_are_called_different_in_5_of_100() -> None:
    rng = np.random.default_rng(1)
    one, other = (100 + rng.standard_normal((4000, 5)) for _ in range(2))
    cancelled = same_meter(PPK2, PPK2, (1.0, 0.0), (1.0, 0.0))
    wrong = 0
    for a, b in zip(one, other, strict=True):
        both = repeatability(list(a)), repeatability(list(b))
        wrong += differ(float(np.median(a)), float(np.median(b)), both, (None, None), cancelled) is True
    assert 0.02 <= wrong / 4000 <= 0.06
