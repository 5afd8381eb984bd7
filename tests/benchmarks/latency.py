"""The tasks on the board `unix` beside the tflite-micro package (TFLM's reference kernels), in turn, on this computer.

Each round times both; the ratio is taken round by round, so that it holds while the machine's speed drifts. Beside it
stands how many times faster than the same reference kernels TFLM with CMSIS-NN's plain C was, measured once on x86-64.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from tflite_micro import runtime

from tinympy import boards, connection, tasks
from tinympy.compiler import compile_model

CMSIS_NN = {"kws01": 2.34 / 0.87, "ad01": 0.142 / 0.079, "ic01": 7.23 / 4.06, "vww01": 6.09 / 2.52}
"""Milliseconds of the reference kernels over those of CMSIS-NN's, both compiled for the same x86-64 computer."""

ROUND_S = 0.15


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append", help="one or more of: " + " ".join(CMSIS_NN))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--assets", type=Path)
    options = parser.parse_args()
    print(f"median (min … max) of {options.rounds} rounds")
    print("task   weights    tinympy on unix, ms     tflite-micro, ms        times faster         CMSIS-NN's C")
    for name in options.task or CMSIS_NN:
        official = tasks.get(name, options.assets)
        assert isinstance(official, tasks.OfficialTask)
        task = tasks.LatencyOnly(official, "official" if official.has_model else "generated")
        ours, theirs = measure(task, options.rounds).T
        compared = f"{CMSIS_NN[name]:.2f}" if name in CMSIS_NN else ""
        columns = (figures(ours), figures(theirs), figures(theirs / ours, 2))
        print(f"{name:6} {task.weights:10} {columns[0]:23} {columns[1]:23} {columns[2]:20} {compared}", flush=True)
    return 0


def measure(task: tasks.Task, rounds: int) -> np.ndarray:
    """Milliseconds of an inference, ours and the reference's: (rounds, 2)."""
    model, values = task.model(), task.samples(1)[0].inputs[0]
    reference = runtime.Interpreter.from_bytes(model)
    values = values.reshape(reference.get_input_details(0)["shape"])

    def reference_ms(inferences: int) -> float:
        start = time.perf_counter()
        for _ in range(inferences):
            # The reference overwrites its input, so it has to be set each time; that takes about a microsecond.
            reference.set_input(values, 0)
            reference.invoke()
        return 1000 * (time.perf_counter() - start) / inferences

    inferences = max(5, round(1000 * ROUND_S / statistics.median(reference_ms(1) for _ in range(5))))
    program = compile_model(model, task.name).program
    with connection.serving(boards.get("unix"), task, program, lambda *_: None) as serving:
        dut = serving.dut
        dut.load_input(values.tobytes())
        return np.array(
            [(dut.window(inferences, 5, 60) / inferences / 1000, reference_ms(inferences)) for _ in range(rounds)]
        )


def figures(values: np.ndarray, decimals: int = 3) -> str:
    return f"{np.median(values):.{decimals}f} ({values.min():.{decimals}f} … {values.max():.{decimals}f})"


if __name__ == "__main__":
    sys.exit(main())
