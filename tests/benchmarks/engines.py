"""The engines in Python: every output byte beside tflite-micro's, and how fast they are beside the C kernels.

    python tests/benchmarks/engines.py                    exactness: python, viper and ulab on `unix`, and ulab_on_numpy
    python tests/benchmarks/engines.py --inputs 3         the same on fewer inputs
    python tests/benchmarks/engines.py --compare          the table of the README, and docs/engines.json

ulab needs a MicroPython that was built with it (docs/boards.md says how), what --firmware names. Exits with 1 if a byte
differs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path

import exactness
import numpy as np
from tflite_micro import runtime
from tinympy.device.model import Model

from tinympy import boards, parallel, plan, speed_ups, tasks, ulab_on_numpy
from tinympy.compiler import compile_model
from tinympy.records import Record
from tinympy.report import engines as report

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
FIGURES = ROOT / "docs/engines.json"
TASKS = ("digits", "ad01", "kws01")
COMPARED = ("digits", "kws01")
ON_NUMPY = "ulab_on_numpy"
ENGINES = ("native", "viper", "ulab", "python")
WITH_ULAB = "micropython-ulab"
TABLE = re.compile(r"(?<=<!-- engines: tests/benchmarks/engines.py --compare -->\n).*?(?=<!-- -->)", re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", action="append", help="may be repeated; without: digits, ad01 and kws01")
    parser.add_argument("--engine", action="append", choices=[*ENGINES[1:], ON_NUMPY], help="may be repeated")
    parser.add_argument("--firmware", default=WITH_ULAB, help="a MicroPython with ulab; without: %(default)s")
    parser.add_argument("--inputs", type=int, default=60, help="how many inputs of each data set")
    parser.add_argument("--compare", action="store_true", help="measure, and write the README's table")
    options = parser.parse_args()
    if options.compare:
        compare(options.firmware)
        return 0
    mismatches = 0
    for name in options.task or TASKS:
        for engine in options.engine or (*ENGINES[1:], ON_NUMPY):
            begin = time.perf_counter()
            compared = exact(name, engine, options.inputs, options.firmware if engine == "ulab" else None)
            print(f"unix {name} ({engine}): {compared} ({time.perf_counter() - begin:.0f} s)", flush=True)
            mismatches += compared.mismatches
    return 1 if mismatches else 0


def exact(name: str, engine: str, count: int, firmware: str | None = None) -> exactness.Compared:
    """Up to `count` inputs of the task's data set, and as many random ones as are missing.

    `firmware`: a MicroPython for the board `unix`, in place of the usual one.
    """
    task = tasks.get(name)
    if isinstance(task, tasks.OfficialTask) and not task.has_model:
        task = tasks.LatencyOnly(task, "generated")
    model = task.model()
    known = [] if task.missing() else [sample.inputs for sample in task.samples(count)]
    inputs = np.concatenate([*known, exactness.random_inputs(model, count)])[:count]
    if engine == ON_NUMPY:
        return on_numpy(model, inputs)
    return exactness.compare(boards.get("unix", firmware), "heap", task, model, [inputs], engine)[0]


def on_numpy(model: bytes, inputs: exactness.Int8) -> exactness.Compared:
    """The ulab engine on this computer's numpy."""
    ulab_on_numpy.install()
    from tinympy.device.ulab import UlabEngine

    reference = runtime.Interpreter.from_bytes(model)
    shape = reference.get_input_details(0)["shape"]
    loaded = Model(bytearray(compile_model(model).program), engine=UlabEngine)
    mismatches = size = 0
    for values in inputs:
        loaded.input[:] = values.tobytes()
        loaded.run()
        reference.set_input(values.reshape(shape), 0)
        reference.invoke()
        expected = reference.get_output(0).reshape(-1)
        mismatches += int(np.count_nonzero(np.frombuffer(bytes(loaded.output), np.int8) != expected))
        size += expected.size
    return exactness.Compared("heap", len(inputs), size, mismatches)


def compare(firmware: str) -> None:
    """Measure the engines on `unix` with this MicroPython; write what README.md and docs/engines.json say of them."""
    records: list[Record] = []
    with tempfile.TemporaryDirectory() as folder:
        jobs = plan.plan(
            board_names=["unix"],
            task_names=COMPARED,
            mode="performance",
            weights=None,
            engine=",".join(ENGINES),
            firmware=firmware,
            samples=None,
            window_s=None,
            assets=None,
            folder=Path(folder),
        )
        parallel.run(jobs, lambda _, record: records.append(record), lambda *_: None)
    found = speed_ups.speed_ups(records)
    FIGURES.write_text(json.dumps(speed_ups.document(found), indent=2) + "\n", encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8"), found), encoding="utf-8")
    print(report.markdown(found))


def with_table(text: str, found: list[speed_ups.SpeedUps]) -> str:
    """The README with the table of these comparisons."""
    return TABLE.sub(lambda _: "\n" + report.markdown(found) + "\n", text)


if __name__ == "__main__":
    sys.exit(main())
