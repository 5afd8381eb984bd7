"""MLPerf Tiny's public runner drives the real interpreter: its sequences, replayed, and the files that configure it.

Models have generated weights, since the official ones are not in the repository; what a result has to be comes from the
reference engine. docs/submission.md says how the runner itself is run.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml

from public_runner import Runner, answers_to
from tinympy import boards, runner, standalone, tasks
from tinympy.deploy import Energy
from tinympy.errors import UsageError
from tinympy.model.read import read
from tinympy.reference import Interpreter
from tinympy.standalone import Served

COMMAND = [sys.executable, "-m", "tinympy"]
TASKS = {"kws01": 490, "ic01": 3072, "vww01": 27648, "ad01": 2560}


@contextmanager
def served(name: str, calibrate: bool = False) -> Iterator[Served]:
    task = tasks.LatencyOnly(tasks.get(name), "generated")
    with standalone.serving(boards.get("unix"), task, False, lambda *_: None, calibrate) as board:
        yield board


def inputs(name: str, seed: int) -> bytes:
    """A file as the data set of the task has them."""
    random = np.random.default_rng(seed)
    if name == "ad01":
        return random.normal(0, 20, 640).astype("<f4").tobytes()
    return random.integers(0, 256, TASKS[name], np.uint8).tobytes()


def expected(name: str, data: bytes, model: bytes | None = None) -> list[float]:
    """The results that the reference firmware would print for an input: scaled outputs, or the mean squared error."""
    graph = read(model or tasks.LatencyOnly(tasks.get(name), "generated").model())
    tensor, result = (graph.tensors[each[0]] for each in (graph.inputs, graph.outputs))
    assert tensor.quantization is not None and result.quantization is not None
    floats = np.frombuffer(data, "<f4") if name == "ad01" else None
    if floats is not None:
        quotients = floats / np.float32(tensor.quantization.scale[0])
        rounded = np.trunc(quotients + np.copysign(np.float32(0.5), quotients))
        values = np.clip(rounded + tensor.quantization.zero_point[0], -128, 127).astype(np.int8)
    elif name == "kws01":
        values = np.frombuffer(data, np.int8)
    else:
        values = (np.frombuffer(data, np.uint8).astype(int) - 128).astype(np.int8)
    [output] = Interpreter(graph).run(values.reshape(tensor.shape))
    scaled = (output.reshape(-1).astype(float) - result.quantization.zero_point[0]) * result.quantization.scale[0]
    return scaled.tolist() if floats is None else [float(np.mean((scaled - floats) ** 2))]


@pytest.mark.parametrize("name", TASKS)
def test_the_sequences_of_the_runner(name: str) -> None:
    with served(name) as board:
        [device] = yaml.safe_load(runner.devices_yaml(board.port, ""))
        assert answers_to(board.port, device)
        # It closes the port after it has asked who is there, and opens it again at once.
        with Runner(board.port) as first:
            assert first.identify() == ("tinympy", name)
        with Runner(board.port) as line:
            for seed in range(2):
                data = inputs(name, seed)
                # Accuracy mode: every input once.
                assert line.load(data) == ["m-load-done", "m-ready"]
                assert line.pieces == -(-len(data) // 31)
                results, elapsed_us = line.infer(1, 0)
                wanted = expected(name, data)
                digits = [int(each * 1000) / 1000 for each in wanted] if name == "kws01" else wanted
                assert results == pytest.approx(digits, abs=1e-9 if name == "kws01" else 6e-4)
                assert elapsed_us > 0
            # Performance mode: the same input repeatedly, with the same results.
            again, elapsed_us = line.infer(5, 2)
            assert again == results and elapsed_us > 0
        assert answers_to(board.port, device)


def test_all_it_sends_beside_inputs() -> None:
    with served("kws01") as board, Runner(board.port) as line:
        first, second = (
            int(re.fullmatch(r"m-lap-us-(\d+)", line.command("timestamp")[0])[1])  # type: ignore[index]
            for _ in range(2)
        )
        assert first <= second
        assert line.command("help")[0] == "ULPMark for tinyML Firmware V0.0.1"
        line.load(bytes(490))
        results, _ = line.infer(1, 0)
        assert line.command("results") == [f"m-results-[{','.join(f'{each:.3f}' for each in results)}]", "m-ready"]
        # Through the interface board pieces have 26 bytes.
        line.command("db load 490")
        replies = [line.command("db " + bytes(490)[at : at + 26].hex()) for at in range(0, 490, 26)]
        assert replies == [["m-ready"]] * 18 + [["m-load-done", "m-ready"]]
        assert line.infer(1, 0)[0] == results


def test_windows_are_long_enough_for_the_rules() -> None:
    with served("kws01", calibrate=True) as board:
        assert board.windows is not None
        [test] = yaml.safe_load(runner.tests_yaml("kws01", board.windows)).values()
        assert (test["model"], test["truth_file"]) == ("kws01", "y_labels.csv")
        [loop] = test["script"]
        assert loop == {"loop 5": ["download", f"infer {board.windows.n} 10"]}
        assert board.windows.n * board.windows.latency_s >= runner.WINDOW_S
        with Runner(board.port) as line:
            line.load(inputs("kws01", 1))
            line.infer(10, 0)


@pytest.mark.skipif("TINYMPY_ASSETS" not in os.environ, reason="TINYMPY_ASSETS is not set")
def test_the_command_writes_what_the_runner_needs(tmp_path: Path) -> None:
    files = tmp_path / "runner"
    serving = subprocess.Popen(
        [
            *COMMAND,
            "dut",
            "kws01",
            "--board",
            "unix",
            "--folder",
            str(tmp_path / "flash"),
            "--runner-files",
            str(files),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    said = "".join(iter(serving.stdout.readline, "unix runs until Ctrl-C here\n"))
    assert "-m p" in said and "-m a" in said
    [device] = yaml.safe_load((files / "devices.yaml").read_text())
    assert list(yaml.safe_load((files / "tests_performance.yaml").read_text())) == ["kws01"]
    port = re.search(r"served at (\S+):", said)
    assert port is not None and answers_to(port[1], device)
    task = tasks.get("kws01")
    with Runner(port[1]) as line:
        for sample in task.samples(20):
            line.load(sample.data)
            wanted = expected("kws01", sample.data, task.model())
            assert line.infer(1, 0)[0] == [int(each * 1000) / 1000 for each in wanted]
    serving.send_signal(signal.SIGINT)
    serving.communicate()


def test_an_emulator_takes_no_energy() -> None:
    emulated = boards.known("rp2040-emu")
    with (
        pytest.raises(UsageError, match="emulated and takes no energy"),
        standalone.serving(emulated, tasks.get("digits"), False, lambda *_: None, energy=Energy(15, 0, 9600)),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["digits", "--runner-files", "x"], "no test for digits"),
        (["digits", "--trigger", "2"], "energy mode needs a UART"),
        (["digits", "--uart", "0"], "--uart, --tx and --rx are for energy mode"),
        (["digits", "--trigger", "2", "--uart", "0", "--tx", "GP0"], "energy mode needs pins and a UART"),
    ],
)
def test_what_cannot_be_is_one_sentence(options: list[str], said: str, tmp_path: Path) -> None:
    arguments = [*COMMAND, "dut", *options, "--board", "unix", "--folder", str(tmp_path)]
    refused = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2 and said in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 2
