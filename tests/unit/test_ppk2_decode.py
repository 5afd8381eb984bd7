"""What a Power Profiler Kit II sends, decoded: calibration, samples, and where they are in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinympy.energy.emulated.ppk2 import _CONSTANTS as CONSTANTS
from tinympy.energy.meters import ppk2_decode as decode
from tinympy.energy.meters.ppk2_timeline import timeline
from tinympy.errors import MeterError

LINES = [f"{name}{k}: {values[k]}" for name, values in CONSTANTS.items() for k in range(5)]
REPLY = "\n".join(["Calibrated: 0", *LINES, "VDD: 3300", "HW: 9173", "mode: 2", "IA: 59", "END", ""]).encode()


def word(adc: int = 5000, which: int = 3, index: int = 0, bits: int = 0) -> int:
    return adc | which << 14 | (index & 63) << 18 | bits << 24


def read_every(kept: np.ndarray, seconds: float = 0.004, late_s: np.ndarray | None = None) -> list[tuple[float, bytes]]:
    """What a reader has of the samples with these numbers: a piece every few ms, each late by what is said."""
    words = np.array([word(index=int(k)) for k in kept], "<u4")
    pieces, at = [], 0
    for read in range(1, int(kept[-1] / 1e5 / seconds) + 2):
        end = int(np.searchsorted(kept, read * seconds * 1e5))
        late = 0.0 if late_s is None else float(late_s[read % len(late_s)])
        pieces.append((7.0 + read * seconds + late, words[at:end].tobytes()))
        at = end
    return pieces


def without(count: int, *losses: tuple[int, int]) -> np.ndarray:
    """Numbers of samples, without `size` of them from `start` on."""
    kept = np.ones(count, bool)
    for start, size in losses:
        kept[start : start + size] = False
    return np.flatnonzero(kept)


def test_constants_are_read() -> None:
    calibration = decode.read_calibration(REPLY)
    assert calibration.constants == CONSTANTS
    assert calibration.vdd == 3.3


def test_residue_before_the_constants_does_not_matter() -> None:
    assert decode.read_calibration(b"\x00\xf1END\x07: 3\n" + REPLY).constants == CONSTANTS


def test_the_reply_is_whole_with_its_last_line() -> None:
    ends = [at for at in range(len(REPLY) + 1) if decode.is_whole(REPLY[:at])]
    assert ends == [len(REPLY) - 1, len(REPLY)]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("R0", "3.09e27"), ("R3", "0.1"), ("R4", "0"), ("R1", "-100"), ("GI2", "1.2"), ("GS1", "1e5"), ("O3", "1e6"),
        ("S4", "nan"), ("I0", "inf"), ("UG2", "9"),
    ],
)  # fmt: skip
def test_a_constant_that_cannot_be_is_named(line: str, wrong: str) -> None:
    before = next(each for each in LINES if each.startswith(line))
    with pytest.raises(MeterError, match=rf"{line} = "):
        decode.read_calibration(REPLY.replace(before.encode(), f"{line}: {wrong}".encode()))


def test_constants_that_are_missing_are_named() -> None:
    cut = REPLY[: REPLY.index(b"\nI3")] + b"\nEND\n"
    with pytest.raises(MeterError, match=r"lacks I3, I4$"):
        decode.read_calibration(cut)


def test_firmware_without_user_gains_has_none() -> None:
    cut = b"\n".join(line for line in REPLY.splitlines() if not line.startswith(b"UG"))
    assert decode.read_calibration(cut).constants["UG"] == (1.0,) * 5


def test_a_current_is_the_makers_formula() -> None:
    constants = {name: values[3] for name, values in CONSTANTS.items()}
    x = (4 * 5000 - constants["O"]) * (1.8 / 163840) / constants["R"]
    expected = constants["UG"] * (x * (constants["GS"] * x + constants["GI"]) + constants["S"] * 3.3 + constants["I"])
    table = decode.Calibration(CONSTANTS).table(3.3)
    assert decode.currents(np.array([word(5000, 3)], np.uint32), table) == pytest.approx([expected], rel=1e-12)


def test_fields_of_a_word() -> None:
    words = np.array([word(1, 4, 63, 0x81), word(2, 0, 64, 0x02)], np.uint32)
    assert decode.ranges(words).tolist() == [4, 0]
    assert decode.inputs(words).tolist() == [0x81, 0x02]
    assert decode.counters(words).tolist() == [63, 0]


def test_a_range_that_does_not_exist_is_no_current() -> None:
    table = decode.Calibration(CONSTANTS).table(3.3)
    assert np.isnan(decode.currents(np.array([word(5000, which) for which in (5, 6, 7)], np.uint32), table)).all()


def test_samples_near_a_switch() -> None:
    near = decode.near_switches(np.array([0, 0, 3, 3, 3, 3, 3, 1, 1], np.uint8), 3)
    assert np.flatnonzero(near).tolist() == [2, 3, 4, 7, 8]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 9), max_size=200))
def test_pieces_of_any_size_give_the_same_samples(sizes: list[int]) -> None:
    data = np.array([word(index=k) for k in range(300)], "<u4").tobytes()
    pieces, at = [], 0
    for size in [*sizes, len(data)]:
        pieces.append((0.0, data[at : at + size]))
        at += size
    assert timeline(pieces).words.tobytes() == data


def test_no_bytes_are_no_samples() -> None:
    for chunks in ([], [(0.0, b"")], [(0.0, b"\x01\x02\x03")]):
        assert timeline(chunks).total == 0


@pytest.mark.parametrize("size", [1, 63, 65, 700, 6400 + 1, 20_000])
def test_a_loss_is_found_in_full(size: int) -> None:
    kept = without(60_000, (25_000, size))
    late = np.abs(np.random.default_rng(size).normal(0, 2e-4, 997))
    assert timeline(read_every(kept, late_s=late)).index.tolist() == kept.tolist()


def test_a_loss_that_the_counter_does_not_see_is_found() -> None:
    kept = without(100_000, (30_000, 64), (60_000, 128))
    placed = timeline(read_every(kept))
    assert placed.lost == 192
    # Between two reads it cannot be told where.
    assert np.abs(placed.index - kept).max() <= 128
    assert np.count_nonzero(placed.index != kept) < 1000


def test_many_losses() -> None:
    random = np.random.default_rng(3)
    kept = without(300_000, *[(int(at), int(random.integers(1, 200))) for at in range(5000, 290_000, 3000)])
    placed = timeline(read_every(kept, late_s=np.abs(random.normal(0, 2e-4, 997))))
    assert placed.lost == 300_000 - kept.size
    assert np.mean(placed.index != kept) < 0.05


@pytest.mark.parametrize("ppm", [-300, 300])
def test_a_clock_that_is_off_is_no_loss(ppm: int) -> None:
    chunks = [(time * (1 + ppm * 1e-6), data) for time, data in read_every(np.arange(1_000_000))]
    assert timeline(chunks).lost == 0


def test_a_reader_that_was_held_up_lost_nothing() -> None:
    chunks = read_every(np.arange(200_000))
    held = [(max(time, 7.9) if 7.5 < time < 7.9 else time, data) for time, data in chunks]
    assert timeline(held).lost == 0


@pytest.mark.parametrize("size", [1, 2, 3, 50, 4001])
def test_bytes_that_do_not_belong_there_are_left_out(size: int) -> None:
    words = np.array([word(index=k) for k in range(50_000)], "<u4").tobytes()
    chunks = read_every(np.arange(50_000))
    strange = np.random.default_rng(size).bytes(size)
    data = [data for _, data in chunks]
    data[40] = data[40][:402] + strange + data[40][402:]
    placed = timeline([(time, each) for (time, _), each in zip(chunks, data, strict=True)])
    assert placed.total == 50_000
    assert placed.lost < 150
    assert (placed.words == np.frombuffer(words, "<u4")[placed.index]).all()


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_bytes_that_are_missing_cost_few_samples(missing: int) -> None:
    words = np.array([word(index=k) for k in range(50_000)], "<u4")
    chunks = read_every(np.arange(50_000))
    data = [data for _, data in chunks]
    data[40] = data[40][:402] + data[40][402 + missing :]
    placed = timeline([(time, each) for (time, _), each in zip(chunks, data, strict=True)])
    assert placed.total == 50_000
    assert placed.lost < 30
    assert (placed.words == words[placed.index]).all()


def test_what_no_ppk2_sends_is_no_sample() -> None:
    assert timeline([(0.0, b"MicroPython v1.26.1 on 2025-09-11; Raspberry Pi Pico with RP2040\r\n>>> " * 20)]).total < 5
