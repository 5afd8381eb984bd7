"""The whole kws01 accuracy run on the board `unix` (deploy, feed, collect): seconds and samples per second."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
COMMAND = [sys.executable, "-m", "tinympy", "bench", "--task", "kws01", "--mode", "accuracy", "--json", "--out"]


def main() -> int:
    walls, rates = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS):
            start = time.perf_counter()
            finished = subprocess.run([*COMMAND, folder], capture_output=True, text=True)
            walls.append(time.perf_counter() - start)
            if finished.returncode != 0:
                print(finished.stderr, end="", file=sys.stderr)
                return finished.returncode
            [result] = json.loads(finished.stdout)
            record = json.loads(Path(result["record"]).read_text())
            rates.append(record["accuracy"]["samples_per_s"])
    accuracy = result["accuracy"]
    print(f"kws01: top-1 {accuracy['value']}, {accuracy['n']} samples, outputs_sha256 {accuracy['outputs_sha256']}")
    print(f"whole command, {RUNS} runs: median {statistics.median(walls):.2f} s ({min(walls):.2f} … {max(walls):.2f})")
    print(f"deploy, feed and collect: median {statistics.median(rates):.0f} samples/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
