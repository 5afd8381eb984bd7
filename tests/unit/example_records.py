"""Records for the tests of records, statistics and reports."""

import math
from collections.abc import Sequence
from pathlib import Path

from tinympy import assets
from tinympy.records import Accuracy, Board, DataSet, Engine, Host, Memory, Model, Record, Status, Task, Window

HOST = Host("Linux-6.1.0-28-amd64-x86_64-with-glibc2.36", "3.11.2", "AMD EPYC 7B13")
UNIX = Board("unix", "/dev/pts/3", "MicroPython v1.28.0", "6.3", "x64", None, False)
EMULATED = Board("rp2040-emu", "emulator", "MicroPython v1.28.0", "6.3", "armv6m", 125_000_000, True)
KWS01 = Task("kws01", "keyword spotting", True, 0.90)
AD01 = Task("ad01", "anomaly detection", True, 0.85)
SWW01 = Task("sww01", "streaming wake word", True, 0.84)
DIGITS = Task("digits", "handwritten digits", False)


def accuracy(metric: str = "top1", value: float = 0.901, n: int = 1000, wall_s: float = 2.1) -> Accuracy:
    return Accuracy(metric, value, n, "a6" * 32, n / wall_s, wall_s)


def official_sha256(task: str, name: str) -> str | None:
    """Of the official file or set of a task whose name begins so; None where there is none, or it is not known."""
    return next((each.sha256 for each in assets.ASSETS if each.task == task and each.name.startswith(name)), None)


def detections(found: int, missed: int, false: int) -> Accuracy:
    n = found + missed
    detail = {"true_positives": found, "false_negatives": missed, "false_positives": false}
    return Accuracy("detections", found / n, n, "a6" * 32, 0.5, 2.0, detail)


def record(
    task: Task = KWS01,
    board: Board = UNIX,
    latencies_us: Sequence[float] = (),
    window_s: float = 12.0,
    accuracy: Accuracy | None = None,
    full_n: int = 1000,
    memory: Memory | None = None,
    status: Status = "complete",
) -> Record:
    """One run; each latency makes one window of about `window_s`, of another input. Official files are real."""
    engine = Engine("native", "ab" * 32)
    model = Model(f"{task.name}.tflite", official_sha256(task.name, "models/") or "ae" * 32, 53_936)
    made = Record("2026-11-22T14:11:36Z", "0.1.0", "all", HOST, board, engine, task, model)
    for index, latency_us in enumerate(latencies_us):
        n = math.ceil(window_s * 1e6 / min(latencies_us))
        made.windows.append(Window(n, 10, round(latency_us * n), index, "2026-11-22T14:11:40Z"))
    made.accuracy = accuracy
    data_sha256 = official_sha256(task.name, f"datasets/{task.name}/*.bin") or "c2" * 32
    made.data_set = DataSet(data_sha256, accuracy.n if accuracy else len(made.windows), full_n)
    made.memory = memory or Memory(16_600, 30_208, 7_912, 1_998_000)
    made.status = status
    made.path = Path(f"results/20261122T141136Z-{board.name}-{task.name}-native.json")
    return made
