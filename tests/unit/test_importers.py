"""What holds for all formats: the same samples and energies out of each, and one clear error for a bad file."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_files import (
    EDGES,
    RECORDED,
    TRUE_J,
    eembc,
    energies,
    in_one_folder,
    jls,
    joulescope_csv,
    otii,
    ppk2_csv,
    ppk2_session,
    text,
)
from tinympy.energy.importers import KINDS, load_trace
from tinympy.errors import UsageError


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
