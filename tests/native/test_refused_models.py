"""Models that are not full int8, or not of TensorFlow Lite's own operators: refused by operator, index and reason.

Where `tflite-micro` refuses them too, that is shown. It computes with float32 and int16, which are left out here, and
takes the numbers of a sparse tensor for a whole one's.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest

from bit_exact import ARENA_BYTES, runtime
from tinympy.compiler import compile_model
from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

schema = pytest.importorskip("tflite_micro.tensorflow.lite.micro.python.schema_py_generated")

QUARTERS = Quantization.per_tensor(0.25)
FILTERS = Tensor("filters", (4, 8), "int8", QUARTERS, np.resize(np.array([1, 0, -2, 0, 0], np.int8), (4, 8)))
SAME = {"padding": "SAME", "stride_h": 1, "stride_w": 1}


def value(name: str, width: int, dtype: str = "int8", quantization: Quantization | None = QUARTERS) -> Tensor:
    return Tensor(name, (1, width), dtype, None if dtype.startswith("float") else quantization)


def chain(*operators: Operator, tensors: list[Tensor]) -> Graph:
    """The first tensor is the input, the last one the output."""
    return Graph(tuple(tensors), operators, (0,), (len(tensors) - 1,))


def dense(filters: Tensor = FILTERS, dtype: str = "int8", quantization: Quantization = QUARTERS) -> Graph:
    """Operator 0 passes its input on, operator 1 has the weights: FULLY_CONNECTED from 8 to 4."""
    tensors = [
        value("in", 8, dtype, quantization),
        value("same", 8, dtype, quantization),
        filters,
        value("out", 4, dtype, quantization),
    ]
    return chain(Operator("RESHAPE", (0,), (1,)), Operator("FULLY_CONNECTED", (1, 2), (3,)), tensors=tensors)


def half_precision() -> Graph:
    stored = Tensor("stored", (4, 8), "float16", None, np.ones((4, 8), np.float16))
    tensors = [value("in", 8, "float32"), stored, Tensor("weights", (4, 8), "float32"), value("out", 4, "float32")]
    return chain(Operator("DEQUANTIZE", (1,), (2,)), Operator("FULLY_CONNECTED", (0, 2), (3,)), tensors=tensors)


def dequantised_weights() -> Graph:
    tensors = [value("in", 8, "float32"), FILTERS, Tensor("weights", (4, 8), "float32"), value("out", 4, "float32")]
    return chain(Operator("DEQUANTIZE", (1,), (2,)), Operator("FULLY_CONNECTED", (0, 2), (3,)), tensors=tensors)


def island(name: str) -> Graph:
    tensors = [value("in", 8), value("real", 8, "float32"), value("root", 8, "float32"), value("mid", 8), FILTERS]
    return chain(
        Operator("DEQUANTIZE", (0,), (1,)),
        Operator(name, (1,), (2,)),
        Operator("QUANTIZE", (2,), (3,)),
        Operator("FULLY_CONNECTED", (3, 4), (5,)),
        tensors=[*tensors, value("out", 4)],
    )


def middle(name: str) -> Graph:
    tensors = [value("in", 8), value("mid", 8), value("out", 8)]
    return chain(Operator("RELU", (0,), (1,)), Operator(name, (1,), (2,)), tensors=tensors)


def per_channel_values() -> Graph:
    several = Quantization(np.array([0.25, 0.5], np.float32), np.array([0, 0]), 1)
    tensors = [value("in", 2), value("mid", 2, quantization=several), value("out", 2)]
    return chain(Operator("RELU", (0,), (1,)), Operator("ABS", (1,), (2,)), tensors=tensors)


def float_weights() -> Tensor:
    return Tensor("filters", (4, 8), "float32", None, np.ones((4, 8), np.float32))


def changed(graph: Graph, change: Callable[[Any], None]) -> bytes:
    """The graph's file with something in it that a graph cannot say."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(write(graph), 0))
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


LEGACY = Tensor("filters", (4, 8), "uint8", QUARTERS, np.ones((4, 8), np.uint8))
FULL_INT8 = "TFLITE_BUILTINS_INT8"
REFUSED = [
    ("dynamic range", dense(dtype="float32"), r"operator 1 \(FULLY_CONNECTED\): weights 'filters' are int8, but it "
     r"computes with float32 \(dynamic-range quantisation\)", FULL_INT8),
    ("float16", half_precision(), r"operator 0 \(DEQUANTIZE\): tensor 'stored' is float16", "float16"),
    ("legacy uint8", dense(LEGACY, "uint8"), r"operator 0 \(RESHAPE\): tensor 'in' is uint8, not int8: legacy",
     "TensorFlow 1"),
    ("legacy uint8 weights", dense(LEGACY), r"operator 1 \(FULLY_CONNECTED\): tensor 'filters' is uint8", FULL_INT8),
    ("a custom operator", middle("custom operator ethos-u"), r"custom operator ethos-u \(operator 1\)", "accelerator"),
    ("another one", middle("custom operator Mine"), r"custom operator Mine \(operator 1\)", "own operators"),
    ("Flex", middle("Flex operator FlexErf"), r"Flex operator FlexErf \(operator 1\)", "SELECT_TF_OPS"),
    ("a missing operator", middle("ROUND"), r"not supported: ROUND \(operator 1\)", "docs/operators.md"),
]  # fmt: skip
LEFT_OUT = [
    ("sparse", dense(replace(FILTERS, is_sparse=True)), r"operator 1 \(FULLY_CONNECTED\): tensor 'filters' is sparse",
     "SPARSITY"),
    ("float32", dense(float_weights(), "float32"), r"operator 0 \(RESHAPE\): it computes with float32 \('in'\), the "
     "model is not quantised", FULL_INT8),
    ("weights dequantised at first", dequantised_weights(), r"operator 1 \(FULLY_CONNECTED\): weights 'filters' are "
     "int8, but it computes with float32", FULL_INT8),
    ("a float island", island("SQRT"), r"operator 1 \(SQRT\): it computes with float32 \('real'\), other operators "
     "with int8", "int8 form"),
    ("int16 activations", dense(dtype="int16"), r"operator 0 \(RESHAPE\): tensor 'in' is int16: activations of 16 bits",
     FULL_INT8),
    ("per-channel activations", per_channel_values(), r"operator 0 \(RELU\): tensor 'mid' is not quantised per tensor",
     "int8"),
]  # fmt: skip


def ids(cases: list[Any]) -> list[str]:
    return [case[0] for case in cases]


def assert_refused(content: bytes, message: str, hint: str) -> None:
    with pytest.raises(ModelError, match=message) as error:
        compile_model(content)
    assert hint in error.value.hint


@pytest.mark.parametrize(("what", "graph", "message", "hint"), REFUSED + LEFT_OUT, ids=ids(REFUSED + LEFT_OUT))
def test_is_refused_by_operator_and_reason(what: str, graph: Graph, message: str, hint: str) -> None:
    assert_refused(write(graph), message, hint)


@pytest.mark.parametrize(("what", "graph", "message", "hint"), REFUSED, ids=ids(REFUSED))
def test_the_reference_interpreter_refuses_it_too(what: str, graph: Graph, message: str, hint: str) -> None:
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(write(graph), arena_size=ARENA_BYTES).invoke()


def test_the_same_without_the_reason_is_not_refused() -> None:
    compile_model(write(dense()))
    compile_model(write(middle("ABS")))


def while_loop(model: Any) -> None:
    model.subgraphs += [model.subgraphs[0]] * 2
    model.operatorCodes[1].deprecatedBuiltinCode = model.operatorCodes[1].builtinCode = schema.BuiltinOperator.WHILE


def two_signatures(model: Any) -> None:
    model.subgraphs.append(model.subgraphs[0])


def dynamic_batch(model: Any) -> None:
    model.subgraphs[0].tensors[0].shape = [-1, 8]


def constants_behind_the_model(model: Any) -> None:
    model.buffers[1].offset, model.buffers[1].size = 4096, 32


def next_schema(model: Any) -> None:
    model.version = 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (while_loop, r"operator 1 \(WHILE\): the model has 3 subgraphs"),
        (two_signatures, "the model has 2 subgraphs"),
        (dynamic_batch, r"tensor 'in' has shape \(-1, 8\): its size is known only when the model runs"),
        (constants_behind_the_model, "the constants of tensor 'filters' lie behind the model"),
        (next_schema, "schema version 4"),
    ],
)
def test_a_file_beyond_one_graph_is_refused(change: Callable[[Any], None], message: str) -> None:
    assert_refused(changed(dense(), change), message, "")


def test_a_batch_that_was_left_open_runs_as_one() -> None:
    def leave_open(model: Any) -> None:
        model.subgraphs[0].tensors[0].shapeSignature = [-1, 8]

    compile_model(changed(dense(), leave_open))


def test_every_command_refuses_with_exit_code_2(tmp_path: Path) -> None:
    model, samples = tmp_path / "model.tflite", tmp_path / "samples.npy"
    model.write_bytes(write(dense(dtype="float32")))
    np.save(samples, np.zeros((1, 8), np.float32))
    commands = [
        ["check", str(model)],
        ["run", str(model), str(samples)],
        ["bench", "--model", str(model)],
        ["verify", "--model", str(model)],
        ["profile", "--model", str(model)],
    ]
    for command in commands:
        finished = subprocess.run([sys.executable, "-m", "tinympy", *command], capture_output=True, text=True)
        assert finished.returncode == 2, command
        error, hint = finished.stderr.strip().splitlines()[-2:]
        assert error.startswith("error: operator 1 (FULLY_CONNECTED): weights 'filters' are int8, but")
        assert hint.startswith("hint: quantise it to full int8")
