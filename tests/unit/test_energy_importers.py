"""Every format is written by the test as its program writes it, and read back: the same samples, the same energies."""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import energy_example as example
from tinympy.energy.importers import KINDS, load_trace
from tinympy.energy.measurement import measure
from tinympy.energy.trace import Trace
from tinympy.errors import UsageError

BOARD = example.windows([0.4, 0.5, 0.45], gap_s=0.4)
RECORDED = example.trace(BOARD, rate_hz=1e3, lead_s=0.5, tail_s=0.5, noise_a=1e-4)

currents = arrays.arrays(np.float64, st.integers(2, 30), elements=st.floats(1e-4, 0.5).map(lambda i: round(i, 9)))
in_one_folder = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ppk2_csv(folder: Path, t: np.ndarray, i: np.ndarray, bits: np.ndarray | None, *, single: bool = False) -> Path:
    path = folder / "ppk.csv"
    names = "Timestamp(ms),Current(uA)"
    if bits is not None:
        names += ",D0,D1,D2,D3,D4,D5,D6,D7" if single else ",D0-D7"
    with path.open("w") as file:
        file.write(names + "\n")
        for k in range(len(t)):
            row = f"{t[k] * 1e3:.9g},{i[k] * 1e6:.3f}"
            if bits is not None:
                letters = [str(bits[k] >> n & 1) for n in range(8)]
                row += "," + (",".join(letters) if single else "".join(letters))
            file.write(row + "\n")
    return path


def ppk2_session(folder: Path, i: np.ndarray, bits: np.ndarray, rate_hz: float) -> Path:
    path = folder / "run.ppk2"
    raw = io.BytesIO()
    for current, each in zip(i, bits, strict=True):
        raw.write(np.float32(current * 1e6).astype("<f4").tobytes())
        pairs = sum((2 if each >> n & 1 else 1) << (2 * n) for n in range(8))
        raw.write(pairs.to_bytes(2, "big"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"metadata": {"samplesPerSecond": rate_hz}, "formatVersion": 2}))
        archive.writestr("session.raw", raw.getvalue())
    return path


def joulescope_csv(
    folder: Path, t: np.ndarray, i: np.ndarray, bits: np.ndarray | None, time: str = "timestamp"
) -> Path:
    path = folder / "js.csv"
    columns = [t, i, np.full(len(t), 3.3)] + ([bits] if bits is not None else [])
    header = f"{time},JS220-001234.current,JS220-001234.voltage" + (",JS220-001234.gpi[0]" if bits is not None else "")
    formats = ["%.6f", "%+9e", "%+9e", "%.3f"][: len(columns)]
    np.savetxt(path, np.stack(columns, axis=1), header=header, delimiter=",", fmt=formats)
    return path


def otii(folder: Path, t: np.ndarray, i: np.ndarray, edges: list[tuple[float, int]]) -> Path:
    def write(name: str, rows: list[str]) -> Path:
        path = folder / f"{name} - Arc.csv"
        path.write_text('"Timestamp","Value"\n' + "".join(row + "\n" for row in rows))
        return path

    write("Main voltage", [f"{at:.6f},3.3" for at in t[::4]])
    write("GPI1", [f"{at:.6f},{level}" for at, level in edges])
    return write("Main current", [f"{at:.6f},{each:.9g}" for at, each in zip(t, i, strict=True)])


def monsoon(folder: Path, t: np.ndarray, i: np.ndarray, *, seconds: bool = False, numpy_2: bool = False) -> Path:
    path = folder / "monsoon.csv"
    show: Callable[[float], str] = (lambda value: f"np.float64({value!r})") if numpy_2 else repr
    with path.open("w") as file:
        file.write("Time(ms),Main(mA),Main Voltage(V),\n")
        for at, each in zip(t, i, strict=True):
            file.write(f"{show(float(at if seconds else at * 1e3))},{show(float(each * 1e3))},{show(3.3)},\n")
    return path


def eembc(folder: Path, i: np.ndarray, stamps: list[float] | None, rate_hz: float = 1e3) -> Path:
    path = folder / "trace1-energy.bin"
    content = np.concatenate(([rate_hz], i * 3.3 / rate_hz * 1e6)).astype("<f4").tobytes()
    path.write_bytes(b"\xf1" + content)
    if stamps is not None:
        (folder / "trace1-timestamps.json").write_text(json.dumps(stamps, indent="\t"))
    return path


def jls(folder: Path, i: np.ndarray, bits: np.ndarray, rate_hz: int, serial: str = "001234") -> Path:
    pyjls = pytest.importorskip("pyjls")
    path = folder / "run.jls"
    with pyjls.Writer(str(path)) as writer:
        writer.source_def(source_id=1, name=f"JS220-{serial}", vendor="Jetperch", model="JS220", serial_number=serial)
        kinds = pyjls.DataType
        for key, name, kind in ((1, "current", kinds.F32), (2, "voltage", kinds.F32), (3, "gpi[0]", kinds.U1)):
            writer.signal_def(key, 1, data_type=kind, sample_rate=rate_hz, name=name, units="A")
        writer.fsr(1, 0, i.astype(np.float32))
        writer.fsr(2, 0, np.full(len(i), 3.3, np.float32))
        writer.fsr(3, 0, np.packbits(bits, bitorder="little"))
    return path


def text(folder: Path, content: str, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def energies(trace: Trace) -> list[float]:
    return [window.energy_j for window in measure(trace, BOARD).windows]


TRUE_J = energies(RECORDED)
EDGES = [(0.0, 0)] + [
    (0.5 + window.start_us / 1e6 + length, level)
    for window in BOARD
    for length, level in ((0.0, 1), (window.elapsed_us / 1e6, 0))
]


def every_format(folder: Path) -> dict[str, tuple[Path, dict[str, str]]]:
    """The same recording in each format, and the options that it needs."""
    t, i, bits = RECORDED.t, RECORDED.i, RECORDED.bits
    plain = np.stack((t * 1e3, i * 1e3, bits), axis=1)
    np.savetxt(
        folder / "plain.csv", plain, delimiter=",", header="time (ms),current (mA),trigger", comments="", fmt="%.9g"
    )
    stamps = [0.013] + [round(at, 3) for at, _ in EDGES[1:]]
    folders = {name: folder / name for name in ("otii", "eembc")}
    for each in folders.values():
        each.mkdir()
    volts = {"volts": "3.3"}
    return {
        "ppk2-csv": (ppk2_csv(folder, t, i, bits), volts),
        "ppk2": (ppk2_session(folder, i, bits, 1e3), volts),
        "joulescope-csv": (joulescope_csv(folder, t, i, bits), {}),
        "jls": (jls(folder, i, bits, 1000), {}),
        "otii": (otii(folders["otii"], t, i, EDGES), {}),
        "eembc": (eembc(folders["eembc"], i, stamps), volts),
        "csv": (folder / "plain.csv", volts),
    }


def test_each_format_is_recognised_and_gives_the_same_energies(tmp_path: Path) -> None:
    pytest.importorskip("pyjls")
    for kind, (path, options) in every_format(tmp_path).items():
        for named in (None, kind):
            trace = load_trace(path, named, **options)
            # The runner's own sum of sample periods moves an edge by a sample.
            assert energies(trace) == pytest.approx(TRUE_J, rel=2e-3 if kind == "eembc" else 2e-6), kind
            assert trace.spec.rate_hz == pytest.approx(1e3, rel=1e-6), kind


def test_a_monsoon_has_no_trigger_but_the_same_samples(tmp_path: Path) -> None:
    assert "monsoon" in KINDS
    for seconds in (False, True):
        for numpy_2 in (False, True):
            trace = load_trace(monsoon(tmp_path, RECORDED.t, RECORDED.i, seconds=seconds, numpy_2=numpy_2))
            assert trace.spec.name == "monsoon"
            assert trace.t == pytest.approx(RECORDED.t)
            assert trace.i == pytest.approx(RECORDED.i)
            assert trace.bits is None
            assert any("has seconds" in note for note in trace.notes) == seconds


def test_samples_that_a_monsoon_stamps_together_are_spread(tmp_path: Path) -> None:
    t = np.repeat(np.arange(20) * 10e-3, 5)
    trace = load_trace(monsoon(tmp_path, t, np.full(100, 0.02)))
    assert trace.t == pytest.approx(np.arange(100) * 2e-3)


@given(currents, st.booleans(), st.data())
@in_one_folder
def test_ppk2_csv_round_trip(tmp_path: Path, i: np.ndarray, single: bool, data: st.DataObject) -> None:
    bits = data.draw(arrays.arrays(np.uint8, len(i)))
    t = 0.12 + np.arange(len(i)) / 1e5
    trace = load_trace(ppk2_csv(tmp_path, t, i, bits, single=single), volts="3.3")
    assert trace.t == pytest.approx(t)
    assert trace.i == pytest.approx(i, abs=1e-9)
    assert (trace.bits == bits).all()


@given(currents, st.data())
@in_one_folder
def test_ppk2_session_round_trip(tmp_path: Path, i: np.ndarray, data: st.DataObject) -> None:
    bits = data.draw(arrays.arrays(np.uint8, len(i)))
    trace = load_trace(ppk2_session(tmp_path, i, bits, 1e5), volts="3.3")
    assert trace.i == pytest.approx(i, rel=1e-6)
    assert (trace.bits == bits).all()
    assert trace.spec.rate_hz == 1e5


@given(
    currents, st.sampled_from(["s", "ms", "us"]), st.sampled_from(["A", "mA", "uA"]), st.sampled_from([",", ";", "\t"])
)
@in_one_folder
def test_generic_csv_round_trip(tmp_path: Path, i: np.ndarray, time: str, current: str, delimiter: str) -> None:
    scale = {"s": 1, "ms": 1e3, "us": 1e6, "A": 1, "mA": 1e3, "uA": 1e6}
    rows = [f"{k / 1e3 * scale[time]!r}{delimiter}{each * scale[current]!r}" for k, each in enumerate(i.tolist())]
    path = text(tmp_path, "\n".join([f"Time ({time}){delimiter}Current [{current}]", *rows]))
    trace = load_trace(path, volts="5")
    assert trace.i == pytest.approx(i)
    assert trace.t == pytest.approx(np.arange(len(i)) / 1e3)
    assert trace.v == 5.0


@given(currents)
@in_one_folder
def test_eembc_round_trip(tmp_path: Path, i: np.ndarray) -> None:
    trace = load_trace(eembc(tmp_path, i, None), volts="3.3")
    assert trace.i == pytest.approx(i, rel=1e-6)
    assert "no file of timestamps" in trace.notes[0]


def test_the_power_profilers_mark_of_a_lost_sample_is_nothing(tmp_path: Path) -> None:
    i, bits = np.full(1000, 0.02), np.full(1000, 1, np.uint8)
    i[100:130], bits[100:130] = 0.2e-6, 0
    t = np.arange(1000) / 1e5
    for path in (ppk2_csv(tmp_path, t, i, bits), ppk2_session(tmp_path, i, bits, 1e5), ppk2_csv(tmp_path, t, i, None)):
        trace = load_trace(path, volts="3.3")
        assert np.flatnonzero(np.isnan(trace.i)).tolist() == list(range(100, 130))
        assert trace.notes == ("30 samples were lost while recording",)


def test_a_sleeping_board_may_draw_200_na(tmp_path: Path) -> None:
    i = np.full(1000, 0.2e-6)
    i[::2] = 0.3e-6
    assert np.isfinite(load_trace(ppk2_csv(tmp_path, np.arange(1000) / 1e5, i, None), volts="3.3").i).all()


def test_x_is_high_and_a_dash_is_nothing(tmp_path: Path) -> None:
    head = "Timestamp(ms),Current(uA),D0-D7\n"
    assert load_trace(text(tmp_path, head + "0,1.5,-0X10000\n1,1.5,-0010000\n"), volts="3").bits.tolist() == [12, 8]
    assert load_trace(text(tmp_path, head + "0,1.5,--------\n1,1.5,--------\n"), volts="3").bits is None


def test_the_power_profilers_columns_are_optional(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "Current(uA)\n20000.000\n21000.000\n"), volts="3")
    assert trace.t == pytest.approx([0, 1e-5])
    assert trace.i == pytest.approx([0.020, 0.021])


def test_rows_that_are_missing_are_lost_samples(tmp_path: Path) -> None:
    keep = np.ones(1000, bool)
    keep[[10, 200, 201, 202, 700]] = False
    t, i = np.arange(1000) / 1e4, np.full(1000, 0.02)
    trace = load_trace(ppk2_csv(tmp_path, t[keep], i[keep], None), volts="3.3")
    assert np.count_nonzero(np.isnan(trace.i)) == 3
    assert "5 samples are missing in 3 places of the file" in trace.notes
    assert trace.spec.rate_hz == pytest.approx(1e4)


def test_the_accuracy_of_a_ppk2_depends_on_its_range(tmp_path: Path) -> None:
    t = np.arange(100) / 1e5
    for amps, gain in ((0.02, 0.10), (0.08, 0.15)):
        trace = load_trace(ppk2_csv(tmp_path, t, np.full(100, amps), None), volts="3.3")
        assert trace.spec.gain_limits == (gain,)
    assert load_trace(tmp_path / "ppk.csv", volts="3.3", gain="0.02").spec.gain_limits == (0.02,)


def test_volts_that_are_given_are_assumed_and_those_in_the_file_measured(tmp_path: Path) -> None:
    path = joulescope_csv(tmp_path, RECORDED.t, RECORDED.i, None, time="time")
    assert load_trace(path).spec.voltage_basis == "measured"
    assert load_trace(path).v == pytest.approx(np.full(len(RECORDED.t), 3.3))
    assert load_trace(path, volts="5").spec.voltage_basis == "assumed"
    assert load_trace(path, volts="5").v == 5.0


def test_joulescopes_old_export_has_two_bare_columns(tmp_path: Path) -> None:
    path = text(tmp_path, "0.02,3.3\n0.021,3.2\n")
    trace = load_trace(path, "joulescope-csv", rate="2e6")
    assert trace.t == pytest.approx([0, 5e-7])
    assert trace.v == pytest.approx([3.3, 3.2])
    with pytest.raises(UsageError, match="without names"):
        load_trace(path, "joulescope-csv")


def test_jls_knows_its_instrument(tmp_path: Path) -> None:
    trace = load_trace(jls(tmp_path, RECORDED.i, RECORDED.bits, 1000))
    assert (trace.spec.name, trace.spec.serial, trace.spec.voltage_basis) == ("joulescope", "001234", "measured")
    assert (trace.bits == RECORDED.bits).all()


def test_lost_samples_of_jls_are_nan(tmp_path: Path) -> None:
    i = RECORDED.i.copy()
    i[50:60] = np.nan
    assert np.flatnonzero(np.isnan(load_trace(jls(tmp_path, i, RECORDED.bits, 1000)).i)).tolist() == list(range(50, 60))


def test_jls_without_pyjls_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = jls(tmp_path, RECORDED.i, RECORDED.bits, 1000)
    monkeypatch.setitem(sys.modules, "pyjls", None)
    with pytest.raises(UsageError, match="pyjls") as caught:
        load_trace(path)
    assert "tinympy[joulescope]" in caught.value.hint


def test_otii_takes_a_folder_and_refuses_two_devices_in_one(tmp_path: Path) -> None:
    path = otii(tmp_path, RECORDED.t, RECORDED.i, EDGES)
    assert energies(load_trace(tmp_path)) == pytest.approx(TRUE_J, rel=1e-6)
    path.with_name("Main current - Ace.csv").write_text(path.read_text())
    with pytest.raises(UsageError, match="several files"):
        load_trace(tmp_path)
    assert energies(load_trace(path)) == pytest.approx(TRUE_J, rel=1e-6)


def test_otiis_limit_holds_in_its_low_range_only(tmp_path: Path) -> None:
    assert load_trace(otii(tmp_path, RECORDED.t, RECORDED.i, EDGES)).spec.gain_limits == ()
    assert load_trace(otii(tmp_path, RECORDED.t, RECORDED.i / 2, EDGES)).spec.gain_limits == (1e-3,)


def test_timestamps_may_be_text_and_lie_elsewhere(tmp_path: Path) -> None:
    path = eembc(tmp_path, RECORDED.i, None)
    stamps = [0.01] + [round(at, 3) for at, _ in EDGES[1:]]
    other = text(tmp_path, "".join(f"{at}\n" for at in stamps), "marks.txt")
    assert energies(load_trace(path, volts="3.3", timestamps=str(other))) == pytest.approx(TRUE_J, rel=2e-3)
    other.rename(tmp_path / "TIMESTAMPS.txt")
    assert energies(load_trace(path, volts="3.3")) == pytest.approx(TRUE_J, rel=2e-3)
    assert len(load_trace(path, volts="3.3", opening="no").edges) == 7


def test_the_edges_of_a_runners_file_are_those_that_the_runner_uses(tmp_path: Path) -> None:
    """Summing 1 ms 60000 times comes out a little below or above 60 s: there the next sample is the first one."""
    times = [0.5, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    trace = load_trace(eembc(tmp_path, np.full(61_000, 0.02), times), volts="3.3")
    at, expected = 0.0, []
    samples = iter(range(61_000))
    index = next(samples)
    for stamp in times[1:]:
        while at < stamp:
            at += 0.001
            index = next(samples)
        expected.append(index / 1e3)
    assert list(trace.edges) == expected
    assert expected != times[1:]


def test_a_headerless_table_needs_its_columns(tmp_path: Path) -> None:
    path = text(tmp_path, "0,20,1\n1,21,0\n2,22,0\n")
    with pytest.raises(UsageError, match="no column looks like a current"):
        load_trace(path, volts="3.3")
    trace = load_trace(
        path, volts="3.3", time="1", time_unit="ms", current="2", current_unit="mA", trigger="3", threshold="0.5"
    )
    assert trace.i == pytest.approx([0.020, 0.021, 0.022])
    assert trace.t == pytest.approx([0, 1e-3, 2e-3])
    assert trace.bits.tolist() == [1, 0, 0]


def test_commas_for_points_are_understood_between_semicolons(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "Zeit [ms];Strom [mA]\n0,5;20,25\n1,5;21,5\n"), volts="5", time="1", current="2")
    assert trace.i == pytest.approx([0.02025, 0.0215])
    assert trace.t == pytest.approx([0, 1e-3])


def test_a_usb_meters_table_is_read_by_its_names(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "time,voltage,current\n0.0,5.1,0.10\n0.5,5.0,0.11\n1.0,5.0,0.12\n"))
    assert trace.v == pytest.approx([5.1, 5.0, 5.0])
    assert len([note for note in trace.notes if "names no unit" in note]) == 3


def test_irregular_times_have_no_rate_and_no_gaps(tmp_path: Path) -> None:
    trace = load_trace(text(tmp_path, "t (s),i (mA)\n0,20\n1,20\n1.3,20\n4,20\n4.2,20\n"), volts="5")
    assert trace.spec.rate_hz is None
    assert np.isfinite(trace.i).all()


GOOD = "Timestamp(ms),Current(uA)\n0,20000.0\n1,20000.0\n"

BAD = {
    "nothing": b"",
    "header alone": b"Timestamp(ms),Current(uA)\n",
    "one sample": b"Timestamp(ms),Current(uA)\n0,20000.0\n",
    "a row cut off": GOOD.encode() + b"2\n",
    "letters": GOOD.encode() + b"2,abc\n3,20000\n",
    "time goes back": GOOD.encode() + b"0.5,20000.0\n",
    "time stands still": GOOD.encode() + b"1,20000.0\n",
    "no current": b"Timestamp(ms),Current(uA)\n0,nan\n1,nan\n",
    "words": b"hello\nworld\n",
    "latin-1": b"t (s),i (\xb5A)\n0,1\n1,1\n",
    "bytes": bytes(range(256)) * 4,
    "zeros": bytes(1000),
    "another zip": None,
    "damaged zip": b"PK\x03\x04" + bytes(100),
    "damaged jls": b"jlsfmt\r\n \n \x1a  \xb2\x1c" + bytes(200),
    "energy ends in a sample": b"\xf1" + np.array([1000, 1, 1], "<f4").tobytes()[:-1],
    "energy without a sample": b"\xf1" + np.array([1000], "<f4").tobytes(),
    "energy at no rate": b"\xf1" + np.array([np.nan, 1, 1], "<f4").tobytes(),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_clear_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    content = BAD[name]
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("else.txt", "x")
    else:
        path.write_bytes(content)
    if name == "damaged jls":
        pytest.importorskip("pyjls")
    with pytest.raises(UsageError) as caught:
        load_trace(path, volts="3.3")
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_the_line_of_a_damaged_row_is_named(tmp_path: Path) -> None:
    for row in ("2,abc", "2"):
        with pytest.raises(UsageError, match="line 4"):
            load_trace(text(tmp_path, GOOD + row + "\n3,20000\n"), volts="3.3")


@given(st.binary(max_size=300))
@in_one_folder
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    for kind in (None, *(each for each in KINDS if each != "jls")):
        try:
            load_trace(path, kind, volts="3.3")
        except UsageError:
            continue


@given(st.text('0123456789.,;\n\t "tiA()nane-+#', max_size=200))
@in_one_folder
def test_any_text_is_read_or_refused(tmp_path: Path, content: str) -> None:
    for header in (
        "",
        "Timestamp(ms),Current(uA),D0-D7\n",
        '"Timestamp","Value"\n',
        "Time(ms),Main(mA),Main Voltage(V),\n",
    ):
        try:
            load_trace(text(tmp_path, header + content, "Main current - Arc.csv"), volts="3.3")
        except UsageError:
            continue


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no voltage"),
        ({"volts": "0"}, "no supply"),
        ({"volts": "abc"}, "not a number"),
        ({"volts": "3.3", "gain": "10"}, "no limit"),
        ({"volts": "3.3", "colour": "red"}, "no option colour"),
    ],
)
def test_wrong_options_say_so(options: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        load_trace(text(tmp_path, GOOD), **options)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        load_trace(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="no recording of a kind x"):
        load_trace(text(tmp_path, GOOD), "x")
    with pytest.raises(UsageError, match="no recording of a known kind"):
        load_trace(tmp_path)
    with pytest.raises(UsageError, match="cannot read"):
        load_trace(eembc(tmp_path, RECORDED.i, None), timestamps=str(tmp_path / "none.json"))


@pytest.mark.parametrize("stamps", ["[1, 2", '["a"]', "[2, 1]", "[]", "{}", "[1, 99]", "[-1, 1]", "null", "[null]"])
def test_damaged_timestamps_say_so(stamps: str, tmp_path: Path) -> None:
    path = eembc(tmp_path, RECORDED.i, None)
    text(tmp_path, stamps, "trace1-timestamps.json")
    with pytest.raises(UsageError, match=r"trace1-timestamps\.json"):
        load_trace(path)
