"""Cycles of each operator on the emulated RP2040, beside what host/tinympy/inspection/cycles.py estimates.

For models that fit an RP2040's heap: the bundled one, networks of MLPerf Tiny with generated weights, or any `.tflite`
files given. Needs a firmware image and rp2040py.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from tinympy import boards, deploy, firmware, generated, tasks, transport
from tinympy.boards.rp2040_emu import Rp2040Emulator
from tinympy.compiler import Compiled, compile_model
from tinympy.inspection import macs
from tinympy.inspection.cycles import inference_cycles, operator_cycles

NETWORKS = ("kws01", "sww01", "ic01")
PATIENCE = boards.known("rp2040-emu").patience
SILENCE_S = 22.5

TIME = """
import gc
from time import ticks_diff, ticks_us
from tinympy import load
model = None
gc.collect()
model = load({name!r})
model.run()
def time(first, last):
    start = ticks_us()
    model.run(first, last)
    return ticks_diff(ticks_us(), start)
call = time(0, 0)
print(call, time(0, {count}), *[time(i, i + 1) - call for i in range({count})])
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    options = parser.parse_args()
    images = firmware.present()
    if not images:
        print(f"no RPI_PICO-*.uf2 in {firmware.folder()}")
        return 1
    models = {path.stem: compile_model(path.read_bytes()) for path in options.models}
    if not models:
        models = {"digits": compile_model(tasks.get("digits").model())}
        models |= {name: compile_model(generated.build(name)) for name in NETWORKS}
    board = boards.known("rp2040")
    module = deploy.build("native", deploy.Mpy(deploy.MPY_VERSION, board.arch))
    files = deploy.package_files(board.library, module, {name: model.program for name, model in models.items()})
    print(f"{images[-1].stem}, emulated; module {module.sha256[:16]}")
    print(f"{'':35} {'MACs':>9} {'outputs':>8} {'cycles':>10} {'a MAC':>7} {'an output':>9} estimate / count")
    with Rp2040Emulator(images[-1], files) as emulator, transport.open(emulator.port, patience=PATIENCE) as line:
        for name, model in models.items():
            code = TIME.format(name=name, count=len(model.lowered.operations))
            _, whole_us, *times_us = map(int, line.exec(code, SILENCE_S).split())
            show(name, model, times_us, whole_us, board)
    return 0


def show(name: str, model: Compiled, times_us: list[int], whole_us: int, board: boards.Board) -> None:
    """One line an operator, then one for the whole inference."""
    assert board.clock_hz is not None
    cycles_per_us = board.clock_hz / 1e6
    counted: dict[int, float] = defaultdict(float)
    for operation, time_us in zip(model.lowered.operations, times_us, strict=True):
        counted[operation.operator] += time_us * cycles_per_us
    for index, cycles in counted.items():
        if index < 0:
            continue
        operator = model.graph.operators[index]
        products = macs(model.graph, operator)
        written = sum(model.graph.tensors[output].elements for output in operator.outputs)
        estimate = operator_cycles(model.graph, operator, board.arch)
        print(
            f"{name:12} {operator.name:22} {products:9} {written:8} {cycles:10.0f} "
            f"{cycles / products if products else 0:7.2f} {cycles / max(1, written):9.1f} "
            f"{'none' if estimate is None else f'{estimate / cycles:.2f}'}"
        )
    whole = inference_cycles(model.graph, board.arch)
    said = "no estimate" if whole is None else f"{whole / cycles_per_us / 1000:.2f} ms estimated"
    print(f"{name:12} whole: {whole_us / 1000:.2f} ms, {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
