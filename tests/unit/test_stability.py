"""stability: odd windows as scipy finds them, and each notice with a hint that depends on how the run was made."""

from __future__ import annotations

import dataclasses
from statistics import median

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from example_records import DIGITS, EMULATED, UNIX, record
from tinympy import measures, stability
from tinympy.records import Record, Window
from tinympy.stability import Notice

STEADY = [2311.0, 2312.0, 2310.0, 2313.0, 2311.0]
TIMES = st.lists(st.floats(0.01, 1e4), min_size=2, max_size=9)


def notices(made: Record) -> list[Notice]:
    return list(stability.notices(made))


@given(TIMES.filter(lambda values: scipy.stats.median_abs_deviation(values) > 1e-9))
def test_modified_z_score_is_made_of_scipys_deviation(values: list[float]) -> None:
    # Iglewicz and Hoaglin: M_i = 0.6745 (x_i - median) / MAD, the deviation scaled to that of a normal distribution.
    expected = 0.6745 * (np.asarray(values) - np.median(values)) / scipy.stats.median_abs_deviation(values)
    assert stability.modified_z(values) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_modified_z_score_is_the_usual_one_of_normal_values() -> None:
    values = scipy.stats.norm.ppf(np.linspace(0.001, 0.999, 999), 5.0, 2.0)
    expected = scipy.stats.zscore(values)
    assert stability.modified_z(list(values)) == pytest.approx(expected, rel=0.01, abs=0.01)
    # hyperfine's threshold is 10 standard deviations; 0.6745 and 14.826 are rounded factors of its paper.
    assert stability.outliers([*values, 5.0 + 2.0 * 22.5]) == [999]
    assert stability.outliers([*values, 5.0 + 2.0 * 14.0]) == []


@given(TIMES)
def test_latency_is_a_thousand_over_the_median_throughput(times_ms: list[float]) -> None:
    made = record(DIGITS)
    made.windows = [Window(7, 0, round(7000 * ms) + 1, 0, "") for ms in times_ms]
    latency, throughput = measures.latency_ms(made), measures.throughput_ips(made)
    assert latency is not None and throughput is not None
    assert latency.median == median(latency.windows) == pytest.approx(np.median(latency.windows))
    if len(times_ms) % 2:
        assert 1000 / throughput == pytest.approx(latency.median, rel=1e-12)


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.996, "9.9 s"), (10.0, "10.0 s"), (0.8, "800 ms"), (0.00105, "1 ms"), (0.00005, "50 µs")]
)
def test_durations_are_never_rounded_up(seconds: float, text: str) -> None:
    assert measures.duration(seconds) == text


def test_slow_first_window_asks_for_more_warm_up_than_there_was() -> None:
    (notice,) = notices(record(latencies_us=[2400, *STEADY[1:]]))
    assert notice == Notice(
        "window 1 is 3.8 % slower than the others", "give the board more warm-up inferences: --warmup 50"
    )
    (fast,) = notices(record(latencies_us=[2200, *STEADY[1:]]))
    assert "warmup" not in fast.hint


@pytest.mark.parametrize(
    ("window_s", "hint"), [(1.0, "longer windows are steadier: --window 2.5"), (2.5, "close other")]
)
def test_hint_on_spread_is_longer_windows_only_where_they_are_short(window_s: float, hint: str) -> None:
    (notice,) = notices(record(DIGITS, latencies_us=[2311, 2360, 2320, 2400, 2350], window_s=window_s))
    assert notice.message == "the windows differ by 3.8 %" and notice.hint.startswith(hint)


def test_hint_on_spread_among_several_boards_is_one_at_a_time() -> None:
    made = record(DIGITS, latencies_us=[2311, 2360, 2320, 2400, 2350], window_s=1.0)
    made.parallel = 3
    assert [notice.hint for notice in notices(made)] == ["measure one board at a time"]


def test_spread_is_told_above_two_percent() -> None:
    def with_spread(share: float) -> Record:
        return record(latencies_us=[1000.0, 1000.0 * (1 - share / 2), 1000.0 * (1 + share / 2)], window_s=10)

    assert notices(with_spread(0.0199)) == []
    assert [notice.message for notice in notices(with_spread(0.0202))] == ["the windows differ by 2.0 %"]


def test_windows_too_short_for_a_steady_figure_are_told_but_not_of_an_emulator() -> None:
    short = record(DIGITS, latencies_us=[100.0] * 5, window_s=0.099)
    assert notices(short) == [Notice("windows of 99 ms", "too short for a steady figure: --window 2.5")]
    assert notices(record(DIGITS, latencies_us=[100.0] * 5, window_s=0.101)) == []
    assert notices(record(DIGITS, EMULATED, latencies_us=[100.0] * 5, window_s=0.01)) == []


def test_clock_too_coarse_for_the_windows_is_told_with_the_window_it_needs() -> None:
    made = record(DIGITS, latencies_us=[100.0] * 5, window_s=0.2)
    made.board = dataclasses.replace(UNIX, ticks_step_us=1000)
    assert notices(made) == []
    made.board = dataclasses.replace(UNIX, ticks_step_us=1100)
    assert notices(made) == [
        Notice("the clock's steps of 1 ms are 0.55 % of a window", "--window 0.22 makes them 0.5 %")
    ]


def with_heap(counts: list[int], inference_bytes: int, overhead_bytes: int, free_bytes: int) -> Record:
    """Windows of so many inferences as a board times them; a full heap is collected, and filled again."""
    made = record(DIGITS)
    for n in [1, 4, *counts]:
        taken = overhead_bytes
        for _ in range(n):
            taken = taken + inference_bytes if taken + inference_bytes <= free_bytes else inference_bytes
        window = Window(n, 0, 1_000_000 * n, 0, "", free_bytes, free_bytes - taken)
        (made.calibration if n in (1, 4) else made.windows).append(window)
    return made


def test_collection_inside_a_window_is_told() -> None:
    message = "memory was collected inside windows 1, 2, 3, 4, 5"
    hint = "an inference allocates 48 bytes; shorter windows need no collection"
    assert Notice(message, hint) in notices(with_heap([3000] * 5, 48, 96, 100_000))
    (notice,) = notices(with_heap([1000] * 4 + [3000], 48, 96, 100_000))
    assert notice.message == "memory was collected inside window 5"


def test_windows_that_fit_the_heap_have_no_collection() -> None:
    assert notices(with_heap([2000] * 5, 48, 96, 100_000)) == []


def test_what_a_window_takes_by_itself_is_no_allocation_of_an_inference() -> None:
    assert notices(with_heap([100_000] * 5, 0, 96, 100_000)) == []


def test_boards_that_do_not_tell_their_heap_get_no_notice() -> None:
    made = with_heap([3000] * 5, 48, 96, 100_000)
    for window in (*made.calibration, *made.windows):
        window.heap_free_bytes = window.heap_left_bytes = None
    assert notices(made) == []
