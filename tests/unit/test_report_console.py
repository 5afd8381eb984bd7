"""report.console: the table as a reader sees it."""

import io

import pytest
from rich.console import Console

from example_records import AD01, DIGITS, EMULATED, KWS01, SWW01, UNIX, accuracy, detections, record
from tinympy.records import Board, Memory, Record
from tinympy.report import console as report


def printed(records: list[Record], width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    report.render(records, console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


@pytest.fixture
def runs() -> list[Record]:
    steady = (1.0, 1.001, 0.999, 1.002, 1.0)

    def latencies_us(base_us: float) -> list[float]:
        return [base_us * factor for factor in steady]

    return [
        record(
            DIGITS,
            latencies_us=latencies_us(61.3),
            window_s=2.5,
            accuracy=accuracy(value=0.9722, n=360, wall_s=0.08),
            full_n=360,
            memory=Memory(1_536, 9_216, 7_912, 2_020_000),
        ),
        record(latencies_us=latencies_us(2311), window_s=2.5, accuracy=accuracy()),
        record(
            AD01,
            latencies_us=latencies_us(160.2),
            window_s=2.5,
            accuracy=accuracy("mean_score", 10.264468, 1, 0.05),
            full_n=248,
            memory=Memory(1_408, 276_480, 7_912, None),
        ),
    ]


UNIX_IN_80_COLUMNS = """
       board                     latency       arena program module   heap
task   engine accuracy                ms inf/s    kB      kB     kB     kB
──────────────────────────────────────────────────────────────────────────
digits unix   97.2 %              0.0613 16313   1.5     9.2    7.9 2020.0
       native top-1 n 360  0.0612…0.0614
kws01  unix   90.1 %                2.31   433  16.6    30.2    7.9 1998.0
       native top-1 n 1000     2.31…2.32
ad01   unix   10.2645              0.160  6242   1.4   276.5    7.9      –
       native score n 1      0.160…0.161

units   kB = 1000 bytes; heap: left free; latency: median and range of 5 windows
board   unix on /dev/pts/3: MicroPython v1.28.0 (x64, mpy 6.3)
host    Linux-6.1.0-28-amd64-x86_64-with-glibc2.36, Python 3.11.2, AMD EPYC 7B13
rate    digits: 4500 samples/s in 0.08 s, with deployment and transfer
rate    kws01: 476 samples/s in 2.10 s, with deployment and transfer
rate    ad01: 20.0 samples/s in 0.05 s, with deployment and transfer
note    kws01, ad01: windows of 2.5 s (the MLPerf Tiny rules ask for 10 s:
        --window 10)
note    ad01: 10.2645 over 1 sample where the data set has 248 (compare only
        figures over the whole data set)
label   kws01, ad01: MLPerf Tiny rules, unverified. Result not verified by
        MLCommons Association.
record  results/20261122T141136Z-unix-digits-native.json
record  results/20261122T141136Z-unix-kws01-native.json
record  results/20261122T141136Z-unix-ad01-native.json
"""

EMULATED_IN_120_COLUMNS = """
          board                         latency           arena   program   module     heap
task      engine       accuracy              ms   inf/s      kB        kB       kB       kB
───────────────────────────────────────────────────────────────────────────────────────────
kws01     unix         90.1 %              2.31     433    16.6      30.2      7.9   1998.0
          native       top-1 n 1000   2.31…2.32
kws01     rp2040-emu   89.9 %               243    4.11    16.6      30.2      7.9   1998.0
invalid   native       top-1 n 1000     243…243
          emulated                     emulated

units    kB = 1000 bytes; heap: left free; latency: median and range of 5 windows
board    unix on /dev/pts/3: MicroPython v1.28.0 (x64, mpy 6.3)
board    rp2040-emu on emulator: MicroPython v1.28.0 (armv6m, mpy 6.3, 125 MHz, emulated)
host     Linux-6.1.0-28-amd64-x86_64-with-glibc2.36, Python 3.11.2, AMD EPYC 7B13
rate     kws01 on unix: 476 samples/s in 2.10 s, with deployment and transfer
rate     kws01 on rp2040-emu: 2.43 samples/s in 412.00 s, with deployment and transfer
cycles   kws01 on rp2040-emu: 30.39 million an inference, emulated
note     kws01 on unix: windows of 2.5 s (the MLPerf Tiny rules ask for 10 s: --window 10)
invalid  kws01 on rp2040-emu: 89.9 % is below the target of 90.0 %
label    kws01: MLPerf Tiny rules, unverified. Result not verified by MLCommons Association.
record   results/20261122T141136Z-unix-kws01-native.json
record   results/20261122T141136Z-rp2040-emu-kws01-native.json
"""


def test_table_of_the_unix_board_in_80_columns(runs: list[Record]) -> None:
    assert printed(runs, 80) == UNIX_IN_80_COLUMNS.strip("\n")


def test_emulated_and_invalid_stand_beside_the_figures(runs: list[Record]) -> None:
    emulated = record(KWS01, EMULATED, latencies_us=[243_100] * 5, accuracy=accuracy(value=0.899, wall_s=412))
    assert printed([runs[1], emulated], 120) == EMULATED_IN_120_COLUMNS.strip("\n")


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(runs: list[Record], width: int) -> None:
    emulated = record(KWS01, EMULATED, latencies_us=[243_100] * 5, accuracy=accuracy(value=0.899, wall_s=412))
    assert all(len(line) <= width for line in printed([*runs, emulated], width).splitlines())


def test_figures_are_never_cut_on_a_narrow_terminal(runs: list[Record]) -> None:
    text = printed(runs, 40)
    assert "…" not in text.replace("0.0612…0.0614", "").replace("2.31…2.32", "").replace("0.160…0.161", "")
    assert "2020.0" in text


def test_what_was_not_measured_is_a_dash(runs: list[Record]) -> None:
    row = next(line for line in printed([record(memory=Memory())], 80).splitlines() if line.startswith("kws01"))
    assert row.split() == ["kws01", "unix", "–", "–", "–", "–", "–", "–", "–"]


def test_generated_weights_stand_where_the_accuracy_would_be_and_below() -> None:
    runs = [record(task, latencies_us=[2311.0] * 5) for task in (KWS01, AD01)]
    for made in runs:
        made.model.weights = "generated"
        made.warnings.append("generated weights: no accuracy")
    lines = printed(runs, 80).splitlines()
    index = next(index for index, line in enumerate(lines) if line.startswith("kws01"))
    assert lines[index].split()[:3] == ["kws01", "unix", "–"]
    assert lines[index + 1].split()[:2] == ["native", "generated"]
    assert any("kws01, ad01: generated weights: no accuracy" in line for line in lines)


@pytest.mark.parametrize(
    ("boards", "names"),
    [([UNIX], "digits, kws01, ad01, sww01"), ([UNIX, EMULATED], "digits, kws01, ad01, sww01 on 2 boards")],
)
def test_many_records_of_one_warning_are_named_by_task(boards: list[Board], names: str) -> None:
    runs = [record(task, board, latencies_us=[2311.0] * 5) for task in (DIGITS, KWS01, AD01, SWW01) for board in boards]
    for made in runs:
        made.warnings.append("the heap was swept")
    assert f"{names}: the heap was swept" in printed(runs, 120)


def test_cycles_are_shown_where_the_clock_is_known() -> None:
    run = record(KWS01, EMULATED, latencies_us=[100_000.0] * 5)
    assert "cycles  kws01: 12.5 million an inference, emulated" in printed([run], 120).splitlines()
    run.model.macs = 2_500_000
    assert (
        "cycles  kws01: 12.5 million an inference, 5.00 a MAC (2500000 MACs), emulated"
        in printed([run], 120).splitlines()
    )
    assert "cycles" not in printed([record(latencies_us=[100_000.0] * 5)], 120)


def test_counts_behind_the_accuracy_stand_below_the_table() -> None:
    lines = printed([record(SWW01, accuracy=detections(2, 1, 0), full_n=50)], 120).splitlines()
    assert next(line for line in lines if line.startswith("sww01")).split()[2:4] == ["66.7", "%"]
    assert any("words n 3" in line for line in lines)
    assert "detail  sww01: true positives 2, false negatives 1, false positives 0" in lines


def test_label_is_only_for_official_tasks(runs: list[Record]) -> None:
    assert "unverified" not in printed(runs[:1], 80)
    assert report.UNVERIFIED in printed(runs, 200)


def test_markup_in_names_is_text(runs: list[Record]) -> None:
    runs[0].warnings.append("[bold]not markup[/bold] [/]")
    assert "[bold]not markup[/bold] [/]" in printed(runs[:1], 120)


def test_no_records_print_nothing() -> None:
    assert printed([], 80) == ""
