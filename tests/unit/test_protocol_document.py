"""docs/protocol.md says what the code does: its transcripts are executed, its tables compared."""

import re
import struct
from pathlib import Path

import pytest
from tinympy.device import dut, wire

from board_on_cpython import Line, board, talk

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", DOCUMENT, re.DOTALL)


def table(header):
    rows = DOCUMENT[DOCUMENT.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("transcript", blocks("transcript"))
def test_text_transcript(transcript):
    lines = transcript.splitlines()
    sent = "".join(line[2:] for line in lines if line.startswith("> "))
    expected = "".join(line[2:] + "\r\n" for line in lines if line.startswith("< "))
    assert talk(sent.encode()).decode() == expected


@pytest.mark.parametrize("transcript", blocks("frames"))
def test_frame_transcript(transcript):
    lines = transcript.splitlines()
    line = Line(b"".join(bytes.fromhex(text[2:]) for text in lines if text.startswith("> ")))
    board(line).loop()
    assert line.sent.hex(" ") == " ".join(text[2:] for text in lines if text.startswith("< "))


def test_layout_of_a_frame():
    rows = table("| offset |")
    assert [row[0] for row in rows] == ["0", "1", "2", "4", "8", "12", "12 + n"]
    assert [row[1] for row in rows] == ["1", "1", "2", "4", "4", "n", "4"]
    assert struct.calcsize(wire.HEADER) == 8
    assert wire.HEADER_BYTES == 12
    assert len(wire.encode(1, 1, bytes(5))) == 12 + 5 + 4


def test_kinds_and_codes():
    for kind, name, *_ in table("| kind | name |"):
        assert getattr(wire, name) == int(kind)
    for code, name, *_ in table("| code |"):
        assert getattr(wire, name) == int(code)
    assert (wire.START, wire.REPLY, wire.ERROR) == (2, 128, 255)
    assert struct.calcsize(wire.WINDOW) == 4 + 4 + 8 + 8 + 4 + 4
    assert struct.calcsize(wire.RANGE) == 2 + 2 + 4 and struct.calcsize(wire.ARENA) == 4 + 4


def test_numbers_in_the_text():
    assert wire.IDLE_RUN == 32 and "32 NUL bytes in a row" in DOCUMENT
    assert len(wire.IDLE) == 64 and "and 64 more" in DOCUMENT
    assert wire.ECHO_BYTES == 64 and "up to 64 bytes" in DOCUMENT
    assert wire.ARENA_BYTES == 2048 and "up to 2048" in DOCUMENT
    assert dut.COMMAND_CHARACTERS == 80 and "80th character" in DOCUMENT
