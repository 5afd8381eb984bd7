"""Is the board right? Its every layer beside that of the reference engine, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy import connection, patience
from tinympy.compiler import Compiled
from tinympy.connection import Observer
from tinympy.dut import Dut
from tinympy.inspection.fit import compile_for
from tinympy.layers import Layer, layers
from tinympy.model.edges import inner_tensor
from tinympy.plan import Target
from tinympy.reference import Interpreter
from tinympy.signature import Signature, parts
from tinympy.subject import Subject

Array = npt.NDArray[Any]

# For one layer of the largest model on the slowest board, with a fast engine.
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Difference:
    """The first number that differs, and how many do in its tensor.

    sample: index of the input. operator: index in the graph of what computes the tensor. position: the number's indices
    but the last, its channel. whole: every layer by itself was right, and this is of the inference in one go.
    """

    sample: int
    operator: int
    name: str
    tensor: str
    shape: tuple[int, ...]
    position: tuple[int, ...]
    channel: int
    expected: int
    got: int
    wrong: int
    elements: int
    whole: bool = False


@dataclass(frozen=True)
class Verification:
    """How much was compared, up to the first difference if there is one; `operators` are those with an output."""

    samples: int
    operators: int
    compared_bytes: int
    difference: Difference | None


def verify(target: Target, samples: int, observe: Observer) -> tuple[Subject, Verification]:
    """Compare the first `samples` inputs of the target's task.

    Raises:
        UsageError: the model or the data cannot be used.
        NoBoardError, BoardError: the board.
    """
    task = target.task
    compiled = compile_for(target.board, task.model(), task.name, reuse_input=target.reuse_input)
    inputs = [row.tobytes() for sample in task.samples(samples) for row in sample.inputs[:samples]][:samples]
    with connection.serving(target.board, task, compiled.program, observe, engine=target.engine) as serving:
        subject = Subject(task.name, task.model_file, target.engine, serving.board, task.caveat)
        limit_s = max(_PATIENCE_S, patience.inference_s(compiled, target.engine))
        return subject, compare(serving.dut, compiled, inputs, observe, limit_s)


def compare(
    dut: Dut, compiled: Compiled, inputs: Sequence[bytes], observe: Observer, limit_s: float = _PATIENCE_S
) -> Verification:
    """Compare a board that serves `compiled` with the reference engine, on raw inputs (all tensors of each together).

    First layer by layer, then each inference in one go; a model's state goes on from one input to the next. A layer,
    and an inference, takes limit_s at most.
    """
    return _Comparison(dut, compiled, limit_s).run(inputs, observe)


class _Comparison:
    def __init__(self, dut: Dut, compiled: Compiled, limit_s: float) -> None:
        self.dut = dut
        self.limit_s = limit_s
        self.graph = compiled.graph
        self.signature = Signature.of(compiled.graph)
        self.outputs = [inner_tensor(compiled.graph, index) for index in compiled.graph.outputs]
        self.layers = layers(compiled)
        self.reference = Interpreter(compiled.graph)
        self.compared_bytes = 0

    def run(self, inputs: Sequence[bytes], observe: Observer) -> Verification:
        expected: list[dict[int, Array]] = []
        difference = None
        self.dut.reset()
        for sample, data in enumerate(inputs):
            observe("layers", sample, len(inputs))
            ends = self.signature.inputs
            given = [end.given(raw) for end, raw in zip(ends, parts(data, ends), strict=True)]
            self.reference.run(*given)
            expected.append({index: self.reference.values[index] for index in self.outputs})
            difference = self._by_layers(sample, data)
            if difference is not None:
                break
        else:
            difference = self._in_one_go(inputs, expected, observe)
        operators = len({layer.operator for layer in self.layers if layer.outputs})
        return Verification(len(expected), operators, self.compared_bytes, difference)

    def _by_layers(self, sample: int, data: bytes) -> Difference | None:
        self.dut.load_input(data)
        for layer in self.layers:
            self.dut.run_range(layer.first, layer.last, timeout_s=self.limit_s)
            difference = self._outputs_differ(sample, layer)
            if difference is not None:
                return difference
        return None

    def _outputs_differ(self, sample: int, layer: Layer) -> Difference | None:
        for output in layer.outputs:
            expected = self.reference.values[output.tensor]
            content = self.dut.read_arena(output.offset, expected.nbytes)
            got = np.frombuffer(content, expected.dtype).reshape(expected.shape)
            difference = self._first_difference(sample, layer.operator, output.tensor, expected, got)
            if difference is not None:
                return difference
        return None

    def _in_one_go(
        self, inputs: Sequence[bytes], expected: Sequence[dict[int, Array]], observe: Observer
    ) -> Difference | None:
        self.dut.reset()
        for sample, data in enumerate(inputs):
            observe("inferences", sample, len(inputs))
            content, _ = self.dut.infer_sample(data, self.limit_s)
            for tensor, got in zip(self.outputs, parts(content, self.signature.outputs), strict=True):
                operator = next((i for i, each in enumerate(self.graph.operators) if tensor in each.outputs), -1)
                difference = self._first_difference(sample, operator, tensor, expected[sample][tensor], got)
                if difference is not None:
                    return replace(difference, whole=True)
        return None

    def _first_difference(
        self, sample: int, operator: int, tensor: int, expected: Array, got: Array
    ) -> Difference | None:
        self.compared_bytes += expected.nbytes
        got = got.reshape(expected.shape)
        wrong = np.argwhere(np.atleast_1d(expected != got))
        if not len(wrong):
            return None
        first = tuple(int(i) for i in wrong[0])
        return Difference(
            sample=sample,
            operator=operator,
            name=self.graph.operators[operator].name if operator >= 0 else "input",
            tensor=self.graph.tensors[tensor].name,
            shape=expected.shape,
            position=first[:-1],
            channel=first[-1],
            expected=int(np.atleast_1d(expected)[first]),
            got=int(np.atleast_1d(got)[first]),
            wrong=len(wrong),
            elements=expected.size,
        )
