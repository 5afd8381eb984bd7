"""`tinympy verify`: right boards are found right, and of a wrong one the operator that is."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tinympy.device import program as layout

from tinympy import boards, connection, tasks, verification
from tinympy.compiler import Compiled, compile_model
from tinympy.compiler.operation import Channels, Operation
from tinympy.records import Board
from tinympy.reference import Interpreter
from tinympy.report import verification as report
from tinympy.subject import Subject

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tinympy", "verify"]


def verify(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert finished.returncode == code, finished.stderr
    return finished


def compared(program: bytes, compiled: Compiled, task: tasks.Task, count: int = 2) -> verification.Verification:
    """What `verify` finds on a board that was given `program` for `compiled`."""
    inputs = [sample.inputs[0].tobytes() for sample in task.samples(count)]
    with connection.serving(boards.get("unix"), task, program, lambda *_: None) as serving:
        return verification.compare(serving.dut, compiled, inputs, lambda *_: None)


def with_a_wrong_weight(compiled: Compiled, index: int, channel: int) -> bytes:
    """The program with one bit of operation `index` turned over, in the first weight of `channel`; its CRC is right."""
    program = bytearray(compiled.program)
    head = layout.Head(program)
    tensors = len(head.inputs) + len(head.outputs)
    at = layout.HEADER_BYTES + layout.TENSOR_BYTES * tensors + layout.OPERATION_BYTES * index
    _, _, tile, begin, *_ = struct.unpack_from(layout.OPERATION, program, at)
    tile_at, tile_bytes = struct.unpack_from(layout.TILE_ENTRY, program, head.tiles_at + layout.TILE_ENTRY_BYTES * tile)
    channels = compiled.lowered.operations[index].constants
    assert isinstance(channels, Channels)
    count, taps = channels.weights.shape
    step = 1 if channels.taps_first else taps
    content = tile_at + layout.TILE_BYTES
    program[content + begin + channels.encoded_bytes(count) - count * taps + channel * step] ^= 0x40
    crc32 = zlib.crc32(program[content : content + tile_bytes])
    struct.pack_into("<I", program, tile_at + layout.TILE_BYTES - 4, crc32)
    return bytes(program)


def with_channels(compiled: Compiled) -> list[tuple[int, Operation]]:
    return [(i, each) for i, each in enumerate(compiled.lowered.operations) if isinstance(each.constants, Channels)]


def liveliest_channel(compiled: Compiled, operator: int, task: tasks.Task) -> int:
    """The channel of an operator's output that varies most: not one that is cut off everywhere."""
    reference = Interpreter(compiled.graph)
    shape = compiled.graph.tensors[compiled.graph.inputs[0]].shape
    values = []
    for sample in task.samples(2):
        reference.run(sample.inputs[0].reshape(shape))
        output = reference.values[compiled.graph.operators[operator].outputs[0]]
        values.append(output.reshape(-1, output.shape[-1]))
    return int(np.argmax(np.concatenate(values).std(axis=0)))


def test_digits_agrees_and_says_how_much_was_compared() -> None:
    shown = verify("--task", "digits").stdout
    result = json.loads(verify("--task", "digits", "--json").stdout)
    assert result["agrees"] is True and result["difference"] is None
    assert f"all {result['compared_bytes']} bytes agree" in shown
    graph = compile_model(tasks.get("digits").model()).graph
    outputs = [operator.outputs[0] for operator in graph.operators if operator.name != "RESHAPE"]
    layers_bytes = sum(graph.tensors[output].elements for output in outputs)
    assert result["operators"] == len(outputs)
    assert result["compared_bytes"] == 3 * (layers_bytes + graph.tensors[graph.outputs[0]].elements)


def test_layers_agree_that_overwrite_the_input() -> None:
    assert "bytes agree" in verify("--task", "digits", "--reuse-input").stdout


def test_anybodys_model_is_verified_on_random_inputs() -> None:
    model = str(ROOT / "datasets/digits/digits_int8.tflite")
    result = json.loads(verify("--model", model, "--samples", "2", "--json").stdout)
    assert result["agrees"] is True and result["inputs"] == 2
    assert result["model"] == "digits_int8.tflite"


@pytest.mark.parametrize("name", ["kws01", "ic01", "ic02", "ad01", "sww01", "vww01"])
def test_the_official_models_agree(name: str) -> None:
    if name not in tasks.TASKS:
        pytest.skip(f"{name} is no task yet")
    task = tasks.get(name)
    assert isinstance(task, tasks.OfficialTask)
    if not task.has_model:
        pytest.skip("the official models are missing: set TINYMPY_ASSETS")
    assert "bytes agree" in verify("--task", name, "--samples", "1").stdout


@pytest.mark.parametrize("place", range(6))
def test_one_wrong_weight_is_traced_to_its_operator_and_channel(place: int) -> None:
    task = tasks.get("digits")
    compiled = compile_model(task.model(), task.name)
    operations = with_channels(compiled)
    assert len(operations) == 6
    index, operation = operations[place]
    channel = liveliest_channel(compiled, operation.operator, task)
    result = compared(with_a_wrong_weight(compiled, index, channel), compiled, task)
    assert result.difference is not None
    assert (result.difference.operator, result.difference.channel) == (operation.operator, channel)
    assert result.difference.name == compiled.graph.operators[operation.operator].name
    assert result.difference.expected != result.difference.got and not result.difference.whole


def test_what_is_reported_is_the_first_of_the_wrong_values() -> None:
    task = tasks.get("digits")
    compiled = compile_model(task.model(), task.name)
    [(index, operation), *_] = with_channels(compiled)
    program = with_a_wrong_weight(compiled, index, liveliest_channel(compiled, operation.operator, task))
    difference = compared(program, compiled, task).difference
    assert difference is not None
    inputs = [sample.inputs[0] for sample in task.samples(2)][difference.sample]
    reference = Interpreter(compiled.graph)
    reference.run(inputs.reshape(compiled.graph.tensors[compiled.graph.inputs[0]].shape))
    expected = reference.values[compiled.graph.operators[operation.operator].outputs[0]]
    with connection.serving(boards.get("unix"), task, program, lambda *_: None) as serving:
        serving.dut.load_input(inputs.tobytes())
        serving.dut.run_range(0, index + 1)
        content = serving.dut.read_arena(compiled.arena.value_offsets[operation.output.value], expected.nbytes)
    got = np.frombuffer(content, expected.dtype).reshape(expected.shape)
    first = tuple(np.argwhere(expected != got)[0])
    assert (*difference.position, difference.channel) == first
    assert (difference.expected, difference.got) == (expected[first], got[first])
    assert (difference.wrong, difference.elements) == (np.count_nonzero(expected != got), expected.size)


def test_layers_that_are_right_one_by_one_do_not_hide_a_wrong_inference() -> None:
    task = tasks.get("digits")
    compiled = compile_model(task.model(), task.name)
    [sample] = task.samples(1)
    with connection.serving(boards.get("unix"), task, compiled.program, lambda *_: None) as serving:
        infer = serving.dut.infer_sample

        def last_output_wrong(data: bytes, timeout_s: float | None = None) -> tuple[bytes, int]:
            outputs, elapsed_us = infer(data, timeout_s)
            return outputs[:-1] + bytes([outputs[-1] ^ 1]), elapsed_us

        serving.dut.infer_sample = last_output_wrong  # type: ignore[method-assign]
        result = verification.compare(serving.dut, compiled, [sample.inputs[0].tobytes()], lambda *_: None)
    assert result.difference is not None and result.difference.whole
    assert (result.difference.name, result.difference.channel) == ("SOFTMAX", 9)


def test_a_difference_is_shown_with_operator_channel_and_position() -> None:
    board = Board("unix", "/dev/pts/1", "micropython", "6.3", "x64", None, emulated=False)
    difference = verification.Difference(1, 3, "CONV_2D", "relu", (1, 8, 8, 16), (0, 2, 5), 7, -12, 35, 96, 1024)
    result = verification.Verification(2, 8, 4096, difference)
    console = Console(file=io.StringIO(), width=80, color_system=None)
    report.render(Subject("digits", "digits.tflite", "native", board), result, console)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "digits on unix (native): differs from the reference engine" in shown
    assert "operator 3 (CONV_2D), channel 7 at row 2, column 5" in shown
    assert "expected -12, got 35" in shown and "96 of 1024 values" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one task or one model"),
        (["--task", "digits", "--model", "x.tflite"], "one task or one model"),
        (["--task", "nosuch"], "no task nosuch"),
        (["--model", "nosuch.tflite"], "cannot read nosuch.tflite"),
        (["--model", "README.md"], "not a TensorFlow Lite model"),
        (["--task", "digits", "--board", "nosuch"], "nosuch"),
        (["--task", "digits", "--engine", "nosuch"], "no engine nosuch"),
    ],
)
def test_a_wrong_option_is_one_error_line_with_a_hint(arguments: list[str], message: str) -> None:
    error, hint = verify(*arguments, code=2).stderr.strip().splitlines()
    assert error.startswith("error: ") and message in error
    assert hint.startswith("hint: ")
