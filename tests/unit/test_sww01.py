"""sww01: detections, how they are matched with the words spoken, and the reference figures of TFLM."""

import io
import json
import wave
from pathlib import Path

import numpy as np
import pytest

import official
import tflm
from tinympy import assets, tasks
from tinympy.assets import Asset
from tinympy.errors import UsageError
from tinympy.tasks import Sample, sww01
from tinympy.tasks.sww01 import Recording, Sww01

SHORT = ["datasets/sww01/sww_short_test.json", "datasets/sww01/short_wav_easy10s.wav"]


def counts(found: int, missed: int, false: int) -> dict[str, int]:
    return {"true_positives": found, "false_negatives": missed, "false_positives": false}


def wav(samples: int = 16000, rate_hz: int = 16000, channels: int = 2, width_bytes: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width_bytes)
        sound.setframerate(rate_hz)
        sound.writeframes(bytes(samples * channels * width_bytes))
    return file.getvalue()


@pytest.mark.parametrize(
    ("times_ms", "words", "expected"),
    [
        ([], [], counts(0, 0, 0)),
        ([], [(1.0, 1.5)], counts(0, 1, 0)),
        ([1000], [(1.0, 1.5)], counts(1, 0, 0)),
        ([999], [(1.0, 1.5)], counts(0, 1, 1)),
        ([3500], [(1.0, 1.5)], counts(1, 0, 0)),
        ([3501], [(1.0, 1.5)], counts(0, 1, 1)),
        ([1000, 1032, 1064, 3500], [(1.0, 1.5)], counts(1, 0, 0)),
        # A detection is used up by the first word that it can belong to.
        ([2500], [(1.0, 1.5), (2.0, 2.5)], counts(1, 1, 0)),
        ([2500, 4000], [(1.0, 1.5), (2.0, 2.5)], counts(2, 0, 0)),
        # All within a second of a false positive are the same one; that second does not begin anew.
        ([5000, 5032, 6000], [], counts(0, 0, 1)),
        ([5000, 5032, 6001], [], counts(0, 0, 2)),
        ([5000, 5800, 6600, 7400], [], counts(0, 0, 2)),
        ([9000, 5000], [], counts(0, 0, 2)),
    ],
)
def test_detections_are_matched_as_the_public_runner_does(
    times_ms: list[int], words: list[tuple[float, float]], expected: dict[str, int]
) -> None:
    assert sww01.match(times_ms, words) == expected


def test_detection_is_above_the_threshold_and_never_at_the_first_hop() -> None:
    outputs = np.array([[127, 0, 0], [115, 0, 0], [116, 0, 0], [-128, 127, 0], [127, 0, 0]], np.int8)
    assert sww01.detections_ms(outputs) == [64, 128]
    assert sww01.detected(outputs).tolist() == [False, False, True, False, True]


def test_first_channel_is_what_is_heard() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(np.array([[1, 9], [-2, 9], *[[3, 9]] * 510], "<i2").tobytes())
    assert sww01.left_channel(file.getvalue(), "x.wav")[:3].tolist() == [1, -2, 3]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not a .wav file of PCM: it ends too early"),
        (b"RIFF....", "is not a .wav file"),
        # Another format than PCM, and a chunk longer than the file.
        (wav().replace(b"fmt \x10\0\0\0\1", b"fmt \x10\0\0\0\3"), "unknown format: 3"),
        (b"RIFF\x24\0\0\0WAVELIST\xff\xff\0\0" + bytes(100), "is not a .wav file of PCM: it ends too early"),
        (wav(samples=1000)[:-3], "x.wav is cut off: 3997 of 4000 bytes"),
        (wav(rate_hz=8000), "16 bits at 8000 Hz"),
        (wav(width_bytes=1), "8 bits at 16000 Hz"),
        (wav(samples=511), "511 samples, too few"),
    ],
)
def test_sound_of_another_kind_is_an_error_that_names_the_file(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        sww01.left_channel(data, "x.wav")
    assert "x.wav" in caught.value.message


def test_without_files_the_short_recording_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official.hide(monkeypatch, tmp_path)
    assert Sww01().missing() == ["models/str_ww_ref_model.tflite", *SHORT]
    with pytest.raises(UsageError, match=r"sww_short_test\.json") as caught:
        Sww01().samples()
    assert "tinympy assets fetch sww01" in caught.value.hint


def put_recording(folder: Path, monkeypatch: pytest.MonkeyPatch, words: int) -> None:
    """The official long recording's names for one second of silence said to hold `words` words."""
    truth, sound = (f"datasets/sww01/{file}" for file in sww01.RECORDINGS[0])
    (folder / truth).parent.mkdir(parents=True)
    windows = [[float(index), index + 0.5] for index in range(words)]
    (folder / truth).write_text(json.dumps([{"wav_file": "long_wav.wav", "detection_windows": windows}]))
    (folder / sound).write_bytes(wav())
    table = [asset for asset in assets.ASSETS if asset.name not in (truth, sound)]
    table += [Asset("sww01", name, None, None, "", None, note="here") for name in (truth, sound)]
    monkeypatch.setattr(assets, "ASSETS", tuple(table))


def test_longest_recording_here_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_recording(tmp_path, monkeypatch, words=50)
    task = Sww01(tmp_path)
    samples = task.samples(1)
    assert [sample.name for sample in samples] == ["long_wav.wav"]
    assert samples[0].inputs.shape == (31, 1200)
    assert task.count(samples) == task.full_n == 50
    silence = np.full((31, 3), -128, np.int8)
    accuracy = task.score(samples, [silence])
    assert (accuracy.metric, accuracy.value, accuracy.n) == ("detections", 0.0, 50)
    assert accuracy.detail == counts(0, 50, 0)


def test_missed_words_are_counted() -> None:
    words = tuple((float(10 * index), 10 * index + 0.5) for index in range(50))
    recording = Recording("long_wav.wav", 50, np.zeros((1, 1200), np.int8), b"", words)
    outputs = np.full((16000, 3), -128, np.int8)
    for start_s, _ in words[8:]:
        outputs[int(start_s / 0.032) + 2, 0] = 127
    accuracy = Sww01().score([recording], [outputs])
    assert accuracy.detail == counts(42, 8, 0)
    assert accuracy.value == 42 / 50


@official.needed
def test_short_recording_and_calibration_samples_on_tflm_give_the_reference_figures() -> None:
    task = tasks.get("sww01")
    samples = task.samples()
    assert [sample.inputs.shape for sample in samples[:2]] == [(312, 1200), (1, 1200)]
    outputs = tflm.outputs(task, samples)
    assert sww01.detections_ms(outputs[0]) == [*range(1376, 2113, 32), 4992]
    accuracy = task.score(samples, outputs)
    assert (accuracy.metric, accuracy.value, accuracy.n) == ("detections", 2 / 3, 3)
    assert accuracy.detail == {**counts(2, 1, 0), "calibration_correct": 41, "calibration_samples": 45}


@official.needed
def test_calibration_samples_are_not_necessary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official.hide(monkeypatch, tmp_path)
    for name in ("models/str_ww_ref_model.tflite", *SHORT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((official.FOLDER / name).read_bytes())
    task = Sww01(tmp_path)
    assert task.missing() == []
    samples: list[Sample] = task.samples()
    assert [sample.name for sample in samples] == ["short_wav_easy10s.wav"]
    assert task.score(samples, [np.zeros((312, 3), np.int8)]).detail == counts(0, 3, 0)
