"""`tinympy check` as a user runs it, and whether the board `unix` then reports the same figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinympy import boards, generated
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

COMMAND = [sys.executable, "-m", "tinympy"]
DIGITS = Path(__file__).parents[2] / "datasets/digits/digits_int8.tflite"


def tinympy(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert finished.returncode == code, finished.stderr
    return finished


def check(*arguments: str | Path, code: int = 0) -> dict:
    return json.loads(tinympy("check", "--json", *arguments, code=code).stdout)


def unsupported(folder: Path) -> Path:
    """A model that takes a sine twice."""
    value = Tensor("value", (1, 8), "int8", Quantization.per_tensor(0.1))
    graph = Graph((value,) * 3, (Operator("SIN", (0,), (1,)), Operator("SIN", (1,), (2,))), (0,), (2,))
    file = folder / "sine.tflite"
    file.write_bytes(write(graph))
    return file


@pytest.mark.parametrize("task", ["digits", "kws01"])
def test_figures_are_those_that_the_board_reports(task: str, tmp_path: Path) -> None:
    bench = ("bench", "--json", "--task", task, "--mode", "performance", "--window", "0.05", "--out", tmp_path)
    [reported] = json.loads(tinympy(*bench).stdout)
    foretold = check(task, "--board", "unix")
    assert foretold["arena_bytes"] == reported["memory"]["arena_bytes"]
    assert foretold["program_bytes"] == reported["memory"]["program_bytes"]
    assert foretold["module_bytes"]["x64"] == reported["memory"]["module_bytes"]


def test_a_reused_input_is_said_and_saves_memory() -> None:
    kept, reused = (check("digits", "--memory", *options) for options in ([], ["--reuse-input"]))
    assert reused["arena_bytes"] < kept["arena_bytes"]
    assert (kept["input_reused"], reused["input_reused"]) == (False, True)
    assert reused["memory"]["lower_bound_bytes"] <= reused["memory"]["arena_bytes"] == reused["arena_bytes"]
    assert "input reused" in tinympy("check", "digits", "--reuse-input").stdout


def test_a_file_and_the_task_it_belongs_to_give_the_same_answer() -> None:
    by_file, by_name = check(DIGITS), check("digits")
    assert by_file == by_name
    assert by_file["runs"] is True and by_file["macs"] == 72_512


def test_every_known_board_is_compared_unless_some_are_named() -> None:
    assert [fit["board"] for fit in check(DIGITS)["boards"]] == [board.name for board in boards.BOARDS]
    chosen = check(DIGITS, "--board", "esp32s3", "--board", "rp2040")["boards"]
    assert [fit["board"] for fit in chosen] == ["esp32s3", "rp2040"]
    assert chosen[0]["reason"] is None and chosen[0]["fits"] is True
    assert 0.3 < chosen[0]["latency_ms_estimate"] < chosen[1]["latency_ms_estimate"] < 10
    assert "instructions" in chosen[0]["estimate_source"] and "cycles counted" in chosen[1]["estimate_source"]


def test_a_large_model_is_answered_about_too(tmp_path: Path) -> None:
    file = tmp_path / "vww01.tflite"
    file.write_bytes(generated.build("vww01"))
    assert "7 489 664" in tinympy("check", "--memory", file).stdout


def test_the_map_shows_the_peak_and_why(tmp_path: Path) -> None:
    shown = tinympy("check", DIGITS, "--memory").stdout
    assert "the peak" in shown and "▶" in shown and "the model's input, kept" in shown
    memory = check(DIGITS, "--memory")["memory"]
    assert memory["peak_bytes"] == max(row["live_bytes"] for row in memory["operations"]) <= memory["arena_bytes"]


def test_a_model_with_missing_operators_is_still_described(tmp_path: Path) -> None:
    file = unsupported(tmp_path)
    finished = tinympy("check", file, "--memory", code=2)
    assert "missing: operator 0, 1" in finished.stdout
    error, hint = finished.stderr.strip().splitlines()
    assert error == "error: not supported: SIN (operator 0, 1)" and hint.startswith("hint: ")
    described = check(file, code=2)
    assert described["runs"] is False and described["arena_bytes"] is None and described["boards"] == []
    assert described["missing"][0]["name"] == "SIN" and described["missing"][0]["indices"] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch.tflite"], "cannot read nosuch.tflite"),
        ([DIGITS, "--board", "nosuch"], "no board is called nosuch"),
        ([Path(__file__)], "not a TensorFlow Lite model"),
    ],
)
def test_a_wrong_argument_is_one_error_line_with_a_hint(arguments: list[str | Path], message: str) -> None:
    error, hint = tinympy("check", *arguments, code=2).stderr.strip().splitlines()
    assert error.startswith("error: ") and message in error
    assert hint.startswith("hint: ")


def test_boards_that_are_not_attached_are_listed_and_refused(tmp_path: Path) -> None:
    listed = json.loads(tinympy("boards", "--json").stdout)["known"]
    assert {row["board"] for row in listed if not row["attached_only"]} == {"unix", "rp2040-emu", "circuitpython-emu"}
    assert "Raspberry Pi Pico 2, Arm cores" in " ".join(tinympy("boards").stdout.split())
    refused = tinympy("bench", "--task", "digits", "--board", "teensy41", "--out", tmp_path, code=3).stderr
    assert "error: no teensy41 is attached" in refused and "--port" in refused
