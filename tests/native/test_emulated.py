"""The kernels as compiled and assembled for each architecture, under QEMU, compute what the package `tflite-micro`
does: generated models, extreme weights and inputs, and the six reference models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tinympy.device.program import Head

import emulated as qemu
from bit_exact import ARENA_BYTES, SEEDS, reference_of, runtime
from generated import chains, sample_inputs, single_operators
from tinympy import generated as networks
from tinympy.compiler import compile_model
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

GENERATED = settings(deadline=None, suppress_health_check=list(HealthCheck))
OFFICIAL = {
    "ad01": "ad01_int8",
    "ic01": "pretrainedResnet_quant",
    "ic02": "pretrainedResnet_large_int8",
    "kws01": "kws_ref_model",
    "sww01": "str_ww_ref_model",
    "vww01": "vww_96_int8",
}
INPUTS = {"kws01": 100, "ic02": 1}


@dataclass(frozen=True)
class Emulated:
    """An architecture, and the program for its QEMU that runs programs of the kernels."""

    architecture: str
    runner: Path

    def infer(self, program: bytes, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The one output for each of the values of the one input."""
        [target] = Head(program).outputs
        outputs, _ = qemu.infer(self.architecture, self.runner, program, [values.tobytes() for values in inputs])
        return [np.frombuffer(output, np.int8).reshape(target.shape) for output in outputs]


@pytest.fixture(scope="module", params=list(qemu.EMULATED))
def emulated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Emulated:
    if program := qemu.missing(request.param):
        pytest.skip(f"{program} is missing")
    return Emulated(request.param, qemu.build(request.param, tmp_path_factory.mktemp(request.param)))


def assert_bit_exact(emulated: Emulated, graph: Graph, inputs: Sequence[np.ndarray]) -> None:
    model = write(graph)
    reference = reference_of(model)
    if reference is None:
        return
    for values, output in zip(inputs, emulated.infer(compile_model(model).program, inputs), strict=True):
        reference.set_input(values, 0)
        reference.invoke()
        np.testing.assert_array_equal(output, reference.get_output(0))


@settings(GENERATED, max_examples=120)
@given(single_operators(), SEEDS)
def test_one_operator_is_bit_exact(emulated: Emulated, graph: Graph, seed: int) -> None:
    assert_bit_exact(emulated, graph, list(sample_inputs(graph, seed)))


@settings(GENERATED, max_examples=40)
@given(chains(), SEEDS)
def test_a_chain_is_bit_exact(emulated: Emulated, graph: Graph, seed: int) -> None:
    assert_bit_exact(emulated, graph, list(sample_inputs(graph, seed)))


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_reference_model_is_bit_exact(emulated: Emulated, name: str) -> None:
    file = Path(os.environ.get("TINYMPY_ASSETS", "."), "models", f"{OFFICIAL[name]}.tflite")
    model = file.read_bytes() if file.exists() else networks.build(name)
    inputs = list(networks.random_inputs(name, INPUTS.get(name, 2)))
    outputs = emulated.infer(compile_model(model, name).program, inputs)
    for values, output in zip(inputs, outputs, strict=True):
        # A new one for each: sww01 keeps state.
        reference = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
        details = reference.get_input_details(0)
        reference.set_input(values.view(details["dtype"]).reshape(details["shape"]), 0)
        reference.invoke()
        np.testing.assert_array_equal(output, reference.get_output(0).view(np.int8).reshape(output.shape))


def windows(name: str, kernel: tuple[int, int], depth: int, outputs: int, lowest: int, seed: int) -> Graph:
    """One convolution of a 7 x 6 image with padding; weights from `lowest` to 127, many of them at the ends."""
    random = np.random.default_rng(seed)
    shape = (1, *kernel, outputs) if name == "DEPTHWISE_CONV_2D" else (outputs, *kernel, depth)
    weights = random.choice([lowest, 127, random.integers(lowest, 128), 0], shape).astype(np.int8)
    taps = weights.size // outputs
    bias = random.integers(-5000, 5000, outputs).astype(np.int32)
    options = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
    if name == "DEPTHWISE_CONV_2D":
        options["depth_multiplier"] = 1
    return Graph(
        tensors=(
            Tensor("input", (1, 7, 6, depth), "int8", Quantization.per_tensor(0.5, -128)),
            Tensor("weights", shape, "int8", Quantization.per_tensor(0.01), weights),
            Tensor("bias", bias.shape, "int32", Quantization.per_tensor(0.005), bias),
            Tensor("output", (1, 7, 6, outputs), "int8", Quantization.per_tensor(0.3 * taps**0.5, 3)),
        ),
        operators=(Operator(name, (0, 1, 2), (3,), options),),
        inputs=(0,),
        outputs=(3,),
    )


@pytest.mark.parametrize("lowest", [-127, -128])
@pytest.mark.parametrize(
    ("name", "kernel", "depth", "outputs"),
    [
        ("CONV_2D", (1, 1), 8, 8),
        ("CONV_2D", (1, 1), 68, 7),
        ("CONV_2D", (3, 3), 4, 6),
        ("CONV_2D", (3, 3), 3, 5),
        ("CONV_2D", (4, 3), 1, 1),
        ("DEPTHWISE_CONV_2D", (3, 3), 5, 5),
        ("DEPTHWISE_CONV_2D", (5, 1), 4, 4),
        ("DEPTHWISE_CONV_2D", (4, 2), 3, 3),
    ],
)
def test_extreme_weights_and_inputs_are_bit_exact(
    emulated: Emulated, name: str, kernel: tuple[int, int], depth: int, outputs: int, lowest: int
) -> None:
    for seed in range(4):
        graph = windows(name, kernel, depth, outputs, lowest, seed)
        shape = graph.tensors[0].shape
        random = np.random.default_rng(seed)
        # All lanes at one end, one lane at a time, and both ends mixed.
        inputs = [np.full(shape, -128, np.int8), np.full(shape, 127, np.int8)]
        for step in (2, 3, 4):
            values = np.full(shape, 127, np.int8).reshape(-1)
            values[::step] = -128
            inputs.append(values.reshape(shape))
        inputs += [random.choice([-128, 127], shape).astype(np.int8) for _ in range(3)]
        assert_bit_exact(emulated, graph, inputs)
