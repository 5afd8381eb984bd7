"""How much longer 16 boards take than one: `tinympy bench --board unix:16` beside `--board unix`, in turn.

Prints the median wall time of each, of the command as a user starts it, and what Python needs to start.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--window", default="2.5", help="length of each of the five windows in seconds")
    options = parser.parse_args()
    names = ("unix", f"unix:{options.boards}")
    walls_s: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(options.repeat):
        for name in names:
            walls_s[name].append(_bench(name, options.window))
    one_s, all_s = (statistics.median(walls_s[name]) for name in names)
    for name in names:
        low, high = min(walls_s[name]), max(walls_s[name])
        print(f"{name:8} {statistics.median(walls_s[name]):6.1f} s  ({low:.1f} … {high:.1f}, n = {options.repeat})")
    print(f"{options.boards} boards take {all_s / one_s:.2f} times as long as one; the bar is {options.boards / 2:g}")
    print(f"tinympy --version: {_wall_s(['--version'])[0]:.1f} s")


def _bench(board: str, window_s: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["bench", "--board", board, "--task", "digits", "--window", window_s, "--out", folder, "--json"]
        wall_s, shown = _wall_s(arguments)
    results = json.loads(shown)
    count = int(board.partition(":")[2] or 1)
    assert len(results) == count and all(each["valid"] for each in results), shown
    assert len({each["accuracy"]["outputs_sha256"] for each in results}) == 1, "the boards' outputs differ"
    return wall_s


def _wall_s(arguments: list[str]) -> tuple[float, str]:
    started_s = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-m", "tinympy", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return time.monotonic() - started_s, finished.stdout


if __name__ == "__main__":
    main()
