"""Faults of a meter through `bench`: energy is refused with the reason, flagged, or true. Windows always stay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metered import bench, errors, stored

WINDOW_S = 0.2


@pytest.mark.parametrize(
    ("fault", "reason", "advice"),
    [
        ("fault=overcurrent", r"the current was beyond a PPK2's 1 A for [\d.]+ ms", "a meter for more"),
        ("fault=clipped", r"the current was beyond a PPK2's 1 A for [\d.]+ ms", "a meter for more"),
        ("fault=unplug:2", r"the PPK2 was unplugged \d\.\d s after the start", "plug it in"),
        ("lost=0.1&burst=20", r"window 1: only [89]\d\.\d% of .* 95% are needed, and 4 more", "record again"),
        ("trig=3", r"logic input 3 of the meter has 0 edges, the board's \d+ windows need \d\d", "trig=none"),
    ],
)
def test_energy_that_is_refused_leaves_the_windows(tmp_path: Path, fault: str, reason: str, advice: str) -> None:
    run = bench(tmp_path, f"emu:ppk2?{fault}", window_s=WINDOW_S)
    assert run.returncode == 5
    error, hint = run.stderr.splitlines()
    assert error.startswith("error: ") and re.search(reason, error)
    assert hint.startswith("hint: ") and advice in hint
    record = stored(tmp_path)
    assert (record["status"], record["energy"]) == ("failed", None) and re.search(reason, record["error"])
    assert len(record["windows"]) == 5 and "the run failed" in run.stdout


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("fault=corrupt", "the meter's calibration has R0 = 3.09e+27, which no PPK2 can have"),
        ("fault=short", "does not come to its end"),
        ("fault=other", "is no PPK2: it answered"),
    ],
)
def test_a_meter_that_makes_no_sense_is_refused_before_the_run(tmp_path: Path, fault: str, said: str) -> None:
    run = bench(tmp_path, f"emu:ppk2?{fault}", window_s=WINDOW_S)
    assert run.returncode == 5 and said in run.stderr and "hint: " in run.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fault", "flag"),
    [
        ("fault=usb", "the power in the windows is within 1% of the idle power: the board has a second supply"),
        ("active=0&idle=0", "show no current or a negative one: the board has a second supply"),
        ("spike=0.5&ripple=0.025&ripple_hz=2000", "of a switch of the meter's range"),
    ],
)
def test_energy_that_is_doubtful_is_flagged(tmp_path: Path, fault: str, flag: str) -> None:
    run = bench(tmp_path, f"emu:ppk2?{fault}", window_s=WINDOW_S)
    assert run.returncode == 0, run.stderr
    record = stored(tmp_path)
    assert any(flag in note for note in record["energy"]["notes"]) and any(flag in note for note in record["warnings"])
    assert " ".join(flag.split()) in " ".join(run.stdout.split())


def test_faults_that_do_no_harm(tmp_path: Path) -> None:
    run = bench(tmp_path, "emu:ppk2?fault=split,stale,garbage")
    assert run.returncode == 0, run.stderr
    record = stored(tmp_path)
    assert sorted(map(abs, errors(record)))[2] < 0.001
    assert any("samples lost" in note for note in record["energy"]["notes"])
