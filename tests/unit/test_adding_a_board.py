"""docs/adding-a-board.md shows the repository's own entry, and that is enough to recognise the board."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import firmware_replies as replies
from tinympy import attached, boards, identity
from tinympy.boards import registry

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-board.md").read_text()
EXCERPTS = re.findall(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_shows_the_entry_and_its_line_in_the_table() -> None:
    assert [path for path, _ in EXCERPTS] == ["host/tinympy/boards/registry.py", "docs/boards.md"]


@pytest.mark.parametrize(("path", "excerpt"), EXCERPTS)
def test_an_excerpt_is_the_text_of_the_repository(path: str, excerpt: str) -> None:
    assert excerpt in (ROOT / path).read_text()


def test_the_entry_of_the_page_is_all_that_it_takes() -> None:
    [entry] = eval(f"[{EXCERPTS[0][1]}]", vars(registry) | {"Board": boards.Board})
    assert entry == boards.known("rp2350")
    [machine] = re.findall(r'"([^"]* with [^"]*)"', PAGE.split("## 2.")[0])
    found = identity.parse(replies.reply("micropython", (1, 26, 0), machine, 0x1E06, "rp2"))
    board = attached.as_board(found, "COM3")
    assert (board.name, board.arch, board.port, board.heap_bytes) == (entry.name, entry.arch, "COM3", 200_000)
