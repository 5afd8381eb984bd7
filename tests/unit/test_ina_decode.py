"""Lines of the recorder for INA219, INA226 and INA228, decoded."""

from __future__ import annotations

import numpy as np
import pytest

from tinympy.energy.meters.ina import Ina, Options
from tinympy.energy.meters.ina_decode import Header, decode, header, specification
from tinympy.energy.trace import Trace
from tinympy.errors import MeterError, UsageError

TICKS = 1 << 30
INA226 = Header("ina226", 0.1, 2.5e-5, 1.25e-3, 32767, 920, TICKS)
INA228 = Header("ina228", 0.1, 3.125e-6, 195.3125e-6, 524287, 300, TICKS)
JOULE = 16 * 3.2 * INA228.lsb_a


def decoded(header: Header, rows: list[tuple[int, ...]], between: bytes = b"") -> Trace:
    lines = [b",".join(b"%d" % value for value in row) + b"\r\n" for row in rows]
    half = len(lines) // 2
    said = b"".join(lines[:half]) + between + b"".join(lines[half:]) + b"# end\r\n\x04\x04>"
    return decode(said, header, specification(header.chip, header.shunt_ohm, 0.01, None))


def energy_j(trace: Trace, begin: float, end: float) -> float:
    ends = np.append(trace.t[1:], 2 * trace.t[-1] - trace.t[-2])
    lasts = np.clip(np.minimum(ends, end) - np.maximum(trace.t, begin), 0, None)
    return float(np.nansum(trace.i * trace.v * lasts))


def test_the_header_says_what_a_count_is() -> None:
    said = "# ina219 shunt=0.1 lsb=0.0001 volts=0.004 full=4000 round=1064 ticks=1073741824\r\n"
    assert header(said) == Header("ina219", 0.1, 1e-4, 4e-3, 4000, 1064, TICKS)


def test_another_first_line_is_refused() -> None:
    with pytest.raises(MeterError, match="hello"):
        header("hello")


def test_a_chip_that_lags_costs_a_window_no_more_than_a_part_of_a_round_at_its_ends() -> None:
    # 27 mA from 0.1 to 0.6 s, 10 mA else; read every 0.31 ms, each time the mean of the last round that has ended.
    def charge(at: float) -> float:
        return 0.010 * at + 0.017 * min(max(at - 0.1, 0.0), 0.5)

    rows, round_s = [], INA226.round_us / 1e6
    for us in range(5000, 700_000, 310):
        end = us / 1e6 // round_s * round_s
        mean = (charge(end) - charge(end - round_s)) / round_s
        rows.append((us, round(mean / INA226.lsb_a), 2640, int(100_000 <= us < 600_000)))
    trace = decoded(INA226, rows)
    assert trace.bits is not None
    begin, end = trace.t[np.flatnonzero(np.diff(trace.bits.astype(int))) + 1]
    missing = 0.027 * 3.3 * (end - begin) - energy_j(trace, begin, end)
    assert 0 <= missing < 0.6 * round_s * 0.017 * 3.3
    # It is not lost, it lies next to the window.
    assert energy_j(trace, 0.05, 0.65) == pytest.approx((0.027 * 0.5 + 0.010 * 0.1) * 3.3, rel=3e-4)


def test_currents_have_a_sign() -> None:
    trace = decoded(INA226, [(0, -400, 2640, 0), (1000, -400, 2640, 0), (2000, -400, 2640, 0)])
    assert np.allclose(trace.i, -0.01) and np.allclose(trace.v, 3.3)


def test_the_recorders_clock_wraps() -> None:
    start = TICKS - 1500
    trace = decoded(INA226, [((start + 1000 * k) % TICKS, 400, 2640, 0) for k in range(5)])
    assert trace.t.tolist() == pytest.approx([0.0, 0.001, 0.002, 0.003])


def test_a_reading_that_comes_much_too_late_stands_for_nothing() -> None:
    at = [0, 1000, 2000, 3000, 503_000, 504_000]
    trace = decoded(INA226, [(us, 400, 2640, 0) for us in at])
    assert np.flatnonzero(np.isnan(trace.i)).tolist() == [3]


def test_damaged_lines_are_counted_and_left_out() -> None:
    trace = decoded(INA226, [(1000 * k, 400, 2640, 0) for k in range(10)], between=b"12,x\r\n1,2,3\r\n")
    assert len(trace.t) == 9
    assert trace.notes == ("2 lines of the recorder were damaged",)


def test_a_clipped_range_is_said() -> None:
    trace = decoded(INA226, [(0, 32767, 2640, 0), (1000, 32767, 2640, 0), (2000, 40, 2640, 0)])
    assert "1 readings are beyond the shunt's range" in trace.notes[0]
    trace = decoded(INA228, [(0, 0, 16896, 0, 1), (1000, 9, 16896, 0, 1), (2000, 9, 16896, 0, 0)])
    assert "1 readings are beyond the shunt's range" in trace.notes[0]


@pytest.mark.parametrize("said", [b"", b"1,2,3,4\r\n# end"])
def test_less_than_two_lines_are_no_recording(said: bytes) -> None:
    with pytest.raises(MeterError, match="nothing that can be read"):
        decode(said, INA226, specification("ina226", 0.1, 0.01, None))


def test_a_window_has_the_energy_that_the_ina228_counted() -> None:
    counted = [(0, 0), (300_000, 100), (400_000, 150), (1_234_567, 1150), (1_334_567, 1200)]
    rows = [(us, joules, 16896, int(300_000 <= us < 1_234_567), 0) for us, joules in counted]
    trace = decoded(INA228, rows)
    assert energy_j(trace, 0.3, 1.234567) == pytest.approx(1050 * JOULE, rel=1e-9)
    assert energy_j(trace, 0.0, 0.3) == pytest.approx(100 * JOULE, rel=1e-9)
    assert energy_j(trace, 0.0, 9.9) == pytest.approx(1200 * JOULE, rel=1e-9)
    assert trace.bits is not None
    edges = trace.t[np.flatnonzero(np.diff(trace.bits.astype(int))) + 1]
    assert edges.tolist() == pytest.approx([0.3, 1.234567])
    # That is how well edges are known, and what the alignment takes for it.
    assert np.diff(trace.t).max() <= 1.000001e-3


def test_the_ina228s_accumulator_wraps() -> None:
    trace = decoded(INA228, [(0, (1 << 40) - 30, 16896, 0, 0), (1_000_000, 70, 16896, 0, 0)])
    assert energy_j(trace, 0.0, 1.0) == pytest.approx(100 * JOULE)


def test_a_supply_that_is_off_has_no_current() -> None:
    trace = decoded(INA228, [(0, 0, 0, 0, 0), (1000, 0, 0, 0, 0), (2000, 0, 0, 0, 0)])
    assert not trace.i.any()


def test_limits_are_those_of_chip_shunt_and_range() -> None:
    assert specification("ina219", 0.1, 0.01, None).offset_limit_a == pytest.approx(1e-3)
    assert specification("ina219", 0.05, 0.01, 320).offset_limit_a == pytest.approx(4e-3)
    assert specification("ina228", 0.1, 0.001, 160).offset_limit_a == pytest.approx(1e-5)
    assert specification("ina228", 0.1, 0.001, 160).gain_limits == pytest.approx((0.0065,))


def test_the_voltages_limit_holds_for_the_voltage_that_was_measured() -> None:
    trace = decoded(INA226, [(0, 0, 1440, 0), (1000, 0, 1440, 0), (2000, 0, 1440, 0)])
    assert trace.spec.voltage_limit == pytest.approx(0.001 + 7.5e-3 / 1.8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(chip="ina3221"), "ina3221"),
        (Options(chip="ina226", range_mv=40), "range of 40 mV"),
        (Options(shunt=0.0), "shunt of 0.0"),
        (Options(addr="forty"), "addr=forty"),
    ],
)
def test_options_that_cannot_be_are_refused(options: Options, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Ina("/dev/null", options)


def test_without_a_port_there_is_a_hint() -> None:
    with pytest.raises(MeterError) as raised, Ina("", Options()):
        pass
    assert "ina228:PORT" in raised.value.hint


def test_it_is_no_supply() -> None:
    with pytest.raises(MeterError, match="no supply"):
        Ina("/dev/null", Options()).power(3.3)
