"""Checked code for the raw REPL, where Python itself stands for the board."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

from tinympy import checked
from tinympy.errors import BoardError


class Board:
    """What executes code like a raw REPL, and has DEFINITION already."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        assert checked.defined(self.execute(checked.DEFINITION))

    def execute(self, code: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(code, self.names)
        return said.getvalue()


@pytest.fixture
def board() -> Board:
    board = Board()
    board.names["done"] = []
    return board


def test_what_was_printed_comes_back(board: Board) -> None:
    code = "print('one', 2)\nprint(3, end='')\ndone.append(1)"
    assert checked.output(7, board.execute(checked.request(7, code))) == "one 2\n3"
    assert "print" not in board.names


def test_a_request_that_comes_again_is_answered_again_but_not_executed_again(board: Board) -> None:
    request = checked.request(7, "done.append(1)\nprint(len(done))")
    assert checked.output(7, board.execute(request)) == checked.output(7, board.execute(request)) == "1\n"
    assert checked.output(8, board.execute(checked.request(8, "print(len(done))"))) == "1\n"


def test_what_raised_is_an_error_that_comes_again_too(board: Board) -> None:
    request = checked.request(7, "done.append(1)\nraise OSError(28, 'full')")
    for _ in range(2):
        with pytest.raises(BoardError, match=r"OSError: \[Errno 28\] full"):
            checked.output(7, board.execute(request))
    assert board.names["done"] == [1]


def test_what_was_interrupted_is_not_executed_again(board: Board) -> None:
    request = checked.request(7, "done.append(1)\nraise KeyboardInterrupt\ndone.append(2)")
    with pytest.raises(KeyboardInterrupt):
        board.execute(request)
    with pytest.raises(BoardError, match="KeyboardInterrupt"):
        checked.output(7, board.execute(request))
    assert board.names["done"] == [1]


@pytest.mark.parametrize("make", [lambda code: checked.request(1234567, code), checked.program])
def test_no_damage_to_a_request_is_executed(board: Board, make: Any) -> None:
    request = make("done.append(1)")
    for at in range(len(request)):
        for damaged in (
            request[:at] + request[at + 1 :],
            request[:at] + request[at] + request[at:],
            request[:at] + chr(ord(request[at]) ^ 1) + request[at + 1 :],
            request[:at],
        ):
            if damaged != request:
                with contextlib.suppress(Exception):
                    board.execute(damaged)
    assert board.names["done"] == []


def test_no_damage_to_an_answer_is_taken_for_one(board: Board) -> None:
    answer = board.execute(checked.request(7, "print('some text')"))
    assert checked.output(7, answer) == "some text\n" and checked.output(8, answer) is None
    for at in range(len(answer)):
        for damaged in (answer[:at] + answer[at + 1 :], answer[:at] + "x" + answer[at + 1 :], answer[:at]):
            if damaged != answer:
                assert checked.output(7, damaged) is None


def test_what_is_started_finds_nothing_of_ours(board: Board) -> None:
    board.execute(checked.program("left = [name for name in globals() if name.startswith('_tinympy')]"))
    assert board.names["left"] == []
