"""The self-test's vectors are tflite-micro's, and have every kernel. Run as a program, this file writes them anew."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from tinympy import selftest
from tinympy.compiler import compile_model
from tinympy.errors import BoardError
from tinympy.reference import Interpreter
from tinympy.selftest import network

VECTORS = Path(selftest.__file__).parent / "vectors.json"


def tflm_vectors() -> list[dict[str, Any]]:
    """What tflite-micro answers to the self-test: of each output the operator and two checksums."""
    from tflite_micro import runtime

    model = network.build()
    graph = compile_model(model).graph
    interpreter = runtime.Interpreter.from_bytes(model)
    sums: list[list[int]] = [[] for _ in graph.outputs]
    for _ in range(2):
        interpreter.set_input(network.input_values(), 0)
        interpreter.invoke()
        for index in range(len(sums)):
            sums[index].append(zlib.crc32(interpreter.get_output(index).tobytes()))
    names = {tensor: operator.name for operator in graph.operators for tensor in operator.outputs}
    return [{"operator": names[tensor], "crc32": pair} for tensor, pair in zip(graph.outputs, sums, strict=True)]


def test_vectors_are_those_of_tflite_micro() -> None:
    assert json.loads(VECTORS.read_text()) == tflm_vectors()


def test_reference_engine_agrees() -> None:
    compiled = compile_model(network.build())
    reference = Interpreter(compiled.graph)
    for run in range(2):
        reference.run(network.input_values())
        found = [zlib.crc32(reference.values[tensor].tobytes()) for tensor in compiled.graph.outputs]
        assert found == [pair[run] for _, pair in selftest.vectors()]


def test_every_kernel_is_tested() -> None:
    header = (Path(__file__).parents[2] / "native_modules/kernels/tk.h").read_text()
    kernels = {int(number) for number in re.findall(r"KERNEL\((\d+), \w+\)", header)}
    assert {each.opcode for each in compile_model(network.build()).lowered.operations} == kernels


def test_every_output_depends_on_its_kernel() -> None:
    """One byte that all outputs of an operator share would prove nothing."""
    reference = Interpreter(compile_model(network.build()).graph)
    reference.run(network.input_values())
    for tensor in reference.graph.outputs:
        values = reference.values[tensor]
        assert len(set(values.reshape(-1).tolist())) >= min(5, values.size), reference.graph.tensors[tensor].name


def test_one_wrong_answer_is_named() -> None:
    pairs = [list(pair) for _, pair in selftest.vectors()]
    assert selftest.judge(str((pairs, None))) == selftest.SelfTest(33, 25, ())
    pairs[9][1] ^= 1
    result = selftest.judge(str((pairs, "integer")))
    assert result.wrong == ("BATCH_MATMUL (output 9)",)
    with pytest.raises(BoardError, match=r"armv6m.* BATCH_MATMUL \(output 9\) of 33"):
        selftest.require(result, "armv6m")


@pytest.mark.parametrize("answer", ["", "nonsense", "[(1, 2)]", "([1, 2], None)", "([(1, 2)], None)"])
def test_garbage_is_no_answer(answer: str) -> None:
    with pytest.raises(BoardError, match="self-test"):
        selftest.judge(answer)


if __name__ == "__main__":
    rows = ",\n".join(f"  {json.dumps(row)}" for row in tflm_vectors())
    VECTORS.write_text(f"[\n{rows}\n]\n")
