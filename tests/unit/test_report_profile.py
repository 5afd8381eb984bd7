"""report.profile and report.chart: a profile as its reader sees it."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tinympy.errors import UsageError
from tinympy.profiling import LayerProfile, Profile, Timing
from tinympy.records import Board
from tinympy.report import chart, layers
from tinympy.report import profile as report
from tinympy.subject import Subject

BOARD = Board("rp2040", "/dev/ttyACM0", "micropython 1.26.1, build", "6.3", "armv6m", 125_000_000, emulated=True)
SUBJECT = Subject("kws01", "kws_ref_model.tflite", "native", BOARD)
LAYERS = (
    LayerProfile(0, "CONV_2D", (1, 25, 5, 64), Timing((3000.0, 3010.0, 2990.0)), 320_000, 3954),
    LayerProfile(1, "DEPTHWISE_CONV_2D", (1, 25, 5, 64), Timing((1000.0, 1000.0, 1000.0)), 72_000, 9168),
    LayerProfile(3, "SOFTMAX", (1, 12), Timing((0.0, 0.5, 0.25)), 0, 1036),
)
PROFILE = Profile(LAYERS, Timing((4100.0, 4090.0, 4120.0)), Timing((50.0,)), 125_000_000, 0.025, "ae" * 32)


def printed(profile: Profile, width: int, subject: Subject = SUBJECT) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    report.render(subject, profile, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def row(lines: list[str], name: str) -> list[str]:
    [cells] = [line.split() for line in lines if name in line and "µs" not in line and "%" not in line]
    return cells


def test_a_row_says_where_the_time_went() -> None:
    lines = printed(PROFILE, 80)
    assert lines[0] == "kws01 on rp2040 (native, emulated)"
    # 3000 µs at 125 MHz for 320 000 multiply-accumulates.
    assert row(lines, "0  CONV_2D") == ["0", "CONV_2D", "25×5×64", "3000", "75.0", "320000", "1.2", "3954"]
    assert row(lines, "SOFTMAX") == ["3", "SOFTMAX", "12", "0.250", "0.0", "–", "–", "1036"]


def test_the_whole_inference_stands_beside_the_sum_of_its_layers() -> None:
    lines = printed(PROFILE, 80)
    assert row(lines, "sum of layers")[-1] == "4000"
    assert row(lines, "whole inference ")[-1] == "4100"
    assert row(lines, "difference") == ["difference", "99.75"]
    text = " ".join(lines)
    assert "2.4 % of the whole" in text and "median of 3 windows" in text
    assert "differ by 30.00 µs" in text and "20.00 µs (operator 0)" in text
    assert "125 MHz, emulated" in text


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_runs_over_the_edge(width: int) -> None:
    assert max(map(len, printed(PROFILE, width))) <= width


def test_bars_fill_a_wide_terminal_only() -> None:
    assert not any("█" in line for line in printed(PROFILE, 80))
    longest, second, least = (line.count("█") for line in printed(PROFILE, 120) if line[:1].isdigit())
    assert longest == 3 * second > 0 and least == 0


def test_without_a_clock_there_are_no_cycles() -> None:
    lines = printed(replace(PROFILE, clock_hz=None), 80)
    assert not any("cycles" in line for line in lines)
    assert [each["cycles_per_mac"] for each in report.rows(replace(PROFILE, clock_hz=None))] == [None] * 3


def test_a_layer_is_compared_with_the_least_that_its_products_can_take() -> None:
    layers = (replace(LAYERS[0], bound_cycles=150_000.0), *LAYERS[1:])
    bounded = replace(PROFILE, layers=layers)
    # 3000 µs at 125 MHz are 375 000 cycles.
    assert row(printed(bounded, 80), "0  CONV_2D")[-2:] == ["2.5", "3954"]
    assert row(printed(bounded, 80), "SOFTMAX")[-2:] == ["–", "1036"]
    assert any(line.startswith("bound") for line in printed(bounded, 80))
    assert not any("bound" in line for line in [*printed(PROFILE, 80), *printed(replace(bounded, clock_hz=None), 80)])
    assert [each["times_bound"] for each in report.rows(bounded)] == [2.5, None, None]


def test_the_csv_file_has_a_line_for_each_layer() -> None:
    rows = list(csv.DictReader(io.StringIO(report.as_csv(PROFILE))))
    assert [each["name"] for each in rows] == ["CONV_2D", "DEPTHWISE_CONV_2D", "SOFTMAX"]
    assert float(rows[0]["time_us"]) == 3000 and (rows[0]["min_us"], rows[0]["max_us"]) == ("2990.0", "3010.0")
    assert rows[0]["output_shape"] == "25×5×64" and rows[2]["cycles_per_mac"] == ""
    assert float(rows[0]["cycles_per_mac"]) == pytest.approx(3000 * 125 / 320_000)


def test_a_caveat_is_printed() -> None:
    assert any("random inputs" in line for line in printed(PROFILE, 80, replace(SUBJECT, caveat="random inputs")))


def test_a_profile_without_layers_can_be_shown() -> None:
    empty = replace(PROFILE, layers=())
    assert "sum of layers" in "".join(printed(empty, 80))
    assert report.as_csv(empty).count("\n") == 1


# The chart


@pytest.mark.parametrize(("name", "magic"), [("c.svg", b"<?xml"), ("c.png", b"\x89PNG"), ("C.PNG", b"\x89PNG")])
def test_the_chart_is_a_picture_of_the_kind_its_name_says(tmp_path: Path, name: str, magic: bytes) -> None:
    pytest.importorskip("matplotlib")
    chart.write(SUBJECT, PROFILE, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_the_chart_names_what_it_shows(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        chart.write(replace(SUBJECT, caveat="random inputs"), PROFILE, tmp_path / "c.svg")
    text = (tmp_path / "c.svg").read_text()
    for words in ("kws01 on rp2040 (native, emulated): 4.1 ms", "0  CONV_2D  25×5×64", "75.0 %", "random inputs"):
        assert words in text


@pytest.mark.parametrize("name", ["c.pdf", "c", "c.svg.gz"])
def test_a_chart_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        chart.check(tmp_path / name)


def test_without_matplotlib_it_is_said_how_to_get_it() -> None:
    code = (
        "import sys, pathlib; sys.modules['matplotlib'] = None\n"
        "from tinympy.report import chart\n"
        "from tinympy.errors import UsageError\n"
        "try:\n    chart.check(pathlib.Path('c.svg'))\n"
        "except UsageError as error:\n    print(error.message, '|', error.hint)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "charts need matplotlib, which is not installed | pip install 'tinympy[charts]'\n"


def test_the_document_is_read_back_for_reports(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(report.document(SUBJECT, PROFILE)))
    found = layers.read(file)
    assert (found.board, found.emulated, found.model_sha256, found.windows) == ("rp2040", True, "ae" * 32, 3)
    assert [layer.time_us for layer in found.layers] == [layer.timing.median_us for layer in LAYERS]
    assert found.layers[0].output_shape == "25×5×64" and found.layers[0].share == pytest.approx(0.75, abs=1e-3)
