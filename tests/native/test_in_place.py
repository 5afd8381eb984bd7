"""An output over an input: as far as compiler/overlap.py says the kernels compute the same, and hardly farther."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bit_exact import ARENA_BYTES, SEEDS, runtime
from generated import sample_input_lists
from kernel_library import KernelLibrary
from program_view import ProgramView
from test_operators import STATELESS, assert_bit_exact, is_known
from tinympy import generated as networks
from tinympy.compiler import Compiled, compile_model
from tinympy.compiler.operation import AVERAGE_POOL_2D, CONV_2D, FULLY_CONNECTED, MAX_POOL_2D
from tinympy.compiler.overlap import distance
from tinympy.compiler.parameters import Window
from tinympy.model.graph import Graph, Operator
from tinympy.model.write import write

Bytes = npt.NDArray[np.uint8]

MODELS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
# Every kernel whose output may lie over an input, by operators that use it.
OVERLAPPING = [
    *("ADD", "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "GATHER", "LOGISTIC", "LOG_SOFTMAX"),
    *("MAX_POOL_2D", "MEAN", "MUL", "PRELU", "REDUCE_MAX", "RESIZE_NEAREST_NEIGHBOR", "SOFTMAX", "SPLIT"),
    *("STRIDED_SLICE", "TRANSPOSE"),
]
# Drawn models of these seldom have an output that shows a byte written too early; these networks' always do.
TELLING = {"CONV_2D": ("kws01", CONV_2D), "FULLY_CONNECTED": ("ad01", FULLY_CONNECTED)}
OFFICIAL = Path(os.environ.get("TINYMPY_ASSETS", "."), "models")
OFFICIAL_NAMES = {
    "ad01": "ad01_int8",
    "ic01": "pretrainedResnet_quant",
    "ic02": "pretrainedResnet_large_int8",
    "kws01": "kws_ref_model",
    "sww01": "str_ww_ref_model",
    "vww01": "vww_96_int8",
}


@pytest.fixture(scope="module", params=["sanitized", "narrow", "dsp"])
def library(request: pytest.FixtureRequest) -> KernelLibrary:
    return KernelLibrary(request.param)


class Placed:
    """One operation of a program, with the value `value` at a chosen distance above its output, or apart from it."""

    def __init__(self, library: KernelLibrary, compiled: Compiled, index: int, value: int, seed: int) -> None:
        self.library, self.compiled, self.index, self.value = library, compiled, index, value
        self.operation = compiled.lowered.operations[index]
        self.values = {span.value for span in self.operation.spans}
        sizes = compiled.lowered.value_bytes
        random = np.random.default_rng(seed)
        self.content = {each: random.integers(0, 256, sizes[each], np.uint8) for each in sorted(self.values)}

    def output(self, between: int | None, before: int = 0) -> Bytes:
        """The output's bytes, which are `before` where nothing is written. None: nothing overlaps."""
        output, sizes = self.operation.output.value, self.compiled.lowered.value_bytes
        end = self.operation.scratch_bytes
        offsets = {}
        for each in self.values - {output, self.value}:
            offsets[each], end = end, end + sizes[each]
        if between is None:
            offsets[self.value], offsets[output] = end, end + sizes[self.value]
        else:
            offsets[self.value], offsets[output] = end + max(0, between), end + max(0, -between)
        view = ProgramView(self.compiled.program)
        placed = view.operations[self.index]
        placed.input = offsets[self.operation.input.value] + self.operation.input.offset
        placed.output = offsets[output] + self.operation.output.offset
        placed.scratch = 0
        for span in self.operation.further:
            placed.elementwise.input2 = offsets[span.value] + span.offset
        view.header.arena_bytes = max(self.compiled.arena.bytes, *(offsets[each] + sizes[each] for each in self.values))
        loaded = self.library.load(bytes(view))
        loaded.arena[offsets[output] : offsets[output] + sizes[output]] = before
        for each in self.values - {output}:
            loaded.arena[offsets[each] : offsets[each] + sizes[each]] = self.content[each]
        loaded.run(self.index, self.index + 1)
        return loaded.arena[offsets[output] : offsets[output] + sizes[output]].copy()


def slack_bytes(compiled: Compiled, index: int) -> int:
    """How much closer than tk.h promises the plain kernels happen to compute the same, at the most."""
    operation = compiled.lowered.operations[index]
    parameters = operation.parameters
    if operation.opcode in (AVERAGE_POOL_2D, MAX_POOL_2D):
        assert isinstance(parameters, Window)
        return parameters.channels
    pointwise = isinstance(parameters, Window) and parameters.kernel == (1, 1)
    return 1 if operation.opcode == FULLY_CONNECTED or (operation.opcode == CONV_2D and pointwise) else 0


class Found:
    """How many pairs of an input and an output overlapped, and how many outputs were wrong when one byte too near."""

    def __init__(self, library: KernelLibrary) -> None:
        self.library = library
        self.overlapping = self.too_near = 0

    def check(self, compiled: Compiled, index: int, seed: int, farther: int) -> None:
        """Compares the output at its distance above each input, and `farther` above that, with one that lies apart."""
        operation, sizes = compiled.lowered.operations[index], compiled.lowered.value_bytes
        for value in {span.value for span in operation.spans} - {operation.output.value}:
            between = distance(operation, value)
            if between is None:
                continue
            # Beyond these the two do not overlap.
            between = max(between, -sizes[value])
            if between >= sizes[operation.output.value]:
                continue
            self.overlapping += 1
            placed = Placed(self.library, compiled, index, value, seed)
            expected = placed.output(None)
            written = expected == placed.output(None, 255)
            for each in (between, between + farther):
                np.testing.assert_array_equal(placed.output(each)[written], expected[written])
            nearer = between - slack_bytes(compiled, index) - 1
            self.too_near += not np.array_equal(placed.output(nearer)[written], expected[written])


@pytest.mark.parametrize("name", OVERLAPPING)
def test_an_output_at_its_distance_is_right_and_a_nearer_one_wrong(library: KernelLibrary, name: str) -> None:
    found = Found(library)

    @MODELS
    @given(STATELESS[name](name), SEEDS, st.integers(0, 40))
    def check(graph: Graph, seed: int, farther: int) -> None:
        assume(is_known(graph))
        compiled = compile_model(write(graph))
        for index in range(len(compiled.lowered.operations)):
            found.check(compiled, index, seed, farther)

    check()
    assert found.overlapping > 5
    if name in TELLING:
        network, opcode = TELLING[name]
        compiled = compile_model(networks.build(network))
        for index, operation in enumerate(compiled.lowered.operations):
            if operation.opcode == opcode:
                found.check(compiled, index, 1, 1)
    # A kernel with packed sums reads whole rows and blocks earlier, as tk.h allows: being too near need not show.
    assert found.too_near > 0 or library.variant in ("narrow", "dsp")


def between_lookups(graph: Graph) -> Graph:
    """The same with RELU before each input and behind each int8 output, so that the operators' values can die."""
    tensors, before, behind = list(graph.tensors), [], []
    inputs, outputs = [], []
    for index in graph.inputs:
        inputs.append(len(tensors))
        tensors.append(replace(graph.tensors[index], name=f"before {index}"))
        before.append(Operator("RELU", (inputs[-1],), (index,), {}))
    for index in graph.outputs:
        if graph.tensors[index].dtype != "int8":
            outputs.append(index)
            continue
        outputs.append(len(tensors))
        tensors.append(replace(graph.tensors[index], name=f"behind {index}"))
        behind.append(Operator("RELU", (index,), (outputs[-1],), {}))
    operators = (*before, *graph.operators, *behind)
    return replace(graph, tensors=tuple(tensors), operators=operators, inputs=tuple(inputs), outputs=tuple(outputs))


# DEQUANTIZE makes floats, which nothing can follow.
@pytest.mark.parametrize("name", sorted(STATELESS.keys() - {"DEQUANTIZE"}))
def test_an_operator_between_others_is_bit_exact(library: KernelLibrary, name: str) -> None:
    @MODELS
    @given(STATELESS[name](name), SEEDS, st.booleans())
    def check(graph: Graph, seed: int, reuse_input: bool) -> None:
        ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
        assume(all(graph.tensors[index].dtype == "int8" for index in graph.inputs))
        assume(all(tensor.dtype != "int8" or tensor.quantization is not None for tensor in ends))
        assume(not set(graph.inputs) & set(graph.outputs))
        longer = between_lookups(graph)
        assert_bit_exact(library, longer, [sample_input_lists(longer, seed)], reuse_input=reuse_input)

    check()


@pytest.mark.parametrize("reuse_input", [False, True])
@pytest.mark.parametrize("weights", ["generated", "official"])
@pytest.mark.parametrize("name", sorted(OFFICIAL_NAMES))
def test_official_networks_are_bit_exact(name: str, weights: str, reuse_input: bool) -> None:
    if weights == "official" and "TINYMPY_ASSETS" not in os.environ:
        pytest.skip("TINYMPY_ASSETS is not set")
    file = OFFICIAL / f"{OFFICIAL_NAMES[name]}.tflite"
    model = networks.build(name) if weights == "generated" else file.read_bytes()
    compiled = compile_model(model, reuse_input=reuse_input)
    loaded = KernelLibrary("fast").load(compiled.program)
    assert loaded.head.keeps_input is not reuse_input
    reference = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    [tensor] = loaded.head.inputs
    random = np.random.default_rng(1)
    for _ in range(2):
        values = random.integers(-128, 128, tensor.shape).astype(np.int8)
        reference.set_input(values.view(reference.get_input_details(0)["dtype"]), 0)
        reference.invoke()
        [output] = loaded.infer(values)
        np.testing.assert_array_equal(output, reference.get_output(0).view(np.int8))
        kept = loaded.arena[tensor.offset : tensor.offset + tensor.bytes]
        assert reuse_input or np.array_equal(kept, values.reshape(-1).view(np.uint8))
