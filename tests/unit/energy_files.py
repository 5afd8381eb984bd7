"""One recording, and each format as its program writes it."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import energy_example as example
from tinympy.energy.measurement import measure
from tinympy.energy.trace import Trace

BOARD = example.windows([0.4, 0.5, 0.45], gap_s=0.4)
RECORDED = example.trace(BOARD, rate_hz=1e3, lead_s=0.5, tail_s=0.5, noise_a=1e-4)
currents = arrays.arrays(np.float64, st.integers(2, 30), elements=st.floats(1e-4, 0.5).map(lambda i: round(i, 9)))
in_one_folder = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EDGES = [(0.0, 0)] + [
    (0.5 + window.start_us / 1e6 + length, level)
    for window in BOARD
    for length, level in ((0.0, 1), (window.elapsed_us / 1e6, 0))
]


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
