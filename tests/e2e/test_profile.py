"""`tinympy profile`: every layer is timed on the board, and the files say what the table says."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinympy import tasks

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tinympy", "profile", "--window", "0.005"]


def profile(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120)
    assert finished.returncode == code, finished.stderr
    return finished


def test_digits_is_profiled_layer_by_layer(tmp_path: Path) -> None:
    table = tmp_path / "layers.csv"
    result = json.loads(profile("--task", "digits", "--json", "--csv", str(table)).stdout)
    layers = result["layers"]
    names = ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "AVERAGE_POOL_2D"]
    assert [layer["name"] for layer in layers] == [*names, "FULLY_CONNECTED", "SOFTMAX"]
    assert [layer["operator"] for layer in layers] == [0, 1, 2, 3, 4, 5, 7, 8]
    # 8×8×16 outputs of 3×3 taps; 4×4×32 outputs of 32 inputs.
    assert [layers[0]["macs"], layers[4]["macs"], layers[7]["macs"]] == [9216, 16384, 0]
    # One 8×8 picture; 16 channels of 9 weights and 12 bytes of bias, multiplier, shift and hints.
    assert layers[0]["bytes_read"] == 64 + 16 * (9 + 12)
    assert sum(layer["share"] for layer in layers) == pytest.approx(1)
    assert all(layer["min_us"] <= layer["time_us"] <= layer["max_us"] for layer in layers)
    assert result["sum_us"] == pytest.approx(sum(layer["time_us"] for layer in layers))
    assert result["difference_us"] == pytest.approx(result["whole_us"] - result["sum_us"])
    assert len(result["whole_windows_us"]) == result["windows"] > 1
    # The layers are most of the whole, on any computer and however busy.
    assert 0.2 < result["sum_us"] / result["whole_us"] < 5
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [float(row["time_us"]) for row in rows] == [layer["time_us"] for layer in layers]


def test_a_reused_input_is_said() -> None:
    result = json.loads(profile("--task", "digits", "--json", "--reuse-input").stdout)
    assert result["caveat"].startswith("input reused") and result["sum_us"] > 0


def test_anybodys_model_is_profiled_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    chart = tmp_path / "layers.svg"
    model = str(ROOT / "datasets/digits/digits_int8.tflite")
    shown = profile("--model", model, "--chart", str(chart)).stdout
    assert "DEPTHWISE_CONV_2D" in shown and "whole inference" in shown and "random inputs" in shown
    assert "</svg>" in chart.read_text()


def test_the_official_keyword_model_is_profiled() -> None:
    if tasks.get("kws01").missing():
        pytest.skip("the official files are missing: set TINYMPY_ASSETS")
    result = json.loads(profile("--task", "kws01", "--json").stdout)
    assert sum(layer["macs"] for layer in result["layers"]) == 2_656_768
    assert max(result["layers"], key=lambda layer: layer["time_us"])["name"] == "CONV_2D"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one task or one model"),
        (["--task", "digits", "--chart", "x.pdf"], "no chart can be written to x.pdf"),
        (["--task", "digits", "--chart", "nowhere/x.svg"], "no such folder"),
        (["--task", "digits", "--csv", "nowhere/x.csv"], "cannot write nowhere/x.csv"),
    ],
)
def test_a_wrong_option_is_one_error_line_with_a_hint(arguments: list[str], message: str) -> None:
    error, hint = profile(*arguments, code=2).stderr.strip().splitlines()
    assert error.startswith("error: ") and message in error
    assert hint.startswith("hint: ")
