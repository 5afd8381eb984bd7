"""The networks of MLPerf Tiny on the board `unix` give the bytes that tflite-micro gives, on every input supplied."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from test_verify import with_a_wrong_weight, with_channels
from tinympy import generated, tasks
from tinympy.boards import Board
from tinympy.compiler import Compiled, compile_model

pytest.importorskip("tflite_micro", reason="the package tflite-micro is missing")
sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import exactness

# tflite-micro takes 50 ms for one of ic02's; the benchmark runs all 200 pictures and as many random inputs.
OPTIONS = {"ic02": ["--samples", "20", "--random", "20"], "vww01": ["--random", "200"]}

# What the official models reach on the data that can be had without COCO, MIMII and the long recordings.
KNOWN = {
    "kws01": "1020 inputs, 12240 bytes compared, 0 mismatches; top1 0.901 of 1000; "
    "inside: 20 inputs, 1760 bytes compared, 0 mismatches (",
    "vww01": "200 inputs, 400 bytes compared, 0 mismatches; inside: 200 inputs, 52000 bytes compared, 0 mismatches (",
    "ic01": "220 inputs, 2200 bytes compared, 0 mismatches; top1 0.875 of 200; "
    "inside: 20 inputs, 1680 bytes compared, 0 mismatches (",
    "ic02": "40 inputs, 400 bytes compared, 0 mismatches; top1 ",
    "ad01": "216 inputs, 138240 bytes compared, 0 mismatches; mean_score 10.2645 of 1 (",
    "sww01": "377 inputs, 1131 bytes compared, 0 mismatches; detections 0.666667 of 3, true_positives 2, "
    "false_negatives 1, false_positives 0, calibration_correct 41, calibration_samples 45; "
    "inside: 20 inputs, 760 bytes compared, 0 mismatches (",
}


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """The benchmark's exit status, and what it prints."""
    monkeypatch.setattr(sys, "argv", ["exactness.py", *arguments])
    return exactness.main(), capsys.readouterr().out


@pytest.mark.parametrize("name", generated.NAMES)
def test_every_output_byte_is_tflite_micros(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tasks.get(name)
    assert isinstance(task, tasks.OfficialTask)
    if not task.has_model or (task.missing() and name != "vww01"):
        pytest.skip("the official models and data are missing: set TINYMPY_ASSETS")
    status, line = run(capsys, monkeypatch, "--task", name, *OPTIONS.get(name, ["--random", "20"]))
    assert status == 0 and ", 0 mismatches" in line
    if name == "ic02":
        assert "; inside: 20 inputs, 3600 bytes compared, 0 mismatches (" in line
    inputs, figures = line.removeprefix(f"unix {name} (official weights in heap): ").split(" ", 1)
    known_inputs, known_figures = KNOWN[name].split(" ", 1)
    if int(inputs) > int(known_inputs):
        pytest.skip("more data is here than that whose figures are known")
    assert inputs == known_inputs and figures.startswith(known_figures)


def test_without_official_files_the_networks_with_generated_weights_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TINYMPY_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    status, line = run(capsys, monkeypatch, "--task", "kws01", "--random", "3")
    assert status == 0
    assert line.startswith(
        "unix kws01 (generated weights in heap): 3 inputs, 36 bytes compared, 0 mismatches; inside: 3 inputs, 264 "
    )


def test_one_wrong_weight_is_a_mismatch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(board: Board, model: bytes, name: str, weights: str | None) -> Compiled:
        compiled = compile_model(model, name)
        last, _ = with_channels(compiled)[-1]
        return replace(compiled, program=with_a_wrong_weight(compiled, last, 0))

    monkeypatch.delenv("TINYMPY_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(exactness, "compile_for", wrong)
    status, line = run(capsys, monkeypatch, "--task", "kws01", "--random", "3")
    assert status == 1
    assert re.search(r"36 bytes compared, .*[1-9]\d* mismatches", line)
