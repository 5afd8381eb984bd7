"""The kernels as compiled and assembled for armv6m, under qemu-arm, compute what the package `tflite-micro` does."""

from __future__ import annotations

import importlib.util
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tinympy.device.program import Head

from bit_exact import SEEDS, reference_of
from generated import chains, sample_inputs, single_operators
from kernel_library import NATIVE_MODULES
from tinympy.compiler import compile_model
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

HERE = Path(__file__).parent
BENCHMARK = HERE.parent / "benchmarks/packed_sums.py"
COMPILER = "arm-none-eabi-gcc"
ARM = ("-std=c99", "-O2", "-mthumb", "-mcpu=cortex-m0plus", "-ffreestanding", "-fno-tree-loop-distribute-patterns")
LINK = ("-nostdlib", "-static", "-Wl,-Ttext=0x100000")
GENERATED = settings(deadline=None, suppress_health_check=list(HealthCheck))

pytestmark = pytest.mark.skipif(
    shutil.which(COMPILER) is None or shutil.which("qemu-arm") is None, reason=f"{COMPILER} or qemu-arm is missing"
)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program for qemu-arm that runs programs of the kernels."""
    kernels = NATIVE_MODULES / "kernels"
    program = tmp_path_factory.mktemp("armv6m") / "run"
    sources = [HERE / "emulated_run.c", *kernels.glob("*.c"), *kernels.glob("armv6m/*.S")]
    subprocess.run([COMPILER, *ARM, f"-I{kernels}", *LINK, *map(str, sources), "-o", str(program)], check=True)
    return program


def infer(runner: Path, program: bytes, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The one output for each of the values of the one input."""
    head = Head(program)
    [source], [target] = head.inputs, head.outputs
    arenas = bytearray()
    for values in inputs:
        arena = bytearray(head.arena_bytes)
        arena[source.offset : source.offset + source.bytes] = values.tobytes()
        arenas += arena
    request = struct.pack("<5I", len(program), head.arena_bytes, len(inputs), 0, head.operation_count)
    finished = subprocess.run(["qemu-arm", str(runner)], input=request + program + arenas, capture_output=True)
    assert finished.returncode == 0, finished
    assert len(finished.stdout) == head.arena_bytes * len(inputs)
    begins = range(target.offset, len(finished.stdout), head.arena_bytes)
    return [np.frombuffer(finished.stdout[at : at + target.bytes], np.int8).reshape(target.shape) for at in begins]


def assert_bit_exact(runner: Path, graph: Graph, inputs: list[np.ndarray], tile_bytes: int | None = None) -> None:
    model = write(graph)
    reference = reference_of(model)
    if reference is None:
        return
    for values, output in zip(
        inputs, infer(runner, compile_model(model, tile_bytes=tile_bytes).program, inputs), strict=True
    ):
        reference.set_input(values, 0)
        reference.invoke()
        np.testing.assert_array_equal(output, reference.get_output(0))


@settings(GENERATED, max_examples=200)
@given(single_operators(), SEEDS)
def test_one_operator_is_bit_exact(runner: Path, graph: Graph, seed: int) -> None:
    assert_bit_exact(runner, graph, list(sample_inputs(graph, seed)))


@settings(GENERATED, max_examples=60)
@given(chains(), SEEDS)
def test_a_chain_is_bit_exact(runner: Path, graph: Graph, seed: int) -> None:
    assert_bit_exact(runner, graph, list(sample_inputs(graph, seed)))


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
    runner: Path, name: str, kernel: tuple[int, int], depth: int, outputs: int, lowest: int
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
        assert_bit_exact(runner, graph, inputs)


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("packed_sums", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_packed_sums_and_short_products_are_exact_on_random_cases() -> None:
    command = [sys.executable, str(BENCHMARK), "--cases", "300000", "--assembly-cases", "100000"]
    finished = subprocess.run(command, capture_output=True, text=True)
    print(finished.stdout)
    exact = r"cases \d+, undecided [1-9]\d*; mismatches: rescaled 0, pairs 0, rows 0 \(\d+ s\)\n"
    assert re.fullmatch(f"plain C: {exact}assembly: {exact}", finished.stdout), finished.stderr


@pytest.mark.parametrize("name", ["plain C", "assembly"])
def test_an_edge_that_is_too_small_is_found(name: str) -> None:
    packed_sums = script()
    narrow = bytearray(packed_sums.channels(1))
    # The last byte of each channel.
    narrow[15::16] = bytes(edge // 4 for edge in narrow[15::16])
    output = packed_sums.run(name, 200000, 1, bytes(narrow))
    assert re.search(r"rescaled [1-9]\d*, pairs [1-9]\d*, rows [1-9]", output), output
