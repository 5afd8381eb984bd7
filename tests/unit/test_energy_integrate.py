import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import energy_example as example
from tinympy.energy import flags, integrate
from tinympy.energy.measurement import Measurement, measure
from tinympy.energy.trace import MeterSpec, Trace
from tinympy.errors import MeterError

FIVE = example.windows([1.0, 1.1, 1.05, 0.95, 1.2])
SPEC = MeterSpec("x", None, 1e3)


def ramp(n: int = 1000) -> Trace:
    """Current k mA in sample k, 1 V, 1 kHz: the energy of [a, b] is known in closed form."""
    return Trace(np.arange(n) / 1e3, np.arange(n) * 1e-3, 1.0, SPEC)


def changed(trace: Trace, **fields: object) -> Trace:
    return dataclasses.replace(trace, **fields)


def lossy(trace: Trace, share: float, seed: int = 0) -> Trace:
    gone = np.random.default_rng(seed).random(len(trace.i)) < share
    return changed(trace, i=np.where(gone, np.nan, trace.i))


def warnings(result: Measurement, text: str) -> list[str]:
    return [note for note in result.notes if text in note]


def test_windows_that_do_not_count_are_found_and_neither_measured_nor_judged() -> None:
    trace = example.trace(FIVE)
    first = (trace.t > 1.0) & (trace.t < 2.0)
    some = np.random.default_rng(0).random(len(trace.i)) < 0.2
    result = measure(changed(trace, i=np.where(first & some, np.nan, trace.i)), FIVE, count=4)
    assert (len(result.windows), len(result.alignment.spans), result.refused) == (4, 4, ())
    assert not warnings(result, "lost")
    assert [each.energy_j for each in result.windows] == pytest.approx([example.truth_j(each) for each in FIVE[1:]])
    assert measure(changed(trace, i=np.where(first & some, np.nan, trace.i)), FIVE).refused


def test_whole_samples_are_summed() -> None:
    (window,) = integrate.windows(ramp(), [(0.1, 0.2)], None)
    assert window.energy_j == pytest.approx(sum(range(100, 200)) * 1e-6)
    assert window.power_w == pytest.approx(window.energy_j / 0.1)
    assert (window.coverage, window.refused, window.net_j) == (pytest.approx(1), None, None)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_ends_take_their_fraction_of_a_sample(one: float, other: float) -> None:
    begin, end = sorted((one, other))
    if end - begin < 1e-6:
        return

    def until(at: float) -> float:
        whole = min(int(at * 1e3), 999)
        return whole * (whole - 1) / 2 * 1e-6 + whole * 1e-3 * (at - whole / 1e3)

    (window,) = integrate.windows(ramp(), [(begin, end)], None)
    assert window.energy_j == pytest.approx(until(end) - until(begin), abs=1e-12)


def test_the_last_sample_lasts_as_long_as_the_one_before() -> None:
    (window,) = integrate.windows(ramp(), [(0.998, 1.0)], None)
    assert window.energy_j == pytest.approx((998 + 999) * 1e-6)
    assert window.refused is None


def test_times_need_not_be_even() -> None:
    trace = Trace(np.array([0.0, 1.0, 1.5, 4.0]), np.array([1.0, 2.0, 3.0, 4.0]), 2.0, MeterSpec("x"))
    (window,) = integrate.windows(trace, [(0.5, 2.5)], None)
    assert window.energy_j == pytest.approx(2.0 * (0.5 * 1 + 0.5 * 2 + 1.0 * 3))


def test_a_voltage_for_each_sample_counts() -> None:
    trace = changed(ramp(), v=np.linspace(1, 2, 1000))
    (window,) = integrate.windows(trace, [(0.0, 1.0)], None)
    assert window.energy_j == pytest.approx(float(np.sum(trace.i * trace.v)) * 1e-3)


@given(st.integers(0, 10_000), st.floats(0.0, 0.04))
@settings(max_examples=30, deadline=None)
def test_lost_samples_are_scaled_by_coverage(seed: int, share: float) -> None:
    """Neither compressed nor filled: with 3 % lost either would err by 3 %."""
    result = measure(lossy(example.trace(FIVE), share, seed), FIVE)
    for window, energy in zip(FIVE, result.windows, strict=True):
        # An edge among lost samples moves by half of them, of 0.1 ms.
        assert energy.energy_j == pytest.approx(example.truth_j(window), rel=1e-3)
    assert not result.refused


def test_loss_is_a_warning_from_a_thousandth_on_and_refused_from_a_twentieth_on() -> None:
    trace = example.trace(FIVE)
    assert not warnings(measure(lossy(trace, 0.0005), FIVE), "lost")
    assert warnings(measure(lossy(trace, 0.03), FIVE), "of a window's samples were lost")
    result = measure(lossy(trace, 0.08), FIVE)
    assert len(result.refused) == 5
    assert "95% are needed" in result.refused[0]


def test_a_window_that_leaves_the_recording_is_refused() -> None:
    trace = ramp()
    for span in ((-0.1, 0.5), (0.5, 1.1)):
        (window,) = integrate.windows(trace, [span], None)
        assert window.refused is not None and "not in the recording" in window.refused


def test_gross_and_net_are_two_figures() -> None:
    result = measure(example.trace(FIVE), FIVE)
    for window, energy in zip(FIVE, result.windows, strict=True):
        assert energy.energy_j == pytest.approx(example.truth_j(window), rel=1e-3)
        idle_j = example.IDLE_A * example.VOLTS * window.elapsed_us / 1e6
        assert energy.net_j == pytest.approx(example.truth_j(window) - idle_j, rel=3e-3)
    assert result.net is not None
    assert result.gross.median_j == pytest.approx(example.truth_j(FIVE[2]) / 10, rel=1e-3)
    assert result.net.median_j == pytest.approx(result.gross.median_j * 8 / 28, rel=3e-3)


def test_idle_is_the_median_that_a_message_does_not_move() -> None:
    trace = example.trace(FIVE)
    i = trace.i.copy()
    for window in FIVE:
        at = round((1.0 + (window.start_us + window.elapsed_us) / 1e6 + 0.1) * 10e3)
        i[at : at + 800] = 0.2
    idle = measure(changed(trace, i=i), FIVE).idle
    assert idle is not None
    assert idle.power_w == pytest.approx(example.IDLE_A * example.VOLTS, rel=1e-6)


def test_less_than_a_second_of_idle_gives_no_net() -> None:
    board = example.windows([1.0] * 2, gap_s=0.1)
    result = measure(example.trace(board, lead_s=0.3, tail_s=0.3), board)
    assert result.net is None and result.idle is None
    assert all(window.net_j is None for window in result.windows)
    assert warnings(result, "no net energy")


def test_the_preamble_is_no_idle() -> None:
    trace = example.trace(FIVE, lead_s=2.0, sleep_a=0.001)
    spans = [(2.0, 3.0)]
    with_it = integrate.idle(changed(trace, i=np.where(trace.t < 2, trace.i, 0.001)), spans, [(1.25, 1.95)])
    assert with_it is not None
    assert with_it.seconds == pytest.approx(1.2 + 5.0, abs=0.2)


def test_idle_is_taken_without_the_preamble() -> None:
    trace = example.trace(FIVE, lead_s=2.0, sleep_a=0.001)
    with_it, without = (measure(trace, FIVE, preamble_us=at) for at in (None, example.preamble_us(FIVE)))
    assert with_it.idle is not None and without.idle is not None
    assert with_it.idle.seconds - without.idle.seconds == pytest.approx(0.7, abs=0.11)


def test_a_board_with_a_second_supply_is_flagged() -> None:
    assert warnings(measure(example.trace(FIVE, idle_a=-0.002, active_a=-0.001), FIVE), "second supply")
    assert warnings(measure(example.trace(FIVE, idle_a=0.0, active_a=0.0), FIVE), "second supply")


def test_no_step_at_the_trigger_is_flagged() -> None:
    assert warnings(measure(example.trace(FIVE, active_a=example.IDLE_A * 1.005), FIVE), "within 1% of the idle power")


def test_a_board_that_works_and_idles_is_not_flagged() -> None:
    result = measure(example.trace(FIVE, noise_a=0.001), FIVE)
    assert result.notes == ()


def test_full_scale_is_flagged_as_clipped() -> None:
    spec = dataclasses.replace(example.SPEC, full_scale_a=example.ACTIVE_A)
    assert warnings(measure(example.trace(FIVE, spec=spec), FIVE), "full scale of 0.028 A")
    larger = dataclasses.replace(spec, full_scale_a=1.0)
    assert not warnings(measure(example.trace(FIVE, spec=larger), FIVE), "full scale")


def test_clipping_shows_where_the_full_scale_is_not_known() -> None:
    trace = example.trace(FIVE, noise_a=0.002)
    coarse = np.round(np.minimum(trace.i, 0.029), 5)
    assert warnings(measure(changed(trace, i=coarse), FIVE), "clipped?")
    assert not warnings(measure(changed(trace, i=np.round(trace.i, 5)), FIVE), "clipped?")


def test_a_sine_is_not_taken_for_clipped() -> None:
    trace = example.trace(FIVE)
    wave = np.round(trace.i + 0.005 * np.sin(np.arange(len(trace.i)) * 0.37), 5)
    assert not warnings(measure(changed(trace, i=wave), FIVE), "clipped?")


def test_a_range_that_hunts_is_flagged() -> None:
    trace = example.trace(FIVE)
    spec = dataclasses.replace(example.SPEC, gain_limits=(0.1, 0.15))
    steady = np.ones(len(trace.t), np.uint8)
    hunting = steady.copy()
    hunting[::100] = 0
    rare = steady.copy()
    rare[::2000] = 0
    assert warnings(measure(changed(trace, ranges=hunting, spec=spec), FIVE), "within 2 of a switch")
    assert not warnings(measure(changed(trace, ranges=rare, spec=spec), FIVE), "within 2 of a switch")
    assert not flags.of(changed(trace, ranges=steady, spec=spec), [(1.0, 2.0)], (), None)


def test_energy_in_each_range_adds_up() -> None:
    trace = example.trace(FIVE)
    spec = dataclasses.replace(example.SPEC, gain_limits=(0.1, 0.15))
    ranges = (np.arange(len(trace.t)) % 4 == 0).astype(np.uint8)
    result = measure(changed(trace, ranges=ranges, spec=spec), FIVE)
    assert result.windows[0].shares == pytest.approx((0.75, 0.25), abs=1e-3)
    assert result.gross.limit is not None
    assert result.gross.limit.gain_j == pytest.approx(result.gross.median_j * 0.1125 / 0.8875, rel=2e-3)


def test_a_result_is_plain_json() -> None:
    result = measure(lossy(example.trace(FIVE, noise_a=0.001), 0.03), FIVE)
    again = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert again["gross"]["median_j"] == result.gross.median_j
    assert again["windows"][0]["coverage"] == result.windows[0].coverage
    assert again["spec"]["serial"] == "E1"
    assert again["inferences"] == [10] * 5


def test_windows_out_by_turns_of_a_counter_have_the_boards_length() -> None:
    board = example.windows([0.4, 0.5, 0.45, 0.42, 0.48])
    trace = example.trace(board, rate_hz=100e3, drift=40e-6)
    high = np.flatnonzero(trace.bits)
    i = trace.i.copy()
    # In the first window 300 samples are lost and known to be, in the second 128 are and nothing shows it.
    i[high[1000] : high[1300]] = np.nan
    second = high[high > (1.0 + 0.4 + 0.7) * 100e3]
    kept = np.delete(np.arange(len(i)), second[2000:2128])
    shortened = dataclasses.replace(trace, t=trace.t[: len(kept)], i=i[kept], bits=trace.bits[kept])
    result = measure(shortened, board)
    assert result.alignment.drift == pytest.approx(40e-6, abs=10e-6)
    assert result.alignment.residual_s == pytest.approx(1.28e-3, rel=0.01)
    for window, said in zip(result.windows, board, strict=True):
        assert window.energy_j == pytest.approx(example.truth_j(said, 40e-6), rel=4e-5)
    complete = dataclasses.replace(shortened, i=trace.i[kept])
    with pytest.raises(MeterError, match="do not fit"):
        measure(complete, board)


def test_a_recording_that_lost_samples_and_does_not_fit_says_that_it_lost_some() -> None:
    board = example.windows([0.4, 0.5, 0.45])
    trace = example.trace(board, rate_hz=100e3)
    high = np.flatnonzero(trace.bits)
    kept = np.delete(np.arange(len(trace.i)), high[2000:2640])
    i = trace.i[kept]
    i[100:200] = np.nan
    with pytest.raises(MeterError, match="samples were lost, and where they were is not known to 4 ms") as caught:
        measure(dataclasses.replace(trace, t=trace.t[: len(kept)], i=i, bits=trace.bits[kept]), board)
    assert "nothing else running" in caught.value.hint
