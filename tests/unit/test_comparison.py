"""comparison: who is faster, by how much, how sure that is, and what must not be ranked."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from example_records import AD01, DIGITS, EMULATED, KWS01, UNIX, accuracy, record
from tinympy.comparison import Ratio, compare, ratio
from tinympy.errors import InvalidResultError, TinympyError, UsageError
from tinympy.records import Board, Program, Record
from tinympy.report import comparison as report
from tinympy.statistics import Latency

RP2040 = Board("rp2040", "/dev/ttyACM0", "MicroPython v1.28.0", "6.3", "armv6m", 125_000_000, False)
STEADY = (0.99, 1.0, 1.01, 1.0, 0.995)


def run(board: Board = UNIX, latency_us: float = 1000.0, **more: object) -> Record:
    return record(board=board, latencies_us=[latency_us * factor for factor in STEADY], **more)  # type: ignore[arg-type]


def test_the_uncertainty_is_that_of_the_formula() -> None:
    a, b = Latency((9.0, 10.0, 11.0, 10.0, 10.0)), Latency((1.9, 2.0, 2.1, 2.0, 2.0))
    found = ratio(a, b)
    # Standard deviations 0.7071 and 0.0707; 3.025 is what the median of five takes (energy/uncertainty.py).
    assert found.value == 5.0
    assert found.uncertainty == pytest.approx(5 * 3.025 / math.sqrt(5) * math.hypot(0.07071, 0.035355), rel=1e-4)


@pytest.mark.parametrize(
    ("counts", "spreads", "held"),
    [
        ((2, 2), (0.002, 0.002), 0.994),
        ((3, 3), (0.002, 0.002), 0.987),
        ((3, 5), (0.002, 0.0001), 0.952),
        ((5, 5), (0.002, 0.002), 0.973),
        ((5, 5), (0.002, 0.0001), 0.950),
        ((5, 10), (0.002, 0.002), 0.967),
    ],
)
def test_intervals_contain_the_truth_at_least_as_often_as_they_say(
    counts: tuple[int, int], spreads: tuple[float, float], held: float
) -> None:
    dice, hits, runs = random.Random(1), 0, 4000
    for _ in range(runs):
        slow, fast = (
            Latency(tuple(dice.gauss(middle, middle * spread) for _ in range(n)))
            for middle, n, spread in zip((30.0, 10.0), counts, spreads, strict=True)
        )
        found = ratio(slow, fast)
        assert found.uncertainty is not None and found.value == median(slow.windows) / median(fast.windows)
        hits += abs(found.value - 3.0) <= found.uncertainty
    # Four standard deviations of the count.
    assert abs(hits / runs - held) < 4 * math.sqrt(held * (1 - held) / runs) + 0.001


def test_the_fastest_comes_first_and_the_others_are_measured_by_it() -> None:
    entries = compare([run(RP2040, 3200), run(UNIX, 1000)])
    assert [entry.name for entry in entries] == ["unix", "rp2040"]
    assert entries[0].ratio is None
    assert entries[1].ratio is not None and entries[1].ratio.value == pytest.approx(3.2)
    [line] = report.verdict(entries)
    assert line == "unix runs kws01 3.20 ± 0.05 times faster than rp2040"


def test_what_the_windows_cannot_tell_apart_is_called_equal() -> None:
    [line] = report.verdict(compare([run(RP2040, 1001), run(UNIX, 1000)]))
    assert line.startswith("unix and rp2040 run kws01 equally fast, as far as the windows tell: 1.00")


def test_one_window_has_no_uncertainty() -> None:
    entries = compare([record(DIGITS, latencies_us=[1000.0]), record(DIGITS, RP2040, [2000.0])])
    assert entries[1].ratio == Ratio(2.0, None)
    assert report.verdict(entries) == ["unix runs digits about 2.00 times faster than rp2040"]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Ratio(3.2345, 0.0871), "3.23 ± 0.09"),
        (Ratio(3.2345, 0.127), "3.23 ± 0.13"),
        (Ratio(135.2, 27.3), "135 ± 27"),
        (Ratio(135.2, 0.0), "135.200 ± 0"),
        (Ratio(2.0, 0.0997), "2.00 ± 0.10"),
        (Ratio(12345.0, 321.0), "12345 ± 321"),
    ],
)
def test_as_many_digits_as_the_uncertainty_leaves(found: Ratio, text: str) -> None:
    assert report.times(found) == text


def other_task(other: Record) -> None:
    other.task = AD01


def other_model(other: Record) -> None:
    other.model.sha256 = "00" * 32


def generated(other: Record) -> None:
    other.model.weights = "generated"


def emulated(other: Record) -> None:
    other.board = EMULATED


def other_mode(other: Record) -> None:
    other.mode = "energy"


def reused(other: Record) -> None:
    other.program = Program("cd" * 32, 1, 1, 1, True)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (other_task, "task"),
        (other_model, "model"),
        (generated, "weights"),
        (emulated, "emulated"),
        (other_mode, "mode"),
        (reused, "input"),
    ],
)
def test_what_is_unlike_is_not_ranked(change: Callable[[Record], None], word: str) -> None:
    other = run(RP2040)
    change(other)
    with pytest.raises(UsageError, match=f"cannot be ranked: .*{word}") as refused:
        compare([run(), other])
    assert refused.value.exit_code == 2 and refused.value.hint


def test_a_run_of_both_modes_ranks_beside_one_of_performance() -> None:
    both, one = run(), run(RP2040, 2000)
    one.mode = "performance"
    assert len(compare([both, one])) == 2


def test_emulated_boards_rank_beside_each_other_and_are_called_that() -> None:
    other = Board("rp2350-emu", "emulator", "MicroPython v1.28.0", "6.3", "armv7emsp", 150_000_000, True)
    [line] = report.verdict(compare([run(EMULATED, 3000), run(other, 1000)]))
    assert line.startswith("rp2350-emu runs kws01 3.00") and line.endswith("(emulated)")


@pytest.mark.parametrize("bad", [run(RP2040, status="interrupted"), record(KWS01, RP2040, accuracy=accuracy())])
def test_what_is_not_valid_or_not_timed_is_not_ranked(bad: Record) -> None:
    with pytest.raises(InvalidResultError, match="rp2040") as refused:
        compare([run(), bad])
    assert refused.value.exit_code == 6 and refused.value.hint


def test_one_record_is_not_a_comparison() -> None:
    with pytest.raises(TinympyError, match="one record"):
        compare([run()])


def test_records_of_one_board_are_told_apart_by_engine_and_then_by_file() -> None:
    first, second = run(), run(latency_us=2000)
    second.engine.name = "python"
    assert {entry.name for entry in compare([first, second])} == {"unix (native)", "unix (python)"}
    second.engine.name, second.path = "native", Path("results/later.json")
    assert [entry.name for entry in compare([first, second])][1] == "later"
