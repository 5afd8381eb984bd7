"""inspection.memory and report.memory_map: what lies where in the arena, and how that is drawn."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tinympy import generated
from tinympy.compiler import compile_model
from tinympy.inspection import MemoryMap, Row, Use, Value, memory_map
from tinympy.report import memory_map as report

DIGITS = Path(__file__).parents[2] / "datasets/digits/digits_int8.tflite"

INPUT = Value("input", "the model's input, kept so that an inference can be repeated", 6000, 2000, 0, 3)
FIRST = Value("0", "output of operation 0, CONV_2D, 1 × 10 × 10 × 20", 4000, 2000, 0, 1)
SECOND = Value("1", "output of operation 1, CONV_2D, 1 × 10 × 10 × 40", 0, 4000, 1, 2)
THIRD = Value("2", "output of operation 2, SOFTMAX, 1 × 10", 4000, 10, 2, 3)
SCRATCH = Value("scratch", "scratch of the kernel", 8000, 200, 1, 1)
EXAMPLE = MemoryMap(
    8200,
    (
        Row(0, 0, "CONV_2D", (Use(INPUT, "read"), Use(FIRST, "written"))),
        Row(1, 2, "CONV_2D", (Use(INPUT, "kept"), Use(FIRST, "read"), Use(SECOND, "written"), Use(SCRATCH, "written"))),
        Row(2, 3, "SOFTMAX", (Use(INPUT, "kept"), Use(SECOND, "read"), Use(THIRD, "written"))),
    ),
)

EXAMPLE_IN_80_COLUMNS = """
arena of 8200 bytes: each line is an operation, each bar a value
number: the operation that writes it; █ kept throughout, ▚ scratch, ▶ the peak

   operation bytes  0              2050           4100           6150       8200
0  CONV_2D    4000                               0▓▓▓▓▓▓▓▓▓▓▓▓▓▓input██████████
1  CONV_2D    8200 ▶1▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒0▓▓▓▓▓▓▓▓▓▓▓▓▓▓input██████████▚
2  SOFTMAX    6010  1▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒░              input██████████

8200  alive at once during operation 1, CONV_2D: the peak
4000  output of operation 1, CONV_2D, 1 × 10 × 10 × 40, written (at 0)
2000  output of operation 0, CONV_2D, 1 × 10 × 10 × 20, read (at 4000)
2000  the model's input, kept so that an inference can be repeated (at 6000)
 200  scratch of the kernel (at 8000)
   0  lost to gaps
"""


def printed(memory: MemoryMap, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    report.render(memory, console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


@pytest.fixture(scope="module", params=["digits", *generated.NAMES])
def drawn(request: pytest.FixtureRequest) -> MemoryMap:
    content = DIGITS.read_bytes() if request.param == "digits" else generated.build(request.param)
    return memory_map(compile_model(content))


def test_nothing_lies_outside_the_arena(drawn: MemoryMap) -> None:
    assert all(use.value.offset + use.value.bytes <= drawn.arena_bytes for row in drawn.rows for use in row.uses)


def test_the_peak_is_what_makes_the_arena(drawn: MemoryMap) -> None:
    assert drawn.arena_bytes - 8 * len(drawn.peak.uses) <= drawn.peak.live_bytes <= drawn.arena_bytes


def test_every_operation_reads_and_writes_what_is_alive(drawn: MemoryMap) -> None:
    for row in drawn.rows:
        roles = [use.role for use in row.uses]
        assert any("written" in role for role in roles) and any("read" in role for role in roles)
        assert any(use.value.name == str(row.index) and use.role == "written" for use in row.uses)


def test_the_input_is_kept_to_the_end(drawn: MemoryMap) -> None:
    assert all(any(use.value.name == "input" for use in row.uses) for row in drawn.rows)


def test_bytes_that_two_values_share_count_once() -> None:
    shared = Row(0, 0, "ADD", (Use(FIRST, "read"), Use(Value("1", "", 5000, 2000, 0, 1), "written")))
    assert shared.live_bytes == 3000


def test_example_in_80_columns() -> None:
    assert printed(EXAMPLE, 80) == EXAMPLE_IN_80_COLUMNS.strip("\n")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(drawn: MemoryMap, width: int) -> None:
    assert all(len(line) <= width for line in printed(drawn, width).splitlines())


def test_bars_stay_whole_on_a_narrow_terminal() -> None:
    bars = [line for line in printed(EXAMPLE, 30).splitlines() if "█████" in line]
    assert len(bars) == 3 and len(bars[1]) > 30


def test_the_document_has_every_row() -> None:
    shown = report.document(EXAMPLE)
    assert (shown["peak_operation"], shown["peak_bytes"], shown["arena_bytes"]) == (1, 8200, 8200)
    assert shown["operations"][2]["values"][2] == {
        "value": "2",
        "what": "output of operation 2, SOFTMAX, 1 × 10",
        "role": "written",
        "offset": 4000,
        "bytes": 10,
    }
