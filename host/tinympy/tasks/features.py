"""Sound as the streaming wake word model hears it: log mel filter bank energies, one frame every 32 ms.

Every constant is that of the reference firmware in mlcommons/tiny (reference_submissions/streaming_wakeword/
sww_ref_l4r5zi/Core/Src: th_compute_lfbe_f32 in sww_ref_util_submitter.c, the tables in fixed_data.c). Its Hamming
window is the periodic one, where the training code (training/streaming_wakeword/get_dataset.py) has the symmetric one.
The firmware computes in float32, this module in float64: a feature on the edge between two integers may differ by one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Float64 = npt.NDArray[np.float64]

RATE_HZ = 16_000
FRAME_SAMPLES = 1024
HOP_SAMPLES = 512
HOP_MS = 1000 * HOP_SAMPLES // RATE_HZ
BANDS = 40
WINDOW_FRAMES = 30

_PREEMPHASIS = 0.96875
_LOWEST_POWER = 1e-30
_OFFSET_DB = 52.0
_RANGE_DB = 64.0

# The input tensor's parameters as str_ww_ref_model.tflite has them.
_SCALE = np.float32(0.003701042616739869)
_ZERO_POINT = np.float32(-128)

_CHUNK_FRAMES = 1024
_HAMMING = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES)


def _mel_filters() -> Float64:
    """Triangles over 0 to 8 kHz, equally wide in mel, as TensorFlow's linear_to_mel_weight_matrix; (bins, bands)."""
    frequencies_hz = np.linspace(0, RATE_HZ / 2, FRAME_SAMPLES // 2 + 1)
    mel = 1127 * np.log1p(frequencies_hz / 700)
    edges = np.linspace(mel[0], mel[-1], BANDS + 2)
    rising = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    filters: Float64 = np.maximum(0, np.minimum(rising, falling))
    return filters


_FILTERS = _mel_filters()


def log_mel(sound: Int16) -> Float64:
    """The energies of `sound` (one channel, 16 kHz), shape (hops, 40), each from 0 to 1.

    A frame ends with every full hop and reaches back over two; silence comes before the first.
    """
    hops = len(sound) // HOP_SAMPLES
    signal = np.concatenate([np.zeros(HOP_SAMPLES + 1), sound[: hops * HOP_SAMPLES] / 32768])
    emphasised = signal[1:] - _PREEMPHASIS * signal[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, FRAME_SAMPLES)[::HOP_SAMPLES]
    energies = np.empty((hops, BANDS))
    for start in range(0, hops, _CHUNK_FRAMES):
        chunk = slice(start, start + _CHUNK_FRAMES)
        power = np.abs(np.fft.rfft(frames[chunk] * _HAMMING)) ** 2 / FRAME_SAMPLES
        energies[chunk] = power @ _FILTERS
    decibels = 10 * np.log10(np.maximum(energies, _LOWEST_POWER))
    return np.clip((decibels + _OFFSET_DB) / _RANGE_DB, 0, 1)


def quantise(energies: npt.NDArray[np.floating]) -> Int8:
    """Energies as the model's int8 inputs: divided in float32, the fraction cut off.

    Above 0.947 the integer does not fit into a byte and wraps around, as it does on the reference board.
    """
    real = energies.astype(np.float32) / _SCALE + _ZERO_POINT
    quantised: Int8 = real.astype(np.int32).astype(np.int8)
    return quantised


def windows(frames: Int8) -> Int8:
    """The model input at each of one or more hops, shape (hops, 1200): the newest 30 frames, oldest first.

    Where there are no frames yet the firmware's input tensor holds zeros, which is not the model's zero point.
    """
    before = np.zeros((WINDOW_FRAMES - 1, BANDS), np.int8)
    flat = np.concatenate([before, frames]).reshape(-1)
    return np.lib.stride_tricks.sliding_window_view(flat, WINDOW_FRAMES * BANDS)[::BANDS]
