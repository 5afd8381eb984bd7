"""sww01: where in a recording the wake word is spoken (MLPerf Tiny streaming wake word).

The network looks at the last second of sound, again every 32 ms. When it counts as a detection, and how detections are
matched with the words spoken, is that of the reference firmware (sww_ref_util_submitter.c) and of the public runner
(runner/streaming_ww_utils.py, calc_detection_stats) in mlcommons/tiny. The runner's README grants one second after a
word, its code two; the code counts.
"""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy import assets
from tinympy.errors import UsageError
from tinympy.tasks import features, scoring
from tinympy.tasks.base import Accuracy, Hearing, OfficialTask, Sample, check_limit
from tinympy.tasks.features import Int16
from tinympy.tasks.scoring import Int8

THRESHOLD = 115
GRACE_S = 2.0
DEBOUNCE_MS = 1000

RECORDINGS = (
    ("sww_long_test.json", "long_wav.wav"),
    ("sww_med_test.json", "med_wav_2m_8p.wav"),
    ("sww_short_test.json", "short_wav_easy10s.wav"),
)
"""Truth file and sound. The first is the official one; the others are there to try things out."""

CALIBRATION = "calibration_samples.npz"


@dataclass(frozen=True)
class Recording(Sample):
    """A recording, its `inputs` one window for each hop. `words`: when each wake word begins and ends, in seconds."""

    words: tuple[tuple[float, float], ...]


def left_channel(data: bytes, name: str) -> Int16:
    """The samples of a .wav file's first channel; `name` stands for the file in errors.

    Raises:
        UsageError: it is not 16-bit sound of 16 kHz, cut off, or shorter than one hop.
    """
    hint = "16-bit PCM at 16000 Hz is needed: `ffmpeg -i SOUND -ar 16000 -ac 1 -c:a pcm_s16le OUT.wav` makes it"
    try:
        with wave.open(io.BytesIO(data)) as sound:
            width_bytes, rate_hz, channels = sound.getsampwidth(), sound.getframerate(), sound.getnchannels()
            count = sound.getnframes()
            samples = sound.readframes(count)
    # RuntimeError: of a chunk that says to be longer than the file.
    except (wave.Error, EOFError, RuntimeError) as error:
        raise UsageError(f"{name} is not a .wav file of PCM: {str(error) or 'it ends too early'}", hint) from error
    if (width_bytes, rate_hz) != (2, features.RATE_HZ):
        raise UsageError(f"{name} has {8 * width_bytes} bits at {rate_hz} Hz, sww01 takes 16 bits at 16000 Hz", hint)
    if len(samples) != 2 * channels * count:
        raise UsageError(f"{name} is cut off: {len(samples)} of {2 * channels * count} bytes of sound are there", hint)
    left: Int16 = np.frombuffer(samples, "<i2")[::channels]
    if len(left) < features.HOP_SAMPLES:
        raise UsageError(f"{name} holds {len(left)} samples, too few for one hop of {features.HOP_SAMPLES}")
    return left


def windows(data: bytes, name: str) -> Int8:
    """A .wav file as model inputs, int8 of shape (hops, 1200); UsageError as of `left_channel`."""
    return features.windows(features.quantise(features.log_mel(left_channel(data, name))))


def detected(outputs: Int8) -> npt.NDArray[np.bool_]:
    """At which hops the wake word is detected, from the model's outputs (hops, 3).

    At the first hop the firmware gives a sign in any case, from which the clock starts and which detects nothing.
    """
    above: npt.NDArray[np.bool_] = outputs[:, 0] > THRESHOLD
    above[:1] = False
    return above


HEARING = Hearing(
    target="wake word",
    how=(
        f"sound is {features.BANDS} log mel energies of its first channel every {features.HOP_MS} ms, "
        f"{features.WINDOW_FRAMES} of these in each input, as sww01 defines; "
        f"detected is what is above {THRESHOLD} (raw)"
    ),
    hop_ms=features.HOP_MS,
    windows=windows,
    detected=detected,
)


class Sww01(OfficialTask):
    """Scores the longest recording that is here by the share of its wake words that are found.

    The samples after it are the labelled spectrograms that the model was calibrated with, if they are here; how many of
    them are classified rightly stands in the accuracy's detail, beside true and false positives and false negatives.
    """

    name = "sww01"
    title = "streaming wake word"
    model_file = "str_ww_ref_model.tflite"
    full_n = 50
    classifies = False
    wire_bytes = features.WINDOW_FRAMES * features.BANDS
    wire_input = "int8"
    wire_results = "rounded"
    hearing = HEARING

    def missing(self) -> list[str]:
        here = any(not self._absent(map(_name, files)) for files in RECORDINGS)
        return self._missing_model() + ([] if here else self._absent(map(_name, RECORDINGS[-1])))

    def samples(self, limit: int | None = None) -> list[Sample]:
        check_limit(limit)
        return [self._recording(), *self._calibration()][:limit]

    def count(self, samples: Sequence[Sample]) -> int:
        """Wake words."""
        return sum(len(sample.words) for sample in samples if isinstance(sample, Recording))

    def score(self, samples: Sequence[Sample], outputs: Sequence[Int8]) -> Accuracy:
        """The share of wake words found in the recording, which is the first sample."""
        recording = samples[0]
        assert isinstance(recording, Recording)
        detail = match(detections_ms(outputs[0]), recording.words)
        if len(samples) > 1:
            hits = [scoring.predicted(out) == s.label for s, out in zip(samples[1:], outputs[1:], strict=True)]
            detail |= {"calibration_correct": sum(hits), "calibration_samples": len(hits)}
        n = len(recording.words)
        return Accuracy("detections", detail["true_positives"] / n, n, scoring.outputs_sha256(outputs), detail)

    def _recording(self) -> Recording:
        truth_name, sound_name = next(
            (files for files in RECORDINGS if not self._absent(map(_name, files))), RECORDINGS[-1]
        )
        truth: dict[str, Any] = json.loads(assets.path(_name(truth_name), self.folder).read_text())[0]
        data = assets.path(_name(sound_name), self.folder).read_bytes()
        inputs = windows(data, sound_name)
        words = tuple((start_s, stop_s) for start_s, stop_s in truth["detection_windows"])
        return Recording(sound_name, len(words), inputs, data, words)

    def _calibration(self) -> list[Sample]:
        if self._absent([_name(CALIBRATION)]):
            return []
        with np.load(assets.path(_name(CALIBRATION), self.folder), allow_pickle=False) as stored:
            spectrograms, labels = stored["specs"], stored["labels"]
        inputs = features.quantise(spectrograms).reshape(len(labels), 1, -1)
        return [
            Sample(f"{CALIBRATION}[{index}]", int(label), inputs[index], spectrogram.tobytes())
            for index, (label, spectrogram) in enumerate(zip(labels, spectrograms, strict=True))
        ]


def detections_ms(outputs: Int8) -> list[int]:
    """When the wake word is detected, from the model's outputs (hops, 3)."""
    return [features.HOP_MS * int(hop) for hop in np.flatnonzero(detected(outputs))]


def match(times_ms: Iterable[int], words: Iterable[tuple[float, float]]) -> dict[str, int]:
    """True positives, false negatives and false positives.

    A word is found by any detection from its beginning until `GRACE_S` after its end, and uses up all of those. What
    remains are false positives, one for all within `DEBOUNCE_MS` of the first.
    """
    remaining = sorted(times_ms)
    found = missed = 0
    for start_s, stop_s in words:
        others = [time for time in remaining if not start_s <= time / 1000 <= stop_s + GRACE_S]
        found, missed = (found + 1, missed) if len(others) < len(remaining) else (found, missed + 1)
        remaining = others
    false: list[int] = []
    for time in remaining:
        if not false or time - false[-1] > DEBOUNCE_MS:
            false.append(time)
    return {"true_positives": found, "false_negatives": missed, "false_positives": len(false)}


def _name(file: str) -> str:
    return f"datasets/sww01/{file}"
