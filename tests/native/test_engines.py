"""The engines in Python compute what the `tflite-micro` package computes, on generated models of every operator.

`python` and `ulab` (over ulab_on_numpy) run here, `python` and `viper` on the real MicroPython, many models a process;
so does `ulab` where a MicroPython is that has it (docs/boards.md).
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from tinympy.device import python as python_engine
from tinympy.device.program import Head
from tinympy.device.python import PythonEngine
from tinympy.device.viper import ViperEngine

import generated_stateful
from bit_exact import ARENA_BYTES, SEEDS, reference_of, runtime
from engine_library import EngineLibrary
from generated import Builder, chains, conv_2d, fully_connected, sample_input_lists
from program_view import TK_H
from test_operators import STATEFUL, STATELESS, assert_bit_exact, inside, is_known, outside
from tinympy import ulab_on_numpy
from tinympy.compiler import compile_model
from tinympy.firmware import folder
from tinympy.model.graph import Graph
from tinympy.model.write import write

DEVICE = Path(__file__).parents[2] / "device"

# One or more for every kernel; of the others, whose kernels these share, a few models are enough.
BY_KERNEL = [
    *("ADD", "ARG_MAX", "ARG_MIN", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D"),
    *(
        "FULLY_CONNECTED",
        "GATHER",
        "LOGISTIC",
        "LOG_SOFTMAX",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MEAN",
        "MINIMUM",
        "MUL",
        "PAD",
    ),
    *("PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RESIZE_BILINEAR", "SOFTMAX", "STRIDED_SLICE", "SUB", "SUM"),
    *("TRANSPOSE",),
]
WITH_PRODUCTS = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"]
COMPILED = ["ADD", "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "LOGISTIC", "MAX_POOL_2D"]
WITH_ULAB = folder() / "micropython-ulab"
needs_ulab = pytest.mark.skipif(not WITH_ULAB.is_file(), reason=f"no MicroPython with ulab is at {WITH_ULAB}")
MODELS = int(os.environ.get("TINYMPY_ENGINE_MODELS", "200"))
FEW = 8


def models(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # Shrinking a model that an interpreter refuses would take minutes.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
    )


@pytest.fixture(scope="module", autouse=True)
def ulab() -> Iterator[None]:
    ulab_on_numpy.install()
    yield
    for name in ("ulab", "ulab.numpy"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def on_ulab(ulab: None) -> EngineLibrary:
    from tinympy.device.ulab import UlabEngine

    return EngineLibrary(UlabEngine)


@pytest.mark.parametrize("name", sorted(STATELESS))
def test_an_operator_in_python_is_bit_exact(name: str) -> None:
    check_operator(EngineLibrary(PythonEngine), name, MODELS if name in BY_KERNEL else FEW)


@pytest.mark.parametrize("name", WITH_PRODUCTS)
def test_an_operator_on_ulab_is_bit_exact(on_ulab: EngineLibrary, name: str) -> None:
    check_operator(on_ulab, name, MODELS)


def check_operator(library: EngineLibrary, name: str, count: int) -> None:
    @models(count)
    @given(STATELESS[name](name), SEEDS)
    def check(graph: Graph, seed: int) -> None:
        assume(is_known(graph))
        assert_bit_exact(library, graph, [sample_input_lists(graph, seed)[:2]])

    check()


@pytest.mark.parametrize("name", STATEFUL)
def test_a_stateful_operator_in_python_is_bit_exact_over_frames_and_after_a_reset(name: str) -> None:
    @models(MODELS if name in ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM") else FEW)
    @given(generated_stateful.single(name), SEEDS, st.booleans())
    def check(graph: Graph, seed: int, reuse_input: bool) -> None:
        frames = sample_input_lists(graph, seed)[:3]
        assert_bit_exact(EngineLibrary(PythonEngine), graph, [frames] * 2, reuse_input=reuse_input)

    check()


def test_a_chain_that_works_in_place_is_bit_exact(on_ulab: EngineLibrary) -> None:
    @models(MODELS // 4)
    @given(chains(), SEEDS, st.booleans())
    def check(graph: Graph, seed: int, reuse_input: bool) -> None:
        assume(reference_of(write(graph)) is not None)
        for library in (EngineLibrary(PythonEngine), on_ulab):
            assert_bit_exact(library, graph, [sample_input_lists(graph, seed)[:1]], reuse_input=reuse_input)

    check()


@pytest.mark.parametrize("inputs", [512, 513, 1024, 1025, 2100])
def test_sums_beyond_what_floats_hold_are_exact_on_ulab(on_ulab: EngineLibrary, inputs: int) -> None:
    @models(20)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        builder = Builder(data.draw)
        builder.start((1, inputs))
        fully_connected(builder)
        graph = builder.graph()
        assume(reference_of(write(graph)) is not None)
        assert_bit_exact(on_ulab, graph, [sample_input_lists(graph, data.draw(SEEDS))])

    check()


@pytest.mark.parametrize("depth", [1023, 1024, 1025, 2100])
def test_long_filters_are_exact_on_ulab(on_ulab: EngineLibrary, depth: int) -> None:
    @models(10)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        builder = Builder(data.draw)
        builder.start((1, 1, 1, depth))
        conv_2d(builder)
        graph = builder.graph()
        assume(reference_of(write(graph)) is not None)
        assert_bit_exact(on_ulab, graph, [sample_input_lists(graph, data.draw(SEEDS))])

    check()


def test_the_engines_know_every_kernel() -> None:
    kernels = {int(number): name for number, name in re.findall(r"KERNEL\((\d+), (\w+)\)", TK_H)}
    assert {opcode: name for opcode, (_, name) in python_engine.OPERATORS.items()} == kernels
    assert all(python_engine.OPERATORS[opcode][1] == name for opcode, (_, name) in ViperEngine.faster.items())


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        *(("python", name) for name in [*BY_KERNEL, *STATEFUL]),
        *(("viper", name) for name in [*COMPILED, "SOFTMAX"]),
        *(pytest.param("ulab", name, marks=needs_ulab) for name in WITH_PRODUCTS),
    ],
)
def test_an_operator_on_micropython_is_bit_exact(tmp_path: Path, engine: str, name: str) -> None:
    cases: list[bytes] = []
    source = generated_stateful.single(name) if name in STATEFUL else STATELESS[name](name)

    @models(FEW if engine == "python" else MODELS)
    @given(source, SEEDS)
    def draw(graph: Graph, seed: int) -> None:
        assume(is_known(graph))
        cases.append(case(graph, seed))

    draw()
    file = tmp_path / "cases"
    file.write_bytes(b"".join(cases))
    program = ON_MICROPYTHON.format(path=str(DEVICE), file=str(file), engine=engine, kind=engine.capitalize())
    packaged = f"from micropython_unix import run_main; run_main(['micropython', '-c', {program!r}])"
    command = [str(WITH_ULAB), "-c", program] if engine == "ulab" else [sys.executable, "-c", packaged]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.stdout.split("\n")[-2:] == [f"{len(cases)} models are right", ""], ran.stdout[-400:] + ran.stderr[-800:]


def case(graph: Graph, seed: int) -> bytes:
    """A program, and two inferences' inputs and outputs, as ON_MICROPYTHON reads them."""
    model = write(graph)
    program = compile_model(model).program
    head = Head(program)
    reference = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    parts = [program]
    for values in sample_input_lists(graph, seed)[:2]:
        for position, value in enumerate(values):
            reference.set_input(value, position)
        reference.invoke()
        given_inputs = [inside(value, info).tobytes() for value, info in zip(values, head.inputs, strict=True)]
        outputs = []
        for position, info in enumerate(head.outputs):
            expected = reference.get_output(position)
            if info.dtype == "float32":
                # Every number that the arena may hold, as the model shows it.
                levels = outside(np.arange(-128, 128).astype(np.int8), info)
                expected = (np.searchsorted(levels, expected.reshape(-1)) - 128).astype(np.int8)
            outputs.append(expected.tobytes())
        parts += [b"".join(given_inputs), b"".join(outputs)]
    if len(parts) == 1:
        parts += [b"", b""] * 2
    elif len(parts) == 3:
        parts += parts[1:]
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


ON_MICROPYTHON = """
import struct, sys
sys.path.insert(0, {path!r})
from tinympy.model import Model
from tinympy.{engine} import {kind}Engine
right = 0
with open({file!r}, "rb") as file:
    def part():
        return file.read(struct.unpack("<I", file.read(4))[0])
    while True:
        begin = file.read(4)
        if not begin:
            break
        model = Model(bytearray(file.read(struct.unpack("<I", begin)[0])), engine={kind}Engine)
        same = True
        for _ in range(2):
            given, expected = part(), part()
            at = 0
            for view in model.inputs:
                view[:] = given[at : at + len(view)]
                at += len(view)
            model.run()
            same = same and b"".join([bytes(view) for view in model.outputs]) == expected
        if not same:
            print("model", right, "is wrong")
            break
        right += 1
print(right, "models are right")
"""
