"""Anybody's model on anybody's inputs: what a board, or the reference engine, makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinympy import connection
from tinympy.compiler import Compiled
from tinympy.connection import Observer
from tinympy.errors import UsageError
from tinympy.input_files import Given
from tinympy.inspection.fit import compile_for
from tinympy.model.edges import inner_tensor
from tinympy.plan import REFERENCE, Target
from tinympy.reference import Interpreter
from tinympy.signature import Array, Signature, parts
from tinympy.subject import Subject

_PATIENCE_S = 60.0
_CLASSIFIERS = ("SOFTMAX", "LOG_SOFTMAX")


@dataclass(frozen=True)
class Inference:
    """One input's outputs, raw, and the microseconds that the board took, None without one.

    heard_at_ms: of sound, where in its recording it ends (see `input_files.Given`).
    """

    name: str
    outputs: tuple[Array, ...]
    elapsed_us: int | None
    heard_at_ms: int | None = None


@dataclass(frozen=True)
class Run:
    """All inferences in the order of the inputs; `stateful`: each one began with the state that the last one left."""

    signature: Signature
    inferences: tuple[Inference, ...]
    stateful: bool


def run(target: Target, given: Sequence[Given], observe: Observer) -> tuple[Subject, Run]:
    """Run the model of the target's task on each input in turn, from the initial state on.

    Raises:
        UsageError: the model cannot be compiled.
        NoBoardError, BoardError: the board.
    """
    task = target.task
    compiled = compile_for(target.board, task.model(), task.name, reuse_input=target.reuse_input)
    signature = Signature.of(compiled.graph)
    # The caveat of official weights is about random inputs, and these are not.
    caveat = task.caveat if task.weights == "generated" else None
    inferences = []
    if target.engine == REFERENCE:
        board = None
        infer = _reference(compiled, signature)
        for index, each in enumerate(given):
            inferences.append(Inference(each.name, infer(each.data), None, each.heard_at_ms))
            observe("inferences", index + 1, len(given))
    else:
        with connection.serving(target.board, task, compiled.program, observe, engine=target.engine) as serving:
            board = serving.board
            serving.dut.reset()
            for index, each in enumerate(given):
                content, elapsed_us = serving.dut.infer_sample(each.data, _PATIENCE_S)
                outputs = tuple(parts(content, signature.outputs))
                inferences.append(Inference(each.name, outputs, elapsed_us, each.heard_at_ms))
                observe("inferences", index + 1, len(given))
    subject = Subject(task.name, task.model_file, target.engine, board, caveat)
    return subject, Run(signature, tuple(inferences), bool(compiled.lowered.state))


def _reference(compiled: Compiled, signature: Signature) -> Callable[[bytes], tuple[Array, ...]]:
    """An inference by the reference engine: from raw inputs to raw outputs, its state kept from one to the next."""
    interpreter = Interpreter(compiled.graph)
    kept = [inner_tensor(compiled.graph, index) for index in compiled.graph.outputs]

    def infer(data: bytes) -> tuple[Array, ...]:
        ends = signature.inputs
        interpreter.run(*(end.given(raw) for end, raw in zip(ends, parts(data, ends), strict=True)))
        return tuple(interpreter.values[index] for index in kept)

    return infer


def classes(signature: Signature, labels: Sequence[str]) -> list[str] | None:
    """The names of the classes that the model's one output tells apart, None where it is not known to be a classifier.

    It is one when its last operator says so, or when `labels` are given, which then have to be as many.
    """
    [output, *others] = signature.outputs
    one_row = not others and output.elements > 1 and output.shape[-1] == output.elements
    if labels and (others or len(labels) != output.elements):
        raise UsageError(
            f"{len(labels)} labels for outputs of {' and '.join(str(end.elements) for end in signature.outputs)}",
            "the file has one line for each class",
        )
    if labels:
        return list(labels)
    return list(map(str, range(output.elements))) if one_row and output.operator in _CLASSIFIERS else None


def check_file(file: Path, signature: Signature) -> None:
    """UsageError when the outputs of a model with this signature cannot be written to `file`."""
    suffix = ".npy" if len(signature.outputs) == 1 else ".npz"
    if file.suffix != suffix:
        raise UsageError(f"{len(signature.outputs)} outputs cannot be written to {file}", f"the name ends in {suffix}")


def write(result: Run, file: Path) -> None:
    """Write the raw outputs: one array of shape (inputs, …), or in an `.npz` file one for each, output0, output1, ….

    The batch dimension of one that models have is left out. UsageError when the file cannot be written.
    """
    check_file(file, result.signature)
    arrays = []
    for index, end in enumerate(result.signature.outputs):
        shape = end.shape[1:] if end.shape[:1] == (1,) else end.shape
        arrays.append(np.stack([each.outputs[index].reshape(shape) for each in result.inferences]))
    try:
        if len(arrays) == 1:
            np.save(file, arrays[0])
        else:
            named: dict[str, Any] = {f"output{index}": array for index, array in enumerate(arrays)}
            np.savez(file, **named)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", "name a file in a folder that exists") from error
