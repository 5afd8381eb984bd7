"""Garbage collections inside windows, on the real interpreter: found where they are, by what the heap has free."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from test_unix_board import SAMPLE, device_files
from tinympy import files, stability, transport
from tinympy.boards.unix import UnixBoard
from tinympy.dut import Dut
from tinympy.records import Record, Window

sys.path.append(str(Path(__file__).parents[1] / "unit"))
import example_records

SERVE = """
from tinympy.toy_model import ToyModel
from tinympy import dut

class Model(ToyModel):
    def run(self, first=0, last=1):
        ToyModel.run(self)
        if {0}:
            bytearray({0})

dut.serve(Model(490))
"""


def timed(allocated_bytes: int, counts: list[int]) -> Record:
    """Windows of `counts` inferences that allocate so much each, on a board with 400 kB of heap."""
    record = example_records.record(example_records.DIGITS)
    with UnixBoard(heap_bytes=400_000) as board, transport.open(board.port, board.interrupt) as link:
        files.write(link, files.differences(link, "/lib", device_files()))
        link.start(SERVE.format(allocated_bytes))
        dut = Dut(link, 5.0)
        dut.wait_ready()
        dut.load_input(SAMPLE)
        for n in [1, 4, *counts]:
            found = dut.timed(n, 0, 5.0)
            window = Window(n, 0, found.elapsed_us, 0, "", found.heap_free_bytes, found.heap_left_bytes)
            (record.calibration if n in (1, 4) else record.windows).append(window)
    return record


def collected(record: Record) -> list[str]:
    return [each.message for each in stability.notices(record) if "collected" in each.message]


@pytest.mark.parametrize("allocated_bytes", [100, 10_000])
def test_windows_that_use_up_the_heap_have_collections(allocated_bytes: int) -> None:
    few, many = 100_000 // allocated_bytes, 1_000_000 // allocated_bytes
    assert collected(timed(allocated_bytes, [few, many, few])) == ["memory was collected inside window 2"]


def test_windows_that_allocate_nothing_have_none() -> None:
    record = timed(0, [2000] * 2)
    assert collected(record) == []
    assert all(0 < (window.heap_free_bytes or 0) < 400_000 for window in record.windows)
