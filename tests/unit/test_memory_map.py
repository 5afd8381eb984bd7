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
    8160,
    (
        Row(0, 0, "CONV_2D", (Use(INPUT, "read"), Use(FIRST, "written"))),
        Row(1, 2, "CONV_2D", (Use(INPUT, "kept"), Use(FIRST, "read"), Use(SECOND, "written"), Use(SCRATCH, "written"))),
        Row(2, 3, "SOFTMAX", (Use(INPUT, "kept"), Use(SECOND, "read"), Use(THIRD, "written"))),
    ),
)

EXAMPLE_IN_80_COLUMNS = """
arena of 8200 bytes: each line is an operation, each bar a value
number: operation that writes it; █ input, state, ▚ scratch, ╳ in place, ▶ peak

   operation bytes  0              2050           4100           6150       8200
0  CONV_2D    4000                               0▓▓▓▓▓▓▓▓▓▓▓▓▓▓input██████████
1  CONV_2D    8200 ▶1▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒0▓▓▓▓▓▓▓▓▓▓▓▓▓▓input██████████▚
2  SOFTMAX    6010  1▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒░              input██████████

8200  alive at once during operation 1, CONV_2D: the peak
4000  output of operation 1, CONV_2D, 1 × 10 × 10 × 40, written (at 0)
2000  output of operation 0, CONV_2D, 1 × 10 × 10 × 20, read (at 4000)
2000  the model's input, kept so that an inference can be repeated (at 6000)
 200  scratch of the kernel (at 8000)
   0  lost to alignment, gaps, and operations in place, each a step below the
      one before
8200  arena: 40 above the lower bound of any plan
"""

# Operation 1 writes its output over its input, 200 bytes below it.
IN_PLACE = MemoryMap(
    4200,
    4200,
    (
        Row(0, 0, "CONV_2D", (Use(Value("0", "output of operation 0", 200, 4000, 0, 1), "written"),)),
        Row(
            1,
            1,
            "CONV_2D",
            (
                Use(Value("0", "output of operation 0", 200, 4000, 0, 1), "read"),
                Use(Value("1", "output of operation 1", 0, 3000, 1, 2), "written"),
            ),
        ),
    ),
)

IN_PLACE_IN_80_COLUMNS = """
arena of 4200 bytes: each line is an operation, each bar a value
number: operation that writes it; █ input, state, ▚ scratch, ╳ in place, ▶ peak

   operation bytes  0              1050           2100           3150       4200
0  CONV_2D    4000     0▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
1  CONV_2D    4200 ▶1▒▒╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳╳▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓

 4200  alive at once during operation 1, CONV_2D: the peak
 3000  output of operation 1, written (at 0)
 4000  output of operation 0, read (at 200)
-2800  shared: what is written takes the place of what has been read
    0  lost to alignment, gaps, and operations in place, each a step below the
       one before
 4200  arena: no plan takes less
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
    # The bound counts what lies lower and lower as well, and whole words.
    assert drawn.peak.live_bytes <= drawn.lower_bound_bytes + 3 * len(drawn.peak.uses)
    assert drawn.peak.live_bytes <= drawn.arena_bytes <= drawn.lower_bound_bytes * 1.01


def test_values_share_bytes_only_where_what_dies_is_overwritten(drawn: MemoryMap) -> None:
    for row in drawn.rows:
        for begin, end in row.shared:
            there = [u for u in row.uses if u.value.offset < end and begin < u.value.offset + u.value.bytes]
            assert sorted(use.role for use in there) in (["read", "written"], ["read", "read", "written"])
            assert all(use.value.last == row.index for use in there if use.role == "read")


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


def test_what_is_written_in_place_is_marked() -> None:
    assert printed(IN_PLACE, 80) == IN_PLACE_IN_80_COLUMNS.strip("\n")
    assert report.document(IN_PLACE)["operations"][1]["shared_bytes"] == 2800


def test_an_input_that_is_given_up_ends_with_its_reader() -> None:
    reused = memory_map(compile_model(DIGITS.read_bytes(), reuse_input=True))
    assert [any(use.value.name == "input" for use in row.uses) for row in reused.rows] == [
        True,
        *[False] * (len(reused.rows) - 1),
    ]


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
