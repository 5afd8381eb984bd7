"""The boards as data, and the page that says where the data are from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinympy import boards
from tinympy.errors import UsageError

PAGE = (Path(__file__).parents[2] / "docs/boards.md").read_text()


def megahertz(clock_hz: int | None) -> str:
    return "–" if clock_hz is None else f"{clock_hz / 1e6:g}"


def kilobytes(size_bytes: int | None) -> str:
    return "–" if size_bytes is None else f"{size_bytes / 1000:.1f}"


def rows(text: str) -> list[tuple[str, ...]]:
    return [tuple(re.split(r" *\| *", line.strip("| "))) for line in text.splitlines() if line.startswith("| `")]


def test_the_page_says_which_pins_show_windows_and_why() -> None:
    listed = {
        name: pin.removeprefix("GP")
        for names, pin, _why in rows(PAGE.partition("## Pins")[2])
        for name in re.findall(r"`([\w-]+)`", names)
    }
    assert listed == {board.name: str(board.mark_pin) for board in boards.BOARDS if board.mark_pin is not None}


def test_the_page_says_what_the_data_say() -> None:
    assert rows(PAGE.partition("## Pins")[0]) == [
        (
            f"`{board.name}`",
            board.title,
            "–" if board.circuitpython else board.arch,
            megahertz(board.clock_hz),
            kilobytes(board.heap_bytes),
            kilobytes(board.largest_bytes),
            kilobytes(board.files_bytes),
        )
        for board in boards.BOARDS
    ]


def test_names_are_distinct() -> None:
    assert len({board.name for board in boards.BOARDS}) == len(boards.BOARDS)


def test_what_is_not_started_here_has_identities_to_recognise_it_by() -> None:
    for board in boards.BOARDS:
        assert (board.launch is None) == bool(board.usb)
        assert board.emulated or board.machine is not None


def test_only_a_process_takes_a_folder(tmp_path: Path) -> None:
    assert boards.get("unix", root=tmp_path).root == tmp_path
    with pytest.raises(UsageError, match="rp2040-emu has files of its own"):
        boards.get("rp2040-emu", root=tmp_path)


def test_an_unknown_board_is_refused_with_the_names_of_the_known_ones() -> None:
    for lookup in (boards.get, boards.known):
        with pytest.raises(UsageError, match="no board is called arduino") as caught:
            lookup("arduino")
        assert "rp2040" in caught.value.hint
