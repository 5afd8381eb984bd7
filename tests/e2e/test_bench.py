"""`tinympy bench` as a user runs it: the real command, the real interpreter, real data."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tinympy import generated, records, tasks

COMMAND = [sys.executable, "-m", "tinympy"]
KWS01_OUTPUTS = "a62256c3f761c18a7ce7f39c44ff4134df5052d96e95b5867e7f6e8db0120b96"
# Short enough for a test; the figures' worth is not what these tests are about.
QUICK = ["--window", "0.1"]


def tinympy(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120)
    assert finished.returncode == code, finished.stderr
    return finished


def bench(folder: Path, *arguments: str) -> list[dict]:
    return json.loads(tinympy("bench", "--json", "--out", str(folder), *arguments).stdout)


def need(task: str) -> None:
    missing = tasks.get(task).missing()
    if missing:
        pytest.skip(f"{missing[0]} is missing: set TINYMPY_ASSETS")


def test_digits_needs_nothing_and_gives_accuracy_latency_and_memory(tmp_path: Path) -> None:
    [result] = bench(tmp_path, "--task", "digits", *QUICK)
    assert result["accuracy"]["value"] >= 0.95
    assert result["accuracy"]["n"] == 360
    assert (result["task"], result["board"], result["engine"]) == ("digits", "unix", "native")
    assert result["emulated"] is False and result["valid"] is True
    latency = result["latency_ms"]
    assert 0 < latency["min"] <= latency["median"] <= latency["max"] and len(latency["windows"]) == 5
    assert result["throughput_ips"] == pytest.approx(1000 / latency["median"])
    assert all(value > 0 for name, value in result["memory"].items() if name != "flash_bytes")
    assert records.read(Path(result["record"])).status == "complete"


def test_kws01_is_exact_on_all_inputs(tmp_path: Path) -> None:
    need("kws01")
    [result] = bench(tmp_path, "--task", "kws01", "--mode", "accuracy")
    assert result["accuracy"] == {"metric": "top1", "value": 0.901, "n": 1000, "outputs_sha256": KWS01_OUTPUTS}
    assert result["latency_ms"] is None


def test_ad01_agrees_with_the_reference_on_the_supplied_input(tmp_path: Path) -> None:
    need("ad01")
    [result] = bench(tmp_path, "--task", "ad01", "--mode", "accuracy")
    assert result["accuracy"]["metric"] == "mean_score"
    assert result["accuracy"]["value"] == pytest.approx(10.2645, abs=5e-5)


def test_a_reused_input_is_said_and_leaves_the_accuracy_as_it_is(tmp_path: Path) -> None:
    arguments = ["--task", "digits", "--samples", "50", *QUICK]
    [kept], [reused] = bench(tmp_path, *arguments), bench(tmp_path, *arguments, "--reuse-input")
    assert reused["accuracy"] == kept["accuracy"]
    assert reused["memory"]["arena_bytes"] < kept["memory"]["arena_bytes"]
    assert (kept["input_reused"], reused["input_reused"]) == (False, True)
    said = [any(text.startswith("input reused") for text in result["warnings"]) for result in (kept, reused)]
    assert said == [False, True] and len(reused["latency_ms"]["windows"]) == 5
    program = records.read(Path(reused["record"])).program
    assert program is not None and program.input_reused


def test_arenas_are_as_small_as_promised(tmp_path: Path) -> None:
    need("kws01")
    need("ad01")
    kws01, ad01 = bench(tmp_path, "--task", "kws01", "--task", "ad01", "--mode", "performance", *QUICK)
    assert kws01["memory"]["arena_bytes"] <= 24272
    assert ad01["memory"]["arena_bytes"] <= 4640


def test_a_few_samples_are_marked_as_few(tmp_path: Path) -> None:
    [result] = bench(tmp_path, "--task", "digits", "--mode", "accuracy", "--samples", "7")
    assert result["accuracy"]["n"] == 7
    assert any("7 samples" in warning for warning in result["warnings"])


def test_the_table_shows_every_task_and_where_the_records_are(tmp_path: Path) -> None:
    shown = tinympy("bench", "--task", "digits", "--out", str(tmp_path), *QUICK).stdout
    [record] = tmp_path.glob("*.json")
    assert "digits" in shown and "98.6 %" in shown
    assert record.name in shown.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "nosuch"], "there is no task nosuch"),
        (["--board", "nosuch"], "nosuch"),
        (["--mode", "nosuch"], "there is no mode nosuch"),
        (["--mode", "accuracy", "--weights", "generated"], "generated weights have no accuracy"),
        (["--engine", "nosuch"], "there is no engine nosuch"),
        (["--window", "0"], "a window of 0 s"),
        (["--assets", "/nonexistent"], "not a folder"),
        (["--task", "digits", "--out", "/proc/nowhere"], "cannot write the record"),
    ],
)
def test_a_wrong_option_is_one_error_line_with_a_hint(arguments: list[str], message: str) -> None:
    finished = tinympy("bench", *arguments, code=2)
    error, hint = finished.stderr.strip().splitlines()
    assert error.startswith("error: ") and message in error
    assert hint.startswith("hint: ")


def test_missing_official_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYMPY_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    finished = tinympy("bench", "--task", "kws01", "--weights", "official", code=2)
    assert "models/kws_ref_model.tflite" in finished.stderr and "tinympy assets fetch kws01" in finished.stderr


def test_without_any_official_file_every_task_shows_latency_and_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TINYMPY_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    digits, *others = bench(tmp_path / "results", *QUICK)
    assert digits["accuracy"]["value"] >= 0.95 and digits["weights"] is None
    assert [result["task"] for result in others] == [name for name in tasks.TASKS if name != "digits"]
    for result in others:
        assert result["weights"] == "generated" and result["accuracy"] is None and result["valid"] is True
        assert result["latency_ms"]["median"] > 0 and all(
            value > 0 for name, value in result["memory"].items() if name != "flash_bytes"
        )
        assert result["warnings"][0].startswith("generated weights: no accuracy")
        stored = records.read(Path(result["record"]))
        assert stored.model.sha256 == hashlib.sha256(generated.build(result["task"])).hexdigest()
        assert stored.model.weights == "generated" and stored.task.target is None
        assert stored.warnings[0].startswith("generated weights: no accuracy")


def test_generated_weights_take_the_memory_of_the_official_ones(tmp_path: Path) -> None:
    need("kws01")
    arguments = ("--task", "kws01", "--mode", "performance", *QUICK)
    [original] = bench(tmp_path, *arguments)
    [copy] = bench(tmp_path, *arguments, "--weights", "generated")
    assert original["weights"] == "official" and copy["weights"] == "generated"
    assert copy["model_sha256"] != original["model_sha256"]
    assert copy["memory"] == original["memory"]


def test_a_model_of_ones_own_is_scored_on_the_official_data(tmp_path: Path) -> None:
    need("kws01")
    model, statement = tmp_path / "mine.tflite", tmp_path / "mine.json"
    model.write_bytes(generated.build("kws01"))
    calibration = "keyword_spotting/quant_cal_idxs.txt"
    statement.write_text(json.dumps({"source_sha256": "ab" * 32, "method": "random", "calibration": calibration}))
    arguments = ("bench", "kws01", "--weights", str(model), *QUICK, "--json", "--out", str(tmp_path / "results"))
    # It knows nothing: that is allowed in the open division, and below the target of the closed one.
    [open_] = json.loads(tinympy(*arguments).stdout)
    [closed] = json.loads(tinympy(*arguments, "--quantisation", str(statement), code=6).stdout)
    for result, division in ((open_, "open"), (closed, "closed")):
        record = records.read(Path(result["record"]))
        assert record.rules is not None and record.rules.division == division
        assert result["weights"] == "own" and result["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
        assert result["accuracy"]["n"] == 1000 and result["accuracy"]["value"] < 0.3
    assert open_["valid"] and open_["warnings"][0].startswith("open division: ")
    assert closed["invalid_reason"].endswith("below the target of 90.0 %")


class RunningBench:
    """`tinympy bench` in the background, waited for until its record holds a window."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*COMMAND, "bench", "--task", "digits", "--window", "3", "--out", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline_s = time.monotonic() + 60
        while not self._has_window():
            assert time.monotonic() < deadline_s and self.process.poll() is None
            time.sleep(0.05)

    def _has_window(self) -> bool:
        found = list(self.folder.glob("*.json"))
        return bool(found) and found[0].stat().st_size > 0 and bool(records.read(found[0]).windows)

    @property
    def interpreter(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        [child] = children
        return int(child)

    def after(self, action: Callable[[], None]) -> tuple[int, list[str], records.Record, float]:
        """Exit code, lines of standard error, the record, and how many seconds it took from the action on."""
        start_s = time.monotonic()
        action()
        _, errors = self.process.communicate(timeout=30)
        took_s = time.monotonic() - start_s
        [record] = self.folder.glob("*.json")
        return self.process.returncode, errors.strip().splitlines(), records.read(record), took_s


def test_a_killed_interpreter_is_an_error_at_once_and_keeps_the_windows(tmp_path: Path) -> None:
    running = RunningBench(tmp_path)
    code, lines, record, took_s = running.after(lambda: os.kill(running.interpreter, signal.SIGKILL))
    assert code == 4
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert "disappeared" in lines[0]
    assert took_s < 10
    assert record.status == "failed" and record.windows and record.accuracy is not None


def test_ctrl_c_ends_with_130_and_keeps_the_windows(tmp_path: Path) -> None:
    running = RunningBench(tmp_path)
    code, lines, record, took_s = running.after(lambda: running.process.send_signal(signal.SIGINT))
    assert code == 130
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert took_s < 10
    assert record.status == "interrupted" and record.windows and record.accuracy is not None
