"""`tinympy bench --task sww01` on the board `unix`: a whole recording, scored by the wake words found in it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinympy import records, tasks


def test_sww01_finds_on_the_board_what_the_reference_finds(tmp_path: Path) -> None:
    missing = tasks.get("sww01").missing()
    if missing:
        pytest.skip(f"{missing[0]} is missing: set TINYMPY_ASSETS")
    command = [sys.executable, "-m", "tinympy", "bench", "--task", "sww01", "--mode", "accuracy", "--json"]
    finished = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr
    [result] = json.loads(finished.stdout)
    record = records.read(Path(result["record"]))
    assert record.accuracy is not None and record.accuracy.detail == result["accuracy"]["detail"]
    if record.accuracy.n != 3:
        pytest.skip("a longer recording than the short one is here")
    assert result["accuracy"]["value"] == 2 / 3
    assert result["accuracy"]["detail"] == {
        "true_positives": 2,
        "false_negatives": 1,
        "false_positives": 0,
        "calibration_correct": 41,
        "calibration_samples": 45,
    }
