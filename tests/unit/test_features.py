"""features: log mel energies beside a slow calculation by the book, and for sounds whose energies are known."""

import cmath
import math

import numpy as np
import numpy.typing as npt
import pytest

from tinympy.tasks import features

Int16 = npt.NDArray[np.int16]


def noise(hops: int) -> Int16:
    return np.random.default_rng(7).integers(-9000, 9000, hops * 512, np.int16)


def tone(frequency_hz: float, amplitude: float, hops: int = 4) -> Int16:
    phase = 2 * np.pi * frequency_hz * np.arange(hops * 512) / 16000
    return np.round(32768 * amplitude * np.sin(phase)).astype(np.int16)


def mel(frequency_hz: float) -> float:
    return 2595 * math.log10(1 + frequency_hz / 700)


def weight(bin_hz: float, band: int) -> float:
    left, middle, right = (mel(8000) * (band + edge) / 41 for edge in range(3))
    place = mel(bin_hz)
    return max(0.0, min((place - left) / (middle - left), (right - place) / (right - middle)))


def energy_by_the_book(sound: list[int], hop: int) -> list[float]:
    """The 40 features of one hop, every sum written out."""
    padded = [0.0] * 513 + [sample / 32768 for sample in sound]
    start = 512 * hop + 1
    frame = []
    for n in range(1024):
        emphasised = padded[start + n] - 0.96875 * padded[start + n - 1]
        frame.append(emphasised * (0.54 - 0.46 * math.cos(2 * math.pi * n / 1024)))
    circle = [cmath.exp(-2j * math.pi * step / 1024) for step in range(1024)]
    powers = []
    for k in range(513):
        total = sum(value * circle[k * n % 1024] for n, value in enumerate(frame))
        powers.append(abs(total) ** 2 / 1024)
    values = []
    for band in range(40):
        energy = sum(power * weight(k * 15.625, band) for k, power in enumerate(powers))
        decibels = 10 * math.log10(max(energy, 1e-30))
        values.append(min(max((decibels + 52) / 64, 0.0), 1.0))
    return values


@pytest.mark.parametrize("hop", [0, 1, 2])
def test_features_are_those_of_the_written_out_formula(hop: int) -> None:
    sound = noise(3)
    assert features.log_mel(sound)[hop] == pytest.approx(energy_by_the_book(sound.tolist(), hop), abs=1e-9)


def test_there_is_one_frame_for_each_full_hop() -> None:
    assert features.log_mel(noise(3)).shape == (3, 40)
    assert features.log_mel(noise(4)[:-1]).shape == (3, 40)
    assert features.HOP_MS == 32


def test_frame_does_not_depend_on_what_comes_later_or_long_before() -> None:
    sound = noise(1030)
    whole = features.log_mel(sound)
    assert features.log_mel(sound[: 5 * 512]) == pytest.approx(whole[:5], abs=1e-12)
    # Also where the calculation goes on in another chunk; a frame reaches back over one hop and one sample.
    assert features.log_mel(sound[1015 * 512 :])[2:] == pytest.approx(whole[1017:], abs=1e-12)


def test_silence_has_no_energy_and_is_the_least_integer() -> None:
    energies = features.log_mel(np.zeros(2048, np.int16))
    assert not energies.any()
    assert (features.quantise(energies) == -128).all()


def test_tone_on_a_bin_has_the_energy_that_window_and_filters_give_it() -> None:
    amplitude, k = 0.1, 64
    energies = features.log_mel(tone(k * 15.625, amplitude))[-1]
    gain = abs(1 - 0.96875 * cmath.exp(-2j * math.pi * k / 1024))
    # A periodic Hamming window spreads a tone over three bins and no further.
    magnitudes = {k - 1: 0.23, k: 0.54, k + 1: 0.23}
    for band in range(40):
        energy = sum(
            weight(each * 15.625, band) * (magnitude * amplitude * gain * 512) ** 2 / 1024
            for each, magnitude in magnitudes.items()
        )
        if energy:
            assert energies[band] == pytest.approx((10 * math.log10(energy) + 52) / 64, abs=1e-4)
    assert int(energies.argmax()) == max(range(40), key=lambda band: weight(k * 15.625, band))


def test_loud_tone_is_clipped() -> None:
    assert features.log_mel(tone(4000, 0.99)).max() == 1.0


@pytest.mark.parametrize(("steps", "quantised"), [(0, -128), (0.9, -127), (1.9, -126), (127.5, 0), (200.9, 72)])
def test_quantising_cuts_off_the_fraction_towards_zero(steps: float, quantised: int) -> None:
    assert features.quantise(np.array([steps * 0.003701042616739869])).tolist() == [quantised]


def test_what_is_too_loud_for_a_byte_wraps_around_as_on_the_reference_board() -> None:
    assert features.quantise(np.array([255.5, 256.5]) * 0.003701042616739869).tolist() == [127, -128]
    assert features.quantise(np.array([1.0])).tolist() == [142 - 256]


def test_window_ends_with_the_newest_frame_and_begins_with_zeros() -> None:
    frames = np.repeat(np.arange(1, 33, dtype=np.int8), 40).reshape(32, 40)
    windows = features.windows(frames)
    assert windows.shape == (32, 1200)
    assert windows[0].reshape(30, 40)[:, 0].tolist() == [0] * 29 + [1]
    assert windows[29].reshape(30, 40)[:, 39].tolist() == list(range(1, 31))
    assert windows[31].reshape(30, 40)[:, 0].tolist() == list(range(3, 33))
