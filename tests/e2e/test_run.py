"""`tinympy run`: the outputs are those of the reference engine, whatever form the inputs came in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tinympy import generated, tasks
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.read import read
from tinympy.model.write import write
from tinympy.reference import Interpreter

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "datasets/digits/digits_int8.tflite"
INPUTS = ROOT / "datasets/digits/inputs.npy"
COMMAND = [sys.executable, "-m", "tinympy", "run"]


def run(
    *arguments: str | Path, code: int = 0, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert finished.returncode == code, finished.stderr
    return finished


def reference(inputs: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(read(MODEL.read_bytes()))
    return np.concatenate([interpreter.run(each[None])[0] for each in inputs])


def test_every_input_of_a_file_is_run_and_the_raw_outputs_are_kept(tmp_path: Path) -> None:
    shown = run(MODEL, INPUTS, "-o", tmp_path / "out.npy").stdout
    outputs = np.load(tmp_path / "out.npy")
    assert outputs.dtype == np.int8 and outputs.shape == (360, 10)
    assert np.array_equal(outputs, reference(np.load(INPUTS)))
    assert "top 3 classes" in shown and "340 more are not shown" in shown
    first = int(np.argmax(outputs[0]))
    [line] = [line for line in shown.splitlines() if line.startswith("inputs.npy[0]")]
    assert line.split()[1:4] == [f"{first}:", f"{(int(outputs[0, first]) + 128) / 256:.4g}", f"({outputs[0, first]})"]


def test_json_has_raw_and_real_outputs_and_the_class(tmp_path: Path) -> None:
    result = json.loads(run(MODEL, INPUTS, "--samples", "2", "--json").stdout)
    expected = reference(np.load(INPUTS)[:2])
    assert [each["raw"] for each in result["inferences"]] == [[row.tolist()] for row in expected]
    assert [each["class"] for each in result["inferences"]] == [str(row.argmax()) for row in expected]
    assert result["inferences"][0]["real"][0] == ((expected[0].astype(float) + 128) / 256).tolist()
    assert all(each["time_us"] > 0 for each in result["inferences"])
    assert result["outputs"][0]["scale"] == 1 / 256 and result["stateful"] is False


def test_bytes_floats_and_integers_of_the_same_input_give_the_same_outputs(tmp_path: Path) -> None:
    image = np.load(INPUTS)[7]
    (tmp_path / "a.bin").write_bytes(image.tobytes())
    np.save(tmp_path / "b.npy", (image.astype(np.float32) + 128) / 16)
    np.save(tmp_path / "c.npy", image)
    files = [tmp_path / name for name in ("a.bin", "b.npy", "c.npy")]
    result = json.loads(run(MODEL, *files, "--json").stdout)
    assert [each["input"] for each in result["inferences"]] == ["a.bin", "b.npy", "c.npy"]
    assert [each["raw"] for each in result["inferences"]] == [[reference(image[None])[0].tolist()]] * 3
    assert len(result["inputs_how"]) == 3


def test_a_picture_of_a_digit_is_recognised(tmp_path: Path) -> None:
    pictures = pytest.importorskip("PIL.Image")
    image, label = np.load(INPUTS)[4], tasks.get("digits").samples(5)[4].label
    grey = ((image.reshape(8, 8).astype(int) + 128) * 255 // 256).astype(np.uint8)
    pictures.fromarray(grey).resize((64, 64), pictures.Resampling.BICUBIC).convert("RGB").save(tmp_path / "digit.png")
    (tmp_path / "labels.txt").write_text("\n".join(f"digit-{digit}" for digit in range(10)))
    arguments = [MODEL, tmp_path / "digit.png", "--pixels", "0", "16", "--labels", tmp_path / "labels.txt"]
    shown = run(*arguments, "--top", "1").stdout
    assert f"digit-{label}: " in shown
    assert "resized to 8×8" in shown and "grey" in shown and "0…16" in shown


def test_a_streaming_model_keeps_its_state_from_input_to_input(tmp_path: Path) -> None:
    found = find_spec("pymicro_wakeword")
    if found is None or found.origin is None:
        pytest.skip("pymicro-wakeword is missing")
    model = Path(found.origin).parent / "models" / "okay_nabu.tflite"
    frames = np.random.RandomState(3).randint(-128, 128, (30, 1, 3, 40), np.int8)
    np.save(tmp_path / "frames.npy", frames)
    interpreter = Interpreter(read(model.read_bytes()))
    expected = [interpreter.run(frame)[0].reshape(-1).tolist() for frame in frames]
    result = json.loads(run(model, tmp_path / "frames.npy", "--json").stdout)
    assert [each["raw"][0] for each in result["inferences"]] == expected
    assert result["stateful"] is True
    assert "reset before the first" in run(model, tmp_path / "frames.npy", "--samples", "1").stdout


def test_the_reference_engine_gives_the_same_outputs_without_a_board(tmp_path: Path) -> None:
    native = json.loads(run(MODEL, INPUTS, "--samples", "3", "--json").stdout)
    result = json.loads(run(MODEL, INPUTS, "--samples", "3", "--json", "--engine", "reference").stdout)
    assert [each["raw"] for each in result["inferences"]] == [each["raw"] for each in native["inferences"]]
    assert (result["engine"], result["board"], result["inferences"][0]["time_us"]) == ("reference", None, None)
    floats = np.random.RandomState(2).uniform(-40, 40, (4, 1, 4)).astype(np.float32)
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, floats)
    model = two_by_two(tmp_path)
    for engine in ("native", "reference"):
        run(model, tmp_path / "a.npy", tmp_path / "b.npy", "--engine", engine, "-o", tmp_path / f"{engine}.npz")
    native_outputs, outputs = (np.load(tmp_path / f"{engine}.npz") for engine in ("native", "reference"))
    assert sorted(outputs) == ["output0", "output1"]
    assert all(np.array_equal(outputs[name], native_outputs[name]) for name in outputs)


def test_the_model_of_a_task_can_be_run() -> None:
    result = json.loads(run("--task", "digits", INPUTS, "--samples", "2", "--json").stdout)
    expected = reference(np.load(INPUTS)[:2])
    assert result["task"] == "digits"
    assert [each["raw"] for each in result["inferences"]] == [[row.tolist()] for row in expected]


def spoken(file: Path, seconds: float = 1.6) -> Path:
    """Noise that grows and fades, and a tone in the middle."""
    time_s = np.arange(int(16000 * seconds)) / 16000
    noise = np.random.RandomState(4).normal(size=len(time_s)) * 4000 * np.sin(np.pi * time_s / seconds)
    tone = 9000 * np.sin(2 * np.pi * 800 * time_s) * (abs(time_s - seconds / 2) < 0.2)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(np.round(noise + tone).clip(-32768, 32767).astype("<i2").tobytes())
    return file


def test_sww01_hears_a_recording_hop_by_hop(tmp_path: Path) -> None:
    nowhere = {name: value for name, value in os.environ.items() if name != "TINYMPY_ASSETS"}
    nowhere["XDG_CACHE_HOME"] = str(tmp_path)
    arguments = ["--task", "sww01", spoken(tmp_path / "s.wav"), "-o", tmp_path / "out.npy"]
    result = json.loads(run(*arguments, "--json", environment=nowhere).stdout)
    hearing = tasks.get("sww01").hearing
    assert hearing is not None
    windows = hearing.windows((tmp_path / "s.wav").read_bytes(), "s.wav")
    assert len(windows) == 50
    interpreter = Interpreter(read(generated.build("sww01")))
    expected = np.concatenate([interpreter.run(window.reshape(1, 30, 1, 40))[0] for window in windows])
    assert np.array_equal(np.load(tmp_path / "out.npy"), expected)
    assert sum(stretch["hops"] for stretch in result["heard"]) == 50
    assert [stretch["begin_ms"] for stretch in result["heard"]][:1] == [0]
    detected = [stretch for stretch in result["heard"] if stretch["detected"]]
    assert sum(stretch["hops"] for stretch in detected) == np.count_nonzero(expected[1:, 0] > 115)
    assert "generated weights" in result["caveat"]


@pytest.mark.parametrize("arguments", ["--task sww01 SOUND", "MODEL SOUND", "MODEL SOUND --engine reference"])
def test_the_wake_word_is_detected_in_the_recording_that_is_published(arguments: str) -> None:
    folder = os.environ.get("TINYMPY_ASSETS")
    if folder is None:
        pytest.skip("the official files are missing: set TINYMPY_ASSETS")
    files = {"MODEL": "models/str_ww_ref_model.tflite", "SOUND": "datasets/sww01/short_wav_easy10s.wav"}
    named = [Path(folder, files[word]) if word in files else word for word in arguments.split()]
    lines = run(*named).stdout.splitlines()
    detected = [line.split() for line in lines if line.rstrip().endswith(" detected")]
    assert detected == [
        ["1.38", "…", "2.11", "24", "0.9805", "…", "0.9961", "(123", "…", "127)", "detected"],
        ["4.99", "…", "4.99", "1", "0.9531", "…", "0.9531", "(116", "…", "116)", "detected"],
    ]
    assert any(line.startswith("short_wav_easy10s.") for line in lines)


def two_by_two(folder: Path) -> Path:
    """A model with two inputs and two outputs: their sum, and their maximum."""

    def tensor(name: str) -> Tensor:
        return Tensor(name, (1, 4), "int8", Quantization.per_tensor(0.5))

    graph = Graph(
        tuple(map(tensor, ("a", "b", "sum", "greater"))),
        (Operator("ADD", (0, 1), (2,)), Operator("MAXIMUM", (0, 1), (3,))),
        (0, 1),
        (2, 3),
    )
    (folder / "two.tflite").write_bytes(write(graph))
    return folder / "two.tflite"


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    model = two_by_two(tmp_path)
    for name, values in {"a.npy": [1, 2, 100, -128], "b.npy": [3, -4, 100, -1]}.items():
        np.save(tmp_path / name, np.array(values, np.int8))
    inputs = [tmp_path / "a.npy", tmp_path / "b.npy"]
    result = json.loads(run(model, *inputs, "--json", "-o", tmp_path / "out.npz").stdout)
    [inference] = result["inferences"]
    assert inference["raw"] == [[4, -2, 127, -128], [3, 2, 100, -1]]
    assert inference["real"][1] == [1.5, 1.0, 50.0, -0.5] and inference["class"] is None
    kept = np.load(tmp_path / "out.npz")
    assert {name: kept[name].tolist() for name in kept} == {
        "output0": [[4, -2, 127, -128]],
        "output1": [[3, 2, 100, -1]],
    }
    shown = run(model, *inputs).stdout
    assert "2 (4)" in shown and "1.5 (3)" in shown
    assert "cannot be written" in run(model, *inputs, "-o", tmp_path / "out.npy", code=2).stderr


def test_bench_takes_a_model_for_its_latency_and_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tinympy", "bench", "--json", "--window", "0.1", "--out", str(tmp_path)]
    models = ["--model", str(MODEL), "--model", str(two_by_two(tmp_path))]
    finished = subprocess.run([*command, *models], capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr
    digits, two = json.loads(finished.stdout)
    assert (digits["task"], two["task"]) == ("digits_int8", "two")
    assert digits["accuracy"] is None and digits["latency_ms"]["median"] > two["latency_ms"]["median"] > 0
    assert all(value > 0 for name, value in two["memory"].items() if name != "flash_bytes")
    assert any("random inputs: no accuracy" in warning for warning in two["warnings"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch.tflite", INPUTS], "cannot read nosuch.tflite"),
        ([MODEL, "nosuch.npy"], "cannot read nosuch.npy"),
        ([MODEL, INPUTS, "-o", "out.txt"], "cannot be written to out.txt"),
        ([MODEL, INPUTS, "-o", "nowhere/out.npy"], "no such folder"),
        ([MODEL, INPUTS, "--labels", ROOT / "LICENSE"], "labels for outputs of 10"),
        ([MODEL, INPUTS, "--labels", "nosuch.txt"], "cannot read nosuch.txt"),
        ([MODEL, MODEL], "inputs of this kind are not known"),
        ([MODEL], "no inputs for"),
        ([MODEL, INPUTS, "--engine", "nosuch"], "no engine nosuch"),
        ([MODEL, INPUTS, "--engine", "reference", "--board", "unix"], "runs on this computer"),
        (["--task", "nosuch", INPUTS], "no task nosuch"),
        (["--task", "sww01", ROOT / "LICENSE"], "inputs of this kind are not known"),
    ],
)
def test_a_wrong_option_is_one_error_line_with_a_hint(arguments: list[str | Path], message: str) -> None:
    lines = run(*arguments, code=2).stderr.strip().splitlines()
    assert lines[0].startswith("error: ") and message in lines[0]
    assert all(line.startswith("hint: ") for line in lines[1:])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.wav", b"RIFF", "not a .wav file"),
        ("x.bin", bytes(7), "has 7 bytes, an input of kws01 has 490"),
        ("x.npy", b"\x93NUMPY", "no .npy file, or damaged"),
        ("x.png", b"\x89PNG\r\n", "no picture that can be read"),
    ],
)
def test_a_damaged_file_is_one_error_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    # A task whose inputs can come from such a file.
    task = {".wav": "sww01", ".png": "ic01"}.get(Path(name).suffix, "kws01")
    lines = run("--task", task, tmp_path / name, code=2).stderr.strip().splitlines()
    assert lines[0].startswith("error: ") and message in lines[0] and name in lines[0]
    assert len(lines) <= 2 and all(line.startswith("hint: ") for line in lines[1:])


def test_sound_for_another_task_than_sww01_is_refused_in_one_sentence(tmp_path: Path) -> None:
    error, hint = run("--task", "kws01", spoken(tmp_path / "s.wav"), code=2).stderr.strip().splitlines()
    assert "is sound, and how that becomes input" in error
    assert "only sww01 defines it" in hint
