"""Models with generated weights beside the official ones on the board `unix`: sizes, and latency on this computer.

One interpreter holds both models and times them in turn, in windows of a few milliseconds: original, copy, copy,
original. Both therefore see the same load and the same drift, and the ratio is taken pair by pair. Several interpreters
one after another place the two models differently in memory. Exits with 1 where arena or program sizes differ.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from tinympy import boards, connection, tasks
from tinympy.compiler import compile_model

NAMES = ("official", "generated")
# Shorter than what an operating system gives a process at once, so that most windows are not interrupted.
WINDOW_US = 3000
PATIENCE_S = 60.0

LOAD = """
import gc
from time import ticks_diff, ticks_us
from tinympy import load
models = dict((name, load(name)) for name in {order})
official, generated = [models[name] for name in {names}]
def time(model, n):
    start = ticks_us()
    for _ in range(n):
        model.run()
    return ticks_diff(ticks_us(), start)
print(official.arena_bytes, official.program_bytes, generated.arena_bytes, generated.program_bytes)
"""

# Inputs go to the board as literals, in pieces that fit its heap beside everything else.
FILL = "models[{name!r}].input[{at}:{at} + {count}] = {values!r}"
CHUNK_BYTES = 1024

TIME = """
gc.collect()
for _ in range({rounds}):
    print(time(official, {n}), time(generated, {n}), time(generated, {n}), time(official, {n}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append")
    parser.add_argument("--interpreters", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=100, help="of four windows each, on each interpreter")
    parser.add_argument("--assets", type=Path)
    options = parser.parse_args()
    pairs = 2 * options.rounds * options.interpreters
    print(f"{pairs} pairs of windows of {WINDOW_US / 1000} ms or one inference; generated / official:")
    same = True
    for name in options.task or [name for name in tasks.TASKS if tasks.get(name).official]:
        task = tasks.get(name, options.assets)
        if not isinstance(task, tasks.OfficialTask) or not task.has_model:
            print(f"  {name}: no official model of it is here (TINYMPY_ASSETS)")
            continue
        original = tasks.LatencyOnly(task, "official") if task.missing() else task
        same &= compare(original, tasks.LatencyOnly(task, "generated"), options.interpreters, options.rounds)
    return 0 if same else 1


def compare(official: tasks.Task, generated: tasks.Task, interpreters: int, rounds: int) -> bool:
    """Prints sizes and latencies of both; whether the sizes are the same."""
    measured = [
        measure(official, generated, NAMES if index % 2 else NAMES[::-1], rounds) for index in range(interpreters)
    ]
    (arena, program, copied_arena, copied_program), _ = measured[0]
    latencies_us = np.concatenate([latencies for _, latencies in measured])
    ratios = latencies_us[:, 1] / latencies_us[:, 0]
    by_interpreter = [np.median(latencies[:, 1] / latencies[:, 0]) for _, latencies in measured]
    least = latencies_us.min(axis=0)
    print(
        f"  {official.name:6} arena {copied_arena} / {arena} B, program {copied_program} / {program} B, "
        f"latency: median of pairs {np.median(ratios):.3f} "
        f"(by interpreter {min(by_interpreter):.3f} … {max(by_interpreter):.3f}), "
        f"least {least[1] / 1000:.4f} / {least[0] / 1000:.4f} ms = {least[1] / least[0]:.3f}",
        flush=True,
    )
    return (arena, program) == (copied_arena, copied_program)


def measure(
    official: tasks.Task, generated: tasks.Task, order: tuple[str, ...], rounds: int
) -> tuple[tuple[int, ...], np.ndarray]:
    """On an interpreter of its own, which loads the models in `order`: arena and program of each, and latencies.

    Latencies in microseconds for one inference, shape (2 * rounds, 2), a row for each pair.
    """
    models = dict(zip(NAMES, (official, generated), strict=True))
    with connection.connected(boards.get("unix")) as board:
        board.install({name: compile_model(task.model(), task.name).program for name, task in models.items()})
        line = board.line
        sizes = tuple(map(int, line.exec(LOAD.format(order=order, names=NAMES)).split()))
        for name, task in models.items():
            data = task.samples(1)[0].inputs[0].tobytes()
            for at in range(0, len(data), CHUNK_BYTES):
                values = data[at : at + CHUNK_BYTES]
                line.exec(FILL.format(name=name, at=at, count=len(values), values=values))
        inference_us = float(line.exec("time(official, 5)\nprint(time(official, 5) / 5)"))
        n = max(1, round(WINDOW_US / inference_us))
        output = line.exec(TIME.format(rounds=rounds, n=n), PATIENCE_S)
    windows_us = np.array([int(value) for value in output.split()]).reshape(rounds, 4) / n
    # Both pairs of a round with the original first.
    return sizes, windows_us[:, [0, 1, 3, 2]].reshape(-1, 2)


if __name__ == "__main__":
    sys.exit(main())
