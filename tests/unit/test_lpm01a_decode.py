"""What an LPM01A sends, decoded: lines and binary words, the marks between them, and what is missing."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinympy.energy.meters.lpm01a_decode import Stream, place, read_binary, read_text


def binary(*parts: list[int] | bytes) -> bytes:
    return b"".join(part if isinstance(part, bytes) else struct.pack(f">{len(part)}H", *part) for part in parts)


def stamp(ms: int, full: int = 1) -> bytes:
    return b"\xf0\xf3" + struct.pack(">IB", ms, full) + b"\xff\xff"


def test_lines() -> None:
    stream = read_text(
        b"\r\n6409-07\r\n2700-05\r\nTimeStamp: 001s 000ms, buff 93%\r\nevent 00 ris\r\n1000+00\r\n"
        b"PowerShield > Acquisition completed\r\n"
    )
    assert stream.values.tolist() == [640.9e-6, 27e-3, 1000.0]
    assert stream.stamps == [(2, 1000)] and stream.events == [2]
    assert (stream.fullest, stream.ended, stream.overcurrent, stream.problems) == (93, True, False, [])


def test_a_damaged_line_is_a_value_that_is_missing() -> None:
    assert np.isnan(read_text(b"6409-07\n640\n6409-0\n09-07\n64096409-07\n6409-07\n").values).tolist() == [
        False, True, True, True, True, False
    ]  # fmt: skip


def test_the_last_line_may_be_cut_off() -> None:
    assert read_text(b"6409-07\n6409-0").values.size == 1


def test_what_it_says_of_errors() -> None:
    stream = read_text(b"PowerShield > error: target disconnected\n")
    assert stream.problems == ["error: target disconnected"] and not stream.overcurrent
    assert read_text(b"PowerShield > error: overcurrent\n").overcurrent


def test_binary_values_and_marks() -> None:
    stream = read_binary(
        binary([0x52A0], stamp(1000, 97), [0x52A0, 0x0001], b"\xf0\xf2event 03 ris\xff\xff", [0x1001],
               b"\xf0\xf7\x0c\xe4\xff\xff", [0x1002], b"\xf0\xf4\xff\xff\r\nPowerShield > Acquisition completed")
    )  # fmt: skip
    assert stream.values.tolist() == [0x2A0 / 16**5, 0x2A0 / 16**5, 1.0, 1 / 16, 2 / 16]
    assert stream.stamps == [(1, 1000)] and stream.events == [3]
    assert stream.ended and stream.fullest == 97


@given(st.integers(0, 2**32 - 1), st.integers(0, 100))
def test_a_stamp_may_have_any_bytes(ms: int, full: int) -> None:
    stream = read_binary(binary([0x52A0] * 3, stamp(ms, full), [0x52A0] * 2))
    assert stream.stamps == [(3, ms)]
    assert stream.values.size == 5


def test_binary_overcurrent() -> None:
    assert read_binary(binary([0x52A0], b"\xf0\xf5\xff\xff")).overcurrent


def test_words_with_a_byte_missing_are_not_trusted() -> None:
    stream = read_binary(binary([0x52A0] * 4)[:-1] + stamp(1000) + binary([0x52A0] * 2))
    assert np.isnan(stream.values).tolist() == [True, True, True, False, False]


def test_missing_values_are_filled_up_to_their_stamp() -> None:
    values = np.arange(280.0)
    placed = place(Stream(values, [(100, 1000), (180, 2000), (280, 3000)], [50, 150, 200]), 100)
    assert placed.lost == 20
    assert np.flatnonzero(np.isnan(placed.values)).tolist() == list(range(180, 200))
    assert placed.values[200] == 180
    assert placed.edges.tolist() == [50, 150, 220]


def test_missing_values_are_where_one_cannot_be_read() -> None:
    values = np.arange(190.0)
    values[120] = np.nan
    placed = place(Stream(values, [(100, 1000), (190, 2000)], [110, 130]), 100)
    assert np.flatnonzero(np.isnan(placed.values)).tolist() == list(range(120, 131))
    assert placed.edges.tolist() == [110, 140]


@pytest.mark.parametrize("jitter", [(0, 0, 0), (1, 0, 1), (-1, 1, 0)])
def test_a_stamp_that_is_a_sample_off_is_no_loss(jitter: tuple[int, int, int]) -> None:
    stamps = [(100 * k + off, 1000 * k) for k, off in enumerate(jitter, 1)]
    assert place(Stream(np.zeros(320), stamps), 100).lost == 0
