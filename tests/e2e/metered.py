"""`bench digits` on the board unix with an emulated meter, its record, and how far that is from the truth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

WATTS = 0.027 * 3.3


def bench(folder: Path, meter: str, *options: str, window_s: float = 0.5) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tinympy", "bench", "digits", "--meter", meter, "--window", str(window_s)]
    return subprocess.run(
        [*command, *options, "--out", str(folder)], capture_output=True, text=True, timeout=120, check=False
    )


def stored(folder: Path) -> dict[str, Any]:
    [path] = folder.glob("*.json")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def errors(record: dict[str, Any]) -> list[float]:
    """Of each window's energy: by how much of the truth it is off."""
    pairs = zip(record["energy"]["windows"], record["windows"], strict=True)
    return [energy["gross_j"] / (WATTS * window["elapsed_us"] / 1e6) - 1 for energy, window in pairs]
