"""kws01 on the board `unix` beside the tflite-micro package (TFLM's reference kernels), in turn, on this computer.

Each round times both; the ratio is taken round by round, so that it holds while the machine's speed drifts.
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

INFERENCES = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="kws01")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--assets", type=Path)
    options = parser.parse_args()
    task = tasks.get(options.task, options.assets)
    if task.missing():
        print(f"{task.name} needs {task.missing()[0]}: set TINYMPY_ASSETS", file=sys.stderr)
        return 2
    model, values = task.model(), task.samples(1)[0].inputs[0]
    reference = runtime.Interpreter.from_bytes(model)
    shape = reference.get_input_details(0)["shape"]

    def reference_ms() -> float:
        start = time.perf_counter()
        for _ in range(INFERENCES):
            # The reference overwrites its input, so it has to be set each time; that takes about a microsecond.
            reference.set_input(values.reshape(shape), 0)
            reference.invoke()
        return 1000 * (time.perf_counter() - start) / INFERENCES

    program = compile_model(model, task.name).program
    with connection.serving(boards.get("unix"), task, program, lambda *_: None) as serving:
        dut = serving.dut
        dut.load_input(values.tobytes())
        rounds = [(dut.window(INFERENCES, 5, 60) / INFERENCES / 1000, reference_ms()) for _ in range(options.rounds)]
    ours, theirs = (np.array(column) for column in zip(*rounds, strict=True))
    ratios = sorted(theirs / ours)
    print(f"{task.name}, {options.rounds} rounds of {INFERENCES} inferences, median (min … max):")
    print(f"  tinympy on unix    {_figures(ours)} ms")
    print(f"  tflite-micro       {_figures(theirs)} ms")
    print(f"  tflite-micro / tinympy  {statistics.median(ratios):.2f} ({ratios[0]:.2f} … {ratios[-1]:.2f})")
    return 0


def _figures(values: np.ndarray) -> str:
    return f"{np.median(values):.3f} ({values.min():.3f} … {values.max():.3f})"


if __name__ == "__main__":
    sys.exit(main())
