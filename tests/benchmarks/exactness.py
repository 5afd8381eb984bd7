"""Networks on a board beside the tflite-micro package: every output byte of every input.

Each model gets all inputs of its task that are on this computer, and random ones; where an official model is not here,
its network with generated weights gets random ones alone. Trained classifiers take nearly all noise for the same thing:
so on random inputs the scores before the SOFTMAX and what the last layer sees are compared as well, from a second
program that has them as outputs. Exits with 1 if a single byte differs.

    python tests/benchmarks/exactness.py
    python tests/benchmarks/exactness.py --board rp2040-emu --firmware v1.26.1 --inputs 20 --random 5
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tflite_micro import runtime
from tinympy.device.program import Head

from tinympy import attached, connection, generated, tasks
from tinympy.boards import Board
from tinympy.engines import NATIVE
from tinympy.inspection.fit import Weights, compile_for
from tinympy.model.read import read
from tinympy.model.write import write

Int8 = npt.NDArray[np.int8]

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Compared:
    """How many inputs went into both, how many output bytes that gave, and how many of these differ."""

    weights_in: str
    inputs: int
    bytes: int
    mismatches: int

    def __str__(self) -> str:
        return f"{self.inputs} inputs, {self.bytes} bytes compared, {self.mismatches} mismatches"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append", help="may be repeated; without: digits and all of MLPerf Tiny")
    parser.add_argument("--samples", type=int, help="only the first N of each data set")
    parser.add_argument("--inputs", type=int, help="only the first N inputs of each data set, which are not scored")
    parser.add_argument("--random", type=int, default=200, help="how many random inputs for each model")
    parser.add_argument("--assets", type=Path)
    parser.add_argument("--board")
    parser.add_argument("--port")
    parser.add_argument("--firmware", help="for emulated boards: path or version of an image")
    parser.add_argument("--weights-in", choices=["heap", "flash"])
    options = parser.parse_args()
    board = attached.choose(options.board, options.port, options.firmware)
    mismatches = 0
    for name in options.task or ("digits", *generated.NAMES):
        task = tasks.get(name, options.assets)
        begin = time.perf_counter()
        samples = [] if task.missing() else task.samples(options.samples)
        given = [sample.inputs for sample in samples]
        if given and options.inputs is not None:
            samples, given = [], [np.concatenate(given)[: options.inputs]]
        absent = isinstance(task, tasks.OfficialTask) and not task.has_model
        network = tasks.LatencyOnly(task, "generated") if absent else task
        model = network.model()
        random = random_inputs(model, options.random)
        compared, outputs = compare(board, options.weights_in, network, model, [*given, random])
        score = f"; {scored(task, samples, outputs[:-1])}" if samples else ""
        inner, inside = Compared("", 0, 0, 0), ""
        if with_inner_outputs(model) != model:
            inner, _ = compare(board, options.weights_in, network, with_inner_outputs(model), [random])
            inside = f"; inside: {inner}"
        elapsed_s = time.perf_counter() - begin
        about = f"{network.weights or 'trained'} weights in {compared.weights_in}"
        print(f"{board.name} {name} ({about}): {compared}{score}{inside} ({elapsed_s:.0f} s)", flush=True)
        mismatches += compared.mismatches + inner.mismatches
    return 1 if mismatches else 0


def random_inputs(model: bytes, count: int) -> Int8:
    """Seeded uniform inputs for a model, int8 of shape (count, input bytes)."""
    graph = read(model)
    size = graph.tensors[graph.inputs[0]].elements
    return np.random.default_rng(1).integers(-128, 128, (count, size), np.int8)


def with_inner_outputs(model: bytes) -> bytes:
    """The model with two outputs more, the inputs of its SOFTMAX and of its last FULLY_CONNECTED; as it is without."""
    graph = read(model)
    if graph.operators[-1].name != "SOFTMAX":
        return model
    scores = graph.operators[-1].inputs[0]
    [features] = [operator.inputs[0] for operator in graph.operators if scores in operator.outputs]
    return write(replace(graph, outputs=(*graph.outputs, scores, features)))


def compare(
    board: Board,
    weights_in: Weights | None,
    task: tasks.Task,
    model: bytes,
    batches: list[Int8],
    engine: str = NATIVE.name,
) -> tuple[Compared, list[Int8]]:
    """Both run each batch of inputs, int8 of shape (inputs, input bytes); the board's outputs, batch by batch.

    `model` is the task's, or has its inputs at least.
    """
    reference = runtime.Interpreter.from_bytes(model)
    shape = reference.get_input_details(0)["shape"]
    count = len(read(model).outputs)
    outputs, mismatches = [], 0
    program = compile_for(board, model, task.name, weights_in).program
    with connection.serving(board, task, program, ignore, engine=engine) as serving:
        for batch in batches:
            rows = []
            for values in batch:
                content, _ = serving.dut.infer_sample(values.tobytes(), PATIENCE_S)
                rows.append(np.frombuffer(content, np.int8))
                # The reference overwrites its input, so it is set each time.
                reference.set_input(values.reshape(shape), 0)
                reference.invoke()
                expected = np.concatenate([reference.get_output(index).reshape(-1) for index in range(count)])
                mismatches += int(np.count_nonzero(rows[-1] != expected))
            outputs.append(np.array(rows))
    place = "flash" if Head(program).block_shift else "heap"
    return Compared(place, sum(map(len, outputs)), sum(batch.size for batch in outputs), mismatches), outputs


def scored(task: tasks.Task, samples: list[tasks.Sample], outputs: list[Int8]) -> str:
    """What the board's outputs for the samples are worth."""
    accuracy = task.score(samples, outputs)
    counts = [f"{name} {count}" for name, count in (accuracy.detail or {}).items()]
    return ", ".join([f"{accuracy.metric} {accuracy.value:.6g} of {accuracy.n}", *counts])


def ignore(*_: object) -> None:
    """Nobody is told how far it is."""


if __name__ == "__main__":
    sys.exit(main())
