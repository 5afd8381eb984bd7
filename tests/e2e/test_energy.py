"""The whole chain of energy: the board `unix`, an emulated meter on its wire protocol, the record, what is shown.

The emulated current is known, so the true energy of a window is: 27 mA times 3.3 V times its time on the board's clock.
Nothing here says how fast this computer is; on a busy one only the windows get longer.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from metered import bench, errors, stored
from tinympy.energy.importers import load_trace
from tinympy.energy.measurement import measure_marked


def test_energies_are_true_and_say_what_they_are_of(tmp_path: Path) -> None:
    run = bench(tmp_path, "emu:ppk2", "--rail", "3v3")
    assert run.returncode == 0, run.stderr
    record = stored(tmp_path)
    energy = record["energy"]
    assert record["mode"] == "energy" and energy["marks"] == "pin" and len(energy["windows"]) == 5
    assert sorted(map(abs, errors(record)))[2] < 0.001
    assert energy["meter"]["emulated"] and energy["meter"]["rail"] == "3v3"
    assert energy["idle_w"] == pytest.approx(0.010 * 3.3, rel=0.001)
    for window in energy["windows"]:
        assert window["net_j"] == pytest.approx(window["gross_j"] * 17 / 27, rel=0.002)
    shown = " ".join(run.stdout.split())
    assert re.search(
        r"energy digits: [\d.]+ µJ/inference, ±[\d.e-]+ % repeatability \(95 %, n=5\), ±1\d.\d % meter", shown
    )
    assert "gross, 3v3 rail, 3.30 V set, emulated ppk2, 89.1 mW; net of idling" in shown


def test_a_meter_that_stamps_one_direction_gets_pulses(tmp_path: Path) -> None:
    run = bench(tmp_path, "emu:lpm01a")
    assert run.returncode == 0, run.stderr
    record = stored(tmp_path)
    assert record["energy"]["marks"] == "pin" and record["energy"]["meter"]["voltage_basis"] == "measured"
    assert sorted(map(abs, errors(record)))[2] < 0.001
    assert record["energy"]["idle_w"] == pytest.approx(0.010 * 3.3, rel=0.001)


def test_the_recording_beside_the_record_gives_its_energies(tmp_path: Path) -> None:
    assert bench(tmp_path, "emu:ppk2", "--only-supply").returncode == 0
    record = stored(tmp_path)
    energy = record["energy"]
    assert energy["meter"]["only_supply"] is True
    file = tmp_path / energy["recording"]["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == energy["recording"]["sha256"]
    stamps = [0.0, *(end for window in energy["envelope"]["windows"] for end in window)]
    (tmp_path / "stamps.txt").write_text("\n".join(map(str, stamps)))
    trace = load_trace(str(file), timestamps=str(tmp_path / "stamps.txt"))
    read = measure_marked(trace, [window["n"] for window in record["windows"]])
    # Windows of half a second: a millisecond at an end is 0.13 % of the energy there.
    for mine, its in zip(read.windows, energy["windows"], strict=True):
        assert mine.energy_j == pytest.approx(its["gross_j"], rel=0.003)


def test_lost_samples_are_made_up_for_and_told(tmp_path: Path) -> None:
    # Of 20 at a time the counter tells how many; of more than 63 the times of arrival, which a busy computer blurs.
    run = bench(tmp_path, "emu:ppk2?lost=0.03&burst=20")
    assert run.returncode == 0, run.stderr
    record = stored(tmp_path)
    assert sorted(map(abs, errors(record)))[2] < 0.001
    assert all(window["coverage"] < 0.99 for window in record["energy"]["windows"])
    assert any("lost" in note for note in record["energy"]["notes"]) and "lost" in run.stdout


def test_without_a_trigger_the_preamble_places_the_windows(tmp_path: Path) -> None:
    run = bench(tmp_path, "emu:ppk2?trig=none")
    assert run.returncode == 0, run.stderr
    record = stored(tmp_path)
    assert record["energy"]["marks"] == "preamble"
    assert sorted(map(abs, errors(record)))[2] < 0.005


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mode", "energy"], "energy needs a meter"),
        (["--meter", "emu:ppk2", "--mode", "performance"], "a meter is for the energy mode"),
        (["--meter", "emu:ppk3"], "no emulated meter ppk3"),
        (["--meter", "emu:ppk2?colour=red"], "no option colour"),
        (["--meter", "ppk2:/dev/ttyACM0?v=3.3"], "does not see unix"),
        (["--meter", "emu:ppk2", "--board", "unix:2"], "2 boards and one meter"),
        (["--trigger", "15"], "--trigger, --rail and --only-supply are for a meter"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path: Path, options: list[str], message: str) -> None:
    command = [sys.executable, "-m", "tinympy", "bench", "digits", *options]
    run = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2 and message in run.stderr and not list(tmp_path.iterdir())


def test_meters_are_listed() -> None:
    run = subprocess.run([sys.executable, "-m", "tinympy", "meters"], capture_output=True, text=True, check=True)
    assert "emu:ppk2" in run.stdout and "joulescope" in run.stdout
