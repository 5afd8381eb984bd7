"""How long the HTML report of 200 records takes, and how large it is: at most 5 s and 3 MB.

The records (6 tasks, 8 boards, several runs of each) are made here, with a seed: their figures are not measured.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tinympy.assets import ASSETS
from tinympy.records import (
    Accuracy,
    Board,
    DataSet,
    Engine,
    Host,
    Memory,
    Model,
    Program,
    Record,
    Task,
    Window,
    create,
)

RECORDS = 200
LIMIT_S, LIMIT_BYTES = 5.0, 3_000_000
# Name, title, target, metric, score, full data set, microseconds on a computer, arena, program.
TASKS = (
    ("kws01", "keyword spotting", 0.90, "top1", 0.901, 1000, 520, 10_284, 28_768),
    ("vww01", "visual wake words", 0.80, "top1", None, 1000, 2_300, 98_000, 330_000),
    ("ic01", "image classification", 0.85, "top1", 0.875, 200, 2_600, 36_500, 88_300),
    ("ad01", "anomaly detection", 0.85, "auc", 0.861, 248, 160, 1_408, 276_480),
    ("sww01", "streaming wake word", 0.84, "detections", 0.96, 50, 410, 22_000, 61_000),
    ("digits", "handwritten digits", None, "top1", 0.986, 360, 32, 3_100, 4_900),
)
# Name, architecture, clock, how many times slower than a computer, bytes of the native module.
BOARDS = (
    ("unix", "x64", None, 1.0, 36_560),
    ("rp2040", "armv6m", 125_000_000, 570.0, 19_600),
    ("rp2350", "armv7emsp", 150_000_000, 121.0, 18_200),
    ("esp32s3", "xtensawin", 240_000_000, 160.0, 22_400),
    ("esp32", "xtensawin", 240_000_000, 190.0, 22_400),
    ("nucleo_h743", "armv7emdp", 480_000_000, 31.0, 18_200),
    ("teensy41", "armv7emdp", 600_000_000, 24.0, 18_200),
    ("rp2040-emu", "armv6m", 125_000_000, 575.0, 19_600),
)


def make(folder: Path, count: int = RECORDS) -> None:
    """Writes `count` records into a folder."""
    dice = random.Random(6)
    host = Host("Linux-6.1.0-28-amd64-x86_64-with-glibc2.36", "3.11.2", "a made-up computer")
    for index in range(count):
        name, title, target, metric, score, full_n, base_us, arena, program = TASKS[index % len(TASKS)]
        board, arch, clock_hz, slower, module = BOARDS[index // len(TASKS) % len(BOARDS)]
        emulated = board.endswith("-emu")
        flash = program - 300 if program > 200_000 and arch == "armv6m" else 0
        weights = "generated" if score is None else "official" if target else None
        record = Record(
            f"2026-11-{1 + index // len(TASKS) // len(BOARDS):02}T12:{index % 60:02}:00Z",
            "0.1.0",
            "all" if score else "performance",
            host,
            Board(board, "/dev/ttyACM0", "MicroPython v1.28.0", "6.3", arch, clock_hz, emulated),
            Engine("native", "ab" * 32),
            Task(name, title, target is not None and score is not None, target if score else None),
            Model(f"{name}.tflite", _sha256(name, "models/") or f"{base_us:064x}", program, weights),
            memory=Memory(arena, program, module, 180_000 - arena, flash),
            program=Program("cd" * 32, program, arena, 12 + len(name)),
            data_set=DataSet(_sha256(name, f"datasets/{name}/*.bin") or "c2" * 32, full_n if score else 5, full_n),
            status="complete",
        )
        if weights == "generated":
            record.warnings.append("generated weights: no accuracy")
        latency_us = base_us * slower * dice.uniform(0.97, 1.03)
        for window in range(5):
            n = max(1, round(10.5e6 / latency_us))
            elapsed_us = round(n * latency_us * dice.uniform(0.995, 1.005))
            record.windows.append(Window(n, 10, elapsed_us, window, "2026-11-01T12:00:00Z"))
        if score:
            value = score if index % 37 else 0.7
            record.accuracy = Accuracy(metric, value, full_n, "a6" * 32, 400.0, full_n / 400.0)
        create(record, folder)


def _sha256(task: str, name: str) -> str | None:
    """Of the official file or set of a task whose name begins so, which the rules look for."""
    return next((each.sha256 for each in ASSETS if each.task == task and each.name.startswith(name)), None)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "records")
        page = folder / "report.html"
        command = [sys.executable, "-m", "tinympy", "report", str(folder / "records"), "-o", str(page)]
        walls_s = []
        for _ in range(3):
            started_s = time.perf_counter()
            subprocess.run(command, check=True)
            walls_s.append(time.perf_counter() - started_s)
        size = page.stat().st_size
    runs = ", ".join(f"{wall_s:.2f}" for wall_s in walls_s)
    print(f"{RECORDS} records, {len(TASKS)} tasks, {len(BOARDS)} boards as one HTML file")
    print(f"time  {min(walls_s):.2f} s, the best of {runs} s, with the start of Python; at most {LIMIT_S:g} s")
    print(f"size  {size / 1e6:.2f} MB; at most {LIMIT_BYTES / 1e6:g} MB")
    return 0 if min(walls_s) <= LIMIT_S and size <= LIMIT_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
