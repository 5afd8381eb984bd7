"""Models with generated weights beside the official ones on the board `unix`, in turn, on this computer.

Two interpreters, one for each model, run windows alternately, so that both see the same drift of the machine's speed.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinympy import boards, deploy, tasks, transport
from tinympy.compiler import compile_model
from tinympy.dut import Dut

# Short, so that a machine that others use too changes its speed between rounds rather than within one.
WINDOW_S = 0.03


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append")
    parser.add_argument("--rounds", type=int, default=201)
    parser.add_argument("--assets", type=Path)
    options = parser.parse_args()
    print(f"median of {options.rounds} windows of {WINDOW_S} s each, in turn (min … max), ms:")
    names = options.task or [name for name in tasks.TASKS if tasks.get(name).official]
    for name in names:
        task = tasks.get(name, options.assets)
        if not isinstance(task, tasks.OfficialTask) or not task.has_model:
            print(f"  {name}: no official model of it is here (TINYMPY_ASSETS)")
            continue
        whole = not task.missing()
        compare(task if whole else tasks.LatencyOnly(task, "official"), tasks.LatencyOnly(task, "generated"), options)
    return 0


def compare(official: tasks.Task, generated: tasks.Task, options: argparse.Namespace) -> None:
    """Prints the latencies of both, and how they compare."""
    with served(official) as original, served(generated) as copy:
        latency_s = original.window(5, 5, 60) / 5e6
        n = max(1, round(WINDOW_S / latency_s))
        pairs = [[dut.window(n, 1, 60) / n / 1000 for dut in (original, copy)] for _ in range(options.rounds)]
    latencies_ms = np.array(pairs)
    middle = np.median(latencies_ms, axis=0)
    by_round = float(np.median(latencies_ms[:, 1] / latencies_ms[:, 0]))
    print(
        f"  {official.name:6} official {figures(latencies_ms[:, 0])}  generated {figures(latencies_ms[:, 1])}  "
        f"generated / official: medians {middle[1] / middle[0]:.3f}, round by round {by_round:.3f}",
        flush=True,
    )


@contextlib.contextmanager
def served(task: tasks.Task) -> Iterator[Dut]:
    """The task on an interpreter of its own, its first input loaded."""
    board = boards.get("unix")
    assert board.launch is not None
    launched = board.launch(board, {})
    try:
        with transport.open(launched.port, launched.interrupt) as line:
            mpy = deploy.Mpy.from_firmware(int(line.exec("import sys; print(sys.implementation._mpy)")))
            programs = {task.name: compile_model(task.model(), task.name).program}
            line.copy_files(deploy.package_files(board.library, deploy.native_module(mpy), programs))
            line.start(deploy.serve_code(task.name, task.wire_input, task.wire_results, task.wire_bytes))
            dut = Dut(line)
            dut.wait_ready()
            dut.load_input(task.samples(1)[0].inputs[0].tobytes())
            yield dut
            dut.close()
    finally:
        launched.stop()


def figures(values: np.ndarray) -> str:
    return f"{np.median(values):.4f} ({values.min():.4f} … {values.max():.4f})"


if __name__ == "__main__":
    sys.exit(main())
