import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import energy_example as example
from tinympy.energy import align, marks, preamble
from tinympy.energy.align import BoardWindow
from tinympy.energy.measurement import measure
from tinympy.energy.trace import MeterSpec, Trace
from tinympy.errors import MeterError

FIVE = example.windows([1.0, 1.1, 1.05, 0.95, 1.2])


def bare(bits: list[int], rate_hz: float = 100e3) -> Trace:
    """Nothing but logic inputs."""
    levels = np.array(bits, np.uint8)
    return Trace(
        np.arange(len(levels)) / rate_hz, np.full(len(levels), 0.02), 3.3, MeterSpec("x", None, rate_hz), levels
    )


def stamped(edges: list[float], end_s: float = 100.0, rate_hz: float = 1e3) -> Trace:
    t = np.arange(round(end_s * rate_hz)) / rate_hz
    return Trace(t, np.full(len(t), 0.02), 3.3, MeterSpec("x", None, rate_hz), None, None, tuple(edges))


def test_edges_are_where_the_bit_changes() -> None:
    found = marks.find(bare([0] * 10 + [2] * 20 + [0] * 10), trigger=1)
    assert found.at == pytest.approx([10e-5, 30e-5])
    assert found.rising == (True, False)


def test_bounces_shorter_than_50_us_are_no_edges() -> None:
    bouncing = [0] * 20 + [1, 0, 1, 1, 0] + [1] * 20 + [0] * 4 + [1] * 20 + [0, 1, 0] + [0] * 20
    found = marks.find(bare(bouncing))
    assert len(found.at) == 2
    assert found.at == pytest.approx([25e-5, 71e-5], abs=6e-5)


def test_a_level_of_50_us_is_an_edge() -> None:
    assert len(marks.find(bare([0] * 20 + [1] * 5 + [0] * 20)).at) == 2


def test_bits_of_lost_samples_are_not_believed() -> None:
    trace = bare([1] * 20 + [0] * 10 + [1] * 20 + [0] * 30)
    i = trace.i.copy()
    i[20:30] = np.nan
    found = marks.find(dataclasses.replace(trace, i=i))
    assert list(found.at) == pytest.approx([50e-5])


def test_an_edge_among_lost_samples_is_put_in_their_middle_and_says_so() -> None:
    trace = bare([0] * 40 + [1] * 40)
    i = trace.i.copy()
    i[30:50] = np.nan
    found = marks.find(dataclasses.replace(trace, i=i))
    assert list(found.at) == pytest.approx([40e-5])
    assert found.uncertainty_s[0] == pytest.approx(11e-5)


@given(
    st.lists(st.floats(0.05, 0.4), min_size=1, max_size=5),
    st.floats(-0.004, 0.004),
    st.floats(0.01, 0.5),
    st.floats(-1e6, 1e6),
)
@settings(max_examples=60, deadline=None)
def test_windows_are_found_whatever_the_shift_and_the_drift(
    durations: list[float], drift: float, lead_s: float, start_s: float
) -> None:
    board = example.windows(durations, gap_s=0.45, start_s=start_s)
    trace = example.trace(board, drift=drift, lead_s=lead_s, tail_s=0.1)
    result = measure(trace, board)
    # Two edges of up to half a sample each.
    tolerance = 1e-4 / min(durations)
    assert result.alignment.drift == pytest.approx(drift, abs=tolerance)
    for window, energy in zip(board, result.windows, strict=True):
        assert energy.energy_j == pytest.approx(example.truth_j(window, drift), rel=tolerance)


def test_drift_is_better_known_where_the_board_says_when_windows_began() -> None:
    trace = example.trace(FIVE, drift=300e-6)
    assert align.by_trigger(trace, FIVE).drift == pytest.approx(300e-6, abs=1e-4 / 7)


def test_pulses_before_and_after_the_windows_are_told_apart_by_their_lengths() -> None:
    stray = [0.3, 0.31, *(at + shift for at in (2.0, 14.0, 26.0) for shift in (0.0, 10.0)), 50.0]
    board = [BoardWindow(1, 10e6), BoardWindow(1, 10e6), BoardWindow(1, 10e6)]
    found = align.by_trigger(stamped(stray), board)
    assert found.spans == ((2.0, 12.0), (14.0, 24.0), (26.0, 36.0))
    assert found.notes == ("3 edges of the trigger not part of any window",)


def test_a_stray_stamp_inside_of_a_window_does_not_matter() -> None:
    found = align.by_trigger(stamped([2.0, 5.0, 12.0, 20.0, 31.0]), [BoardWindow(1, 10e6), BoardWindow(1, 11e6)])
    assert found.spans == ((2.0, 12.0), (20.0, 31.0))


def test_windows_that_fit_in_two_ways_are_refused() -> None:
    board = example.windows([1.0] * 6)
    trace = example.trace(board)
    with pytest.raises(MeterError, match="more than one way"):
        align.by_trigger(trace, board[:5])


def test_too_few_edges_are_refused_with_their_number() -> None:
    with pytest.raises(MeterError, match="has 4 edges, the board's 3 windows need 6"):
        align.by_trigger(example.trace(FIVE[:2]), FIVE[:3])


def test_without_an_edge_the_hint_is_the_wire() -> None:
    trace = example.trace(FIVE)
    with pytest.raises(MeterError, match="has 0 edges") as caught:
        align.by_trigger(dataclasses.replace(trace, bits=np.zeros(len(trace.t), np.uint8)), FIVE)
    assert "wire" in caught.value.hint


@pytest.mark.parametrize("drift", [-0.006, 0.006])
def test_a_drift_beyond_5000_ppm_is_refused(drift: float) -> None:
    with pytest.raises(MeterError, match="do not fit"):
        align.by_trigger(example.trace(FIVE, drift=drift), FIVE)


def test_one_window_that_is_3_ms_longer_than_the_others_say_is_refused() -> None:
    board = list(FIVE)
    board[2] = dataclasses.replace(board[2], elapsed_us=board[2].elapsed_us + 3000)
    with pytest.raises(MeterError, match="do not fit"):
        align.by_trigger(example.trace(FIVE), board)


def test_at_low_rates_two_samples_are_allowed() -> None:
    trace = example.trace(FIVE, rate_hz=50)
    found = align.by_trigger(trace, FIVE)
    assert found.residual_s <= 0.04
    assert found.edge_s == pytest.approx(0.02)


def test_marks_alone_make_windows_in_pairs() -> None:
    assert align.by_marks(stamped([2.0, 12.0, 20.0, 31.0, 40.0]), 2).spans == ((2.0, 12.0), (20.0, 31.0))
    with pytest.raises(MeterError, match="marks 2 windows, not 3"):
        align.by_marks(stamped([2.0, 12.0, 20.0, 31.0]), 3)


@given(st.floats(1.0, 3.0), st.floats(-0.004, 0.004), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_preamble_finds_windows_as_the_trigger_does(lead_s: float, drift: float, seed: int) -> None:
    trace = example.trace(FIVE, rate_hz=5e3, lead_s=lead_s, drift=drift, sleep_a=0.012, noise_a=0.004, seed=seed)
    by_trigger = measure(trace, FIVE)
    result = measure(trace, FIVE, trigger=None, preamble_us=example.preamble_us(FIVE))
    for triggered, energy in zip(by_trigger.windows, result.windows, strict=True):
        assert energy.energy_j == pytest.approx(triggered.energy_j, rel=0.002)
        assert energy.begin_s == pytest.approx(triggered.begin_s, abs=2e-3)
    assert result.alignment.drift == pytest.approx(drift, abs=5e-4)


def test_the_preamble_is_found_at_100_samples_per_second() -> None:
    trace = example.trace(FIVE, rate_hz=100, lead_s=2.0, sleep_a=0.005, trigger=False)
    result = measure(trace, FIVE, trigger=None, preamble_us=example.preamble_us(FIVE))
    for window, energy in zip(FIVE, result.windows, strict=True):
        assert energy.energy_j == pytest.approx(example.truth_j(window), rel=0.005)


def test_where_work_draws_what_idle_draws_the_drift_is_left_alone() -> None:
    trace = example.trace(FIVE, lead_s=2.0, idle_a=0.028, noise_a=0.002, sleep_a=0.005, trigger=False)
    result = measure(trace, FIVE, trigger=None, preamble_us=example.preamble_us(FIVE))
    assert abs(result.alignment.drift) < 200e-6
    for window, energy in zip(FIVE, result.windows, strict=True):
        assert energy.energy_j == pytest.approx(example.truth_j(window), rel=0.005)


def test_the_preamble_is_used_where_the_trigger_hardly_moves() -> None:
    trace = example.trace(FIVE, lead_s=2.0, sleep_a=0.005)
    bits = np.zeros(len(trace.t), np.uint8)
    bits[500:600] = 1
    still = dataclasses.replace(trace, bits=bits)
    assert measure(still, FIVE, preamble_us=example.preamble_us(FIVE)).alignment.method == "preamble"
    assert measure(trace, FIVE, preamble_us=example.preamble_us(FIVE)).alignment.method == "trigger"


def test_a_recording_without_the_preamble_is_refused() -> None:
    trace = example.trace(FIVE, lead_s=2.0, noise_a=0.001, trigger=False)
    with pytest.raises(MeterError, match="preamble is not in the recording"):
        preamble.align(trace, FIVE, example.preamble_us(FIVE))


def test_noise_alone_is_no_preamble() -> None:
    for seed in range(5):
        trace = example.trace(FIVE, active_a=example.IDLE_A, noise_a=0.005, trigger=False, seed=seed)
        with pytest.raises(MeterError, match="preamble is not in the recording"):
            preamble.align(trace, FIVE, example.preamble_us(FIVE))


def test_a_constant_recording_is_no_preamble() -> None:
    trace = example.trace(FIVE, active_a=example.IDLE_A, trigger=False)
    with pytest.raises(MeterError, match="preamble is not in the recording"):
        preamble.align(trace, FIVE, example.preamble_us(FIVE))


def test_two_preambles_are_refused() -> None:
    one = example.trace(FIVE, lead_s=2.0, sleep_a=0.005, trigger=False)
    i = np.concatenate((one.i, one.i))
    twice = dataclasses.replace(one, t=np.arange(len(i)) / 10e3, i=i)
    with pytest.raises(MeterError, match=r"its best place fits 1\.0"):
        preamble.align(twice, FIVE, example.preamble_us(FIVE))


def test_a_meter_that_is_too_slow_for_the_preamble_is_told() -> None:
    with pytest.raises(MeterError, match="10 samples per second"):
        preamble.align(example.trace(FIVE, rate_hz=10, trigger=False), FIVE, example.preamble_us(FIVE))


def test_sleep_that_draws_more_than_work_is_no_preamble() -> None:
    trace = example.trace(FIVE, lead_s=2.0, sleep_a=0.05, idle_a=0.05, trigger=False)
    with pytest.raises(MeterError, match="preamble is not in the recording"):
        preamble.align(trace, FIVE, example.preamble_us(FIVE))
