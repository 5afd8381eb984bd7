"""The engines on the board `unix`: each gives the bytes that tflite-micro gives, and the command compares them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinympy import patience
from tinympy.cli import app
from tinympy.compiler import compile_model
from tinympy.engines import ENGINES
from tinympy.firmware import folder
from tinympy.speed_ups import from_document

pytest.importorskip("tflite_micro", reason="the package tflite-micro is missing")
sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import engines as benchmark

ON_UNIX = ["native", "viper", "python"]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(("name", "inputs"), [("digits", 50), ("ad01", 10), ("kws01", 2)])
@pytest.mark.parametrize("engine", ["python", "viper", benchmark.ON_NUMPY])
def test_every_output_byte_is_tflite_micros(name: str, inputs: int, engine: str) -> None:
    compared = benchmark.exact(name, engine, inputs * (5 if engine == "viper" else 1))
    assert compared.mismatches == 0 and compared.bytes > 0


@pytest.mark.skipif(
    not (folder() / benchmark.WITH_ULAB).is_file(),
    reason=f"no MicroPython with ulab, {benchmark.WITH_ULAB}, is in {folder()}: docs/boards.md says how to build one",
)
@pytest.mark.parametrize("name", ["digits", "ad01", "kws01"])
@pytest.mark.parametrize("engine", benchmark.ENGINES)
def test_every_output_byte_is_tflite_micros_on_firmware_with_ulab(name: str, engine: str) -> None:
    compared = benchmark.exact(name, engine, 20 if engine == "python" else 60, benchmark.WITH_ULAB)
    assert compared.mismatches == 0 and compared.bytes > 0


@pytest.mark.parametrize("engine", ["viper", "python"])
def test_every_layer_is_the_reference_engines(engine: str) -> None:
    found = json.loads(run("verify", "--task", "digits", "--board", "unix", "--engine", engine, "--json"))
    assert found["engine"] == engine and found["difference"] is None and found["operators"] == 8


def test_layers_are_profiled_and_models_run_with_an_engine_in_python(tmp_path: Path) -> None:
    options = ("--board", "unix", "--engine", "viper", "--json")
    profiled = json.loads(run("profile", "--task", "digits", "--window", "0.002", *options))
    assert profiled["engine"] == "viper" and len(profiled["layers"]) == 8
    inputs = Path(__file__).parents[2] / "datasets/digits/inputs.npy"
    model = inputs.with_name("digits_int8.tflite")
    ran = json.loads(run("run", str(model), str(inputs), "--samples", "2", *options))
    native = json.loads(run("run", str(model), str(inputs), "--samples", "2", "--board", "unix", "--json"))
    assert [each["raw"] for each in ran["inferences"]] == [each["raw"] for each in native["inferences"]]


def test_engines_are_measured_side_by_side(tmp_path: Path) -> None:
    options = ("--board", "unix", "--samples", "5", "--window", "0.05", "--out", str(tmp_path))
    found = json.loads(run("bench", "digits", "--engine", ",".join(ON_UNIX), *options, "--json"))
    assert [each["engine"] for each in found] == ON_UNIX
    assert len({each["accuracy"]["outputs_sha256"] for each in found}) == 1
    medians = [each["latency_ms"]["median"] for each in found]
    assert [each["speed_up"] for each in found] == pytest.approx([max(medians) / each for each in medians])
    records = [json.loads(Path(each["record"]).read_text()) for each in found]
    hashes = [record["engine"]["build_sha256"] for record in records]
    assert len(set(hashes)) == 3 and all(len(each) == 64 for each in hashes)
    # The C kernels allocate nothing, the others do.
    # One record speaks of memory as the table does.
    assert [each["memory"]["module_bytes"] for each in found[1:]] == [ENGINES[each].ram_bytes for each in ON_UNIX[1:]]
    shown = run("report", str(tmp_path))
    assert all(engine in shown for engine in ON_UNIX)
    page = tmp_path / "report.html"
    run("report", str(tmp_path), "--out", str(page))
    assert "Engines: digits on unix" in page.read_text(encoding="utf-8")


def test_firmware_without_ulab_is_refused_with_the_reason() -> None:
    result = CliRunner().invoke(app, ["verify", "--task", "digits", "--board", "unix", "--engine", "ulab"])
    assert "without ulab" in str(result.exception) and "--engine python" in result.exception.hint  # type: ignore[union-attr]


def test_what_would_take_hours_is_refused_with_how_long_it_would_take(tmp_path: Path) -> None:
    arguments = ["bench", "digits", "--board", "unix", "--engine", "python", "--mode", "performance"]
    result = CliRunner().invoke(app, [*arguments, "--warmup", "10000000", "--out", str(tmp_path)])
    error = result.exception
    assert "digits with the engine python on unix would take" in str(error) and " h: " in str(error)
    assert "--warmup 0" in error.hint  # type: ignore[union-attr]
    assert not list(tmp_path.iterdir())


def test_a_profile_that_would_take_hours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LONGEST_S", 0.01)
    arguments = ["profile", "--task", "digits", "--board", "unix", "--engine", "viper", "--window", "0.002"]
    error = CliRunner().invoke(app, arguments).exception
    assert "digits with the engine viper on unix would take 0.0 h: 9 windows of each layer" in str(error)
    assert "a faster engine" in error.hint  # type: ignore[union-attr]


def test_slow_engines_get_the_time_that_they_need() -> None:
    compiled = compile_model((Path(__file__).parents[2] / "datasets/digits/digits_int8.tflite").read_bytes(), "digits")
    seconds = [patience.inference_s(compiled, each) for each in ENGINES]
    # 72512 multiply-accumulates; on the emulated RP2040 an inference takes 0.0045, 0.137, 0.85 and 4.45 s.
    assert seconds == pytest.approx([0.0725, 0.725, 14.5, 14.5], rel=0.01)


def test_an_unknown_engine_is_refused() -> None:
    result = CliRunner().invoke(app, ["bench", "digits", "--engine", "native,fortran"])
    assert "no engine fortran" in str(result.exception)


def test_engines_in_python_are_deployed_only_where_they_are_asked_for(tmp_path: Path) -> None:
    others = {file for name, engine in ENGINES.items() if name != "native" for file in engine.files}
    folder = ("--board", "unix", "--folder", str(tmp_path))
    run("deploy", "digits", *folder)
    there = {path.stem for path in tmp_path.rglob("lib/tinympy/*.*py")}
    assert "native" in there and "_native" in there and not there & others
    run("deploy", "digits", "--engine", "python", *folder)
    there = {path.stem for path in tmp_path.rglob("lib/tinympy/*.*py")}
    assert set(ENGINES["python"].files) <= there and not there & {"native", "_native", "viper", "ulab"}
    code = f"import sys; sys.path[:] = [{str(tmp_path / 'lib')!r}]; import tinympy; m = tinympy.load('digits'); "
    code += "print(m._engine.name, m.predict([0] * 64))"
    ran = subprocess.run(
        [sys.executable, "-c", f"from micropython_unix import run_main; run_main(['micropython', '-c', {code!r}])"],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert ran.stdout.startswith("python ["), ran.stderr


def test_the_table_in_the_readme_is_that_of_its_figures() -> None:
    found = from_document(json.loads(benchmark.FIGURES.read_text(encoding="utf-8")))
    text = benchmark.README.read_text(encoding="utf-8")
    assert benchmark.TABLE.search(text) and benchmark.with_table(text, found) == text
    assert [(each.task, each.board) for each in found] == [(name, "unix") for name in benchmark.COMPARED]
    for each in found:
        slowest = max(row.median_ms for row in each.rows)
        assert [row.engine for row in each.rows] == list(benchmark.ENGINES)
        assert len({row.firmware for row in each.rows}) == 1
        assert [row.speed_up for row in each.rows] == pytest.approx([slowest / row.median_ms for row in each.rows])
