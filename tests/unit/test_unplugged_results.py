"""What a board wrote by itself is read as far as it is whole, and as of one run only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tinympy import unplugged
from tinympy.errors import BoardError

KEY = "0123456789abcdef"


def lines(*entries: dict[str, Any]) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def window(index: int, n: int = 100, counts: bool = True) -> dict[str, Any]:
    begin_us = 1_000_000 * index
    times = [n, 10, begin_us + 5, begin_us + 250_005, 4000, 3900, begin_us, begin_us + 250_000]
    return {"window": times, "counts": counts, "input": index}


HEAD = {"run": KEY, "n": 100}
WHOLE = lines(HEAD, {"preamble_us": 7}, *map(window, range(5)), {"end": 5})


def test_a_whole_run() -> None:
    found = unplugged.parse(WHOLE, KEY)
    assert found.problem is None and found.preamble_us == 7 and len(found.windows) == len(found.heard) == 5
    assert [each.input_index for each in found.windows] == [0, 1, 2, 3, 4]
    assert {(each.n, each.warmup, each.elapsed_us) for each in found.windows} == {(100, 10, 250_000)}
    assert (found.windows[0].heap_free_bytes, found.windows[0].heap_left_bytes) == (4000, 3900)
    assert [each.begin_us for each in found.heard] == [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]


def test_a_first_window_that_is_too_short_is_heard_and_does_not_count() -> None:
    found = unplugged.parse(lines(HEAD, window(0, 50, counts=False), window(1), window(2)), KEY)
    assert [each.n for each in found.calibration] == [50] and [each.n for each in found.windows] == [100, 100]
    assert [each.n for each in found.heard] == [50, 100, 100]


def test_wherever_power_is_lost_whole_windows_are_left() -> None:
    first = WHOLE.index("\n") + 1
    for at in range(first):
        with pytest.raises(BoardError, match="another run"):
            unplugged.parse(WHOLE[:at], KEY)
    for at in range(first, len(WHOLE)):
        whole = sum(row.startswith('{"window"') for row in WHOLE[:at].split("\n")[:-1])
        found = unplugged.parse(WHOLE[:at], KEY)
        assert len(found.windows) == whole
        assert (found.problem is None) == (whole == 5)
        assert found.problem is None or f"cut off in window {whole + 1}" in found.problem


def test_what_the_board_raised_is_the_problem() -> None:
    found = unplugged.parse(lines(HEAD, window(0), {"error": "MemoryError: 12 bytes"}), KEY)
    assert found.problem == "the board raised MemoryError: 12 bytes" and len(found.windows) == 1
    assert unplugged.parse(lines({"error": "OSError: 2"}), KEY).problem == "the board raised OSError: 2"


@pytest.mark.parametrize(
    "text",
    [
        lines({"run": "another", "n": 1}, window(0)),
        lines(window(0)),
        lines({"run": "another", "n": 1}, {"error": "OSError: 2"}),
        WHOLE.replace("[100,", "[100, 100,"),
        WHOLE.replace('"counts": true, ', ""),
        WHOLE.replace("{", "", 1),
        WHOLE.replace('"window"', '"widow"'),
        lines(HEAD) + "[1]\n",
    ],
)
def test_other_runs_and_damage_are_refused(text: str) -> None:
    with pytest.raises(BoardError) as caught:
        unplugged.parse(text, KEY)
    assert caught.value.hint
