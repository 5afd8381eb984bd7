"""Frames: any damage is noticed, and the next intact frame after it is received."""

import contextlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinympy.device import wire

from board_on_cpython import Line

FRAMES = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(max_size=600)), min_size=1, max_size=4
)
FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["corrupt", "drop", "duplicate", "insert"]),
        st.floats(0, 1),
        st.integers(1, 40),
        st.binary(min_size=1, max_size=40),
    ),
    min_size=1,
    max_size=3,
)


def damage(data, faults):
    for kind, where, count, noise in faults:
        at = int(where * (len(data) - 1))
        piece = data[at : at + count]
        if kind == "corrupt":
            piece = bytes(byte ^ (noise[i % len(noise)] or 1) for i, byte in enumerate(piece))
        elif kind == "drop":
            piece = b""
        elif kind == "duplicate":
            piece *= 2
        else:
            piece = noise + piece
        data = data[:at] + piece + data[at + count :]
    return data


def received(data):
    """All frames a receiver finds in `data`."""
    frames = []
    receiver = wire.Receiver(Line(data).read_into)
    with contextlib.suppress(EOFError):
        found = receiver.header(0)
        search_bytes = wire.HEADER_BYTES
        while True:
            while not found:
                found = receiver.hunt(search_bytes)
                search_bytes = 0
            payload = bytearray(receiver.length)
            found = receiver.payload(memoryview(payload))
            search_bytes = 0
            if found:
                frames.append((receiver.kind, receiver.sequence, bytes(payload)))
                found = receiver.header(0)
                search_bytes = wire.HEADER_BYTES
    return frames


def test_layout_of_a_frame():
    frame = wire.encode(0x04, 0x1234, b"abc")
    head = bytes([0x02, 0x04, 0x34, 0x12, 3, 0, 0, 0])
    check = struct.pack("<I", zlib.crc32(head))
    assert frame == head + check + b"abc" + struct.pack("<I", zlib.crc32(head + b"abc"))


@given(FRAMES)
def test_intact_frames_are_received(frames):
    assert received(b"".join(wire.encode(*frame) for frame in frames)) == frames


@given(FRAMES, FAULTS)
def test_damaged_frames_are_never_delivered_and_the_next_one_is(frames, faults):
    data = damage(b"".join(wire.encode(*frame) for frame in frames), faults)
    filling = bytes(max(len(payload) for _, _, payload in frames) + wire.CHECK_BYTES) + wire.IDLE
    last = (0x55, 0xAAAA, b"intact")
    got = received(data + filling + wire.encode(*last))
    assert got[-1] == last
    assert all(frame in frames for frame in got[:-1])


@given(st.binary(max_size=600), st.binary(max_size=300))
def test_frames_after_garbage_are_received_without_filling(payload, garbage):
    frame = (7, 8, payload)
    data = garbage.replace(b"\x02", b"\x03") + wire.encode(*frame)
    assert received(data) == [frame]


@given(st.integers(0, 7), st.integers(1, 255))
def test_a_damaged_header_never_holds(position, mask):
    frame = bytearray(wire.encode(wire.INFER, 9, bytes(20)))
    frame[position] ^= mask
    receiver = wire.Receiver(Line(bytes(frame)).read_into)
    assert not receiver.header(0)


@given(st.binary(max_size=100).map(lambda data: data.replace(b"\x02", b"").replace(b"\0", b"")))
def test_hunting_ends_on_an_idle_line_and_loses_nothing_after_it(garbage):
    line = Line(bytes(12) + garbage + b"x" + bytes(wire.IDLE_RUN) + b"name%")
    receiver = wire.Receiver(line.read_into)
    assert not receiver.header(0)
    assert not receiver.hunt(wire.HEADER_BYTES)
    assert line.received[line.position :] == b"name%"


def test_what_idle_sends_ends_any_hunt():
    for cut in range(1, 24):
        line = Line(wire.encode(wire.ECHO, 1, b"12345678")[:cut] + wire.IDLE + b"name%")
        receiver = wire.Receiver(line.read_into)
        found = receiver.header(0)
        if not found:
            assert not receiver.hunt(wire.HEADER_BYTES)
        else:
            assert not receiver.payload(memoryview(bytearray(receiver.length)))
            assert not receiver.hunt(0)
        assert line.received[line.position :].lstrip(b"\0") == b"name%"


def test_truncation_ends_in_silence_not_in_a_frame():
    frame = wire.encode(wire.INFER, 9, bytes(range(20)))
    for cut in range(len(frame)):
        with pytest.raises(EOFError):
            receiver = wire.Receiver(Line(frame[:cut]).read_into)
            receiver.header(0)
            receiver.payload(memoryview(bytearray(20)))
