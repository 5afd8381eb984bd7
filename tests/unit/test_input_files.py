"""input_files and pictures: anybody's files as a model's inputs, or an error that says what would fit."""

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tinympy import generated, input_files, tasks
from tinympy.errors import UsageError
from tinympy.pictures import Pixels
from tinympy.signature import End, Signature
from tinympy.tasks import ad01, features

INT8 = (-128, 127)
VECTOR = End("x", (1, 4), "int8", "int8", 0.5, -2, INT8)
UNSIGNED = End("u", (1, 4), "uint8", "uint8", 0.5, 0, (0, 255))


def picture_end(low: float, high: float, shape: Sequence[int] = (1, 4, 6, 3)) -> End:
    scale = (high - low) / 255
    return End("image", tuple(shape), "int8", "int8", scale, round(-128 - low / scale), INT8)


def read(files: Sequence[Path], *ends: End, pixels: Pixels | None = None) -> tuple[list[np.ndarray], list[str]]:
    given, how = input_files.read(list(files), ends, pixels or Pixels())
    return [np.frombuffer(each.data, np.int8) for each in given], how


def truncated(file: Path, size: int) -> Path:
    file.write_bytes(file.read_bytes()[:size])
    return file


def sound(file: Path, samples: np.ndarray, channels: int = 1, rate_hz: int = 16000) -> Path:
    with wave.open(str(file), "wb") as stream:
        stream.setnchannels(channels)
        stream.setsampwidth(2)
        stream.setframerate(rate_hz)
        stream.writeframes(samples.astype("<i2").tobytes())
    return file


def saved(folder: Path, array: np.ndarray, name: str = "x.npy") -> Path:
    np.save(folder / name, array)
    return folder / name


@pytest.mark.parametrize("shape", [(1, 4), (4,), (2, 2), (1, 1, 4)])
def test_integers_of_any_shape_with_as_many_elements_are_taken_as_they_are(tmp_path: Path, shape: tuple) -> None:
    [row], how = read([saved(tmp_path, np.array([-128, 0, 5, 127], np.int8).reshape(shape))], VECTOR)
    assert row.tolist() == [-128, 0, 5, 127]
    assert how == ["integers are taken as they are (int8)"]


def test_a_leading_dimension_means_several_inputs(tmp_path: Path) -> None:
    file = saved(tmp_path, np.arange(12, dtype=np.int8).reshape(3, 1, 4))
    given, _ = input_files.read([file], [VECTOR], Pixels())
    assert [each.name for each in given] == ["x.npy[0]", "x.npy[1]", "x.npy[2]"]
    assert given[2].data == bytes([8, 9, 10, 11])


def test_floats_are_quantised_and_that_is_said(tmp_path: Path) -> None:
    [row], [how] = read([saved(tmp_path, np.array([0.0, 1.0, -100.0, 1000.0]))], VECTOR)
    assert row.tolist() == [-2, 0, -128, 127]
    assert how == "floats are quantised: int8 = value / 0.5 -2, from -63 to 64.5"


def test_wider_integers_that_fit_are_taken(tmp_path: Path) -> None:
    [row], _ = read([saved(tmp_path, np.array([-128, 127, 0, 1]))], VECTOR)
    assert row.tolist() == [-128, 127, 0, 1]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4, np.uint8), "is uint8, input 'x' is int8"),
        (np.array([0, 1, 2, 128]), "values from 0 to 128"),
        (np.zeros(5, np.int8), "has shape"),
        (np.zeros((2, 6), np.int8), "has shape"),
        (np.zeros(0, np.int8), "has shape"),
        (np.zeros(4, np.bool_), "is bool"),
        (np.array(["a"] * 4), "is <U1"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        read([saved(tmp_path, array)], VECTOR)
    assert error.value.hint or "has -128" in error.value.message


def test_raw_bytes_may_hold_several_inputs(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(bytes([0, 255, 128, 1, 2, 3, 4, 5]))
    rows, how = read([tmp_path / "x.bin"], VECTOR)
    assert [row.tolist() for row in rows] == [[0, -1, -128, 1], [2, 3, 4, 5]]
    assert how == ["bytes are raw int8, 4 for each input"]


@pytest.mark.parametrize("size", [0, 3, 6])
def test_raw_bytes_of_another_size_are_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(size))
    with pytest.raises(UsageError, match=f"has {size} bytes"):
        read([tmp_path / "x.bin"], VECTOR)


@pytest.mark.parametrize("name", ["missing.npy", "missing.bin", "missing.png", "x.wav", "text.npy", "text.png"])
def test_a_file_that_is_missing_or_none_of_its_kind_is_an_error(tmp_path: Path, name: str) -> None:
    pytest.importorskip("PIL")
    for text in ("text.npy", "text.png"):
        (tmp_path / text).write_text("no such thing")
    with pytest.raises(UsageError, match=name):
        read([tmp_path / name], picture_end(0, 1))


def header(text: str) -> bytes:
    """An .npy file of this header and a few bytes more."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        header("{'descr': '|i1', 'fortran_order': False, 'shape': (4000,), }\n"),
        # More than any memory holds, text that is no Python, and text that ends in the middle.
        header("{'descr': '|i1', 'fortran_order': False, 'shape': (10000000000000000,), }\n"),
        header("{'descr': '|i1', 'fortran_order': False, 'shape': (01,), }\n"),
        header("{'descr': '|i1', 'fortran_order': False, 'shape': (4,), \n"),
    ],
)
def test_a_damaged_array_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.npy is no \.npy file, or damaged: "):
        read([tmp_path / "x.npy"], VECTOR)


@pytest.mark.parametrize("size", [200, 3])
def test_several_arrays_in_one_file_are_an_error_even_if_damaged(tmp_path: Path, size: int) -> None:
    stored = io.BytesIO()
    np.savez(stored, a=np.zeros(4, np.int8))
    (tmp_path / "x.npy").write_bytes(stored.getvalue()[:size])
    with pytest.raises(UsageError, match="holds several arrays"):
        read([tmp_path / "x.npy"], VECTOR)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \.npy file"):
        read([saved(tmp_path, np.array([print] * 4, dtype=object))], VECTOR)


def test_a_model_with_two_inputs_takes_two_files_for_each_inference(tmp_path: Path) -> None:
    files = [saved(tmp_path, np.full((2, 4), value, np.int8), f"{value}.npy") for value in (1, 2)]
    given, _ = input_files.read(files, [VECTOR, VECTOR], Pixels())
    assert [(each.name, each.data) for each in given] == [
        ("1.npy+2.npy[0]", b"\1\1\1\1\2\2\2\2"),
        ("1.npy+2.npy[1]", b"\1\1\1\1\2\2\2\2"),
    ]
    with pytest.raises(UsageError, match="1 files for a model with 2 inputs"):
        read(files[:1], VECTOR, VECTOR)
    with pytest.raises(UsageError, match="hold 1 and 2 inputs"):
        read([files[0], saved(tmp_path, np.zeros(4, np.int8))], VECTOR, VECTOR)


def test_unsigned_models_take_unsigned_bytes(tmp_path: Path) -> None:
    [row], _ = read([saved(tmp_path, np.array([0, 127, 128, 255], np.uint8))], UNSIGNED)
    assert row.view(np.uint8).tolist() == [0, 127, 128, 255]


# Pictures


def picture(file: Path, pixels: np.ndarray) -> Path:
    image = pytest.importorskip("PIL.Image")
    image.fromarray(pixels).save(file)
    return file


@pytest.mark.parametrize(
    ("low", "high", "text"), [(0, 1, "0…1"), (-1, 127 / 128, "-1…1"), (0, 255, "0…255"), (-128, 127, "-128…127")]
)
def test_a_picture_fills_the_range_that_the_input_has(tmp_path: Path, low: float, high: float, text: str) -> None:
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3) * 3
    [row], [how] = read([picture(tmp_path / "p.png", pixels)], picture_end(low, high))
    # Trainers say from -1 to 1, and converters leave 1 out so that 0 is one of the 256 steps.
    assert np.abs(row.astype(int) - (pixels.reshape(-1).astype(int) - 128)).max() <= (low == -1)
    assert how == (
        f"pictures are resized to 6×4 (bilinear, proportions not kept), RGB, pixel 0…255 → {text} → int8 -128…127"
    )


def test_channels_can_be_turned_around(tmp_path: Path) -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[..., 0] = 255
    [row], [how] = read([picture(tmp_path / "p.png", pixels)], picture_end(0, 1), pixels=Pixels(bgr=True))
    assert row[:3].tolist() == [-128, -128, 127]
    assert ", BGR," in how


def test_a_grey_input_gets_a_grey_picture_of_its_size(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30] = 255
    [row], [how] = read([picture(tmp_path / "p.png", pixels)], picture_end(0, 1, (1, 4, 6, 1)))
    assert row.reshape(4, 6)[:, 0].tolist() == [127] * 4 and row.reshape(4, 6)[:, 5].tolist() == [-128] * 4
    assert ", grey," in how


def test_a_picture_is_turned_as_the_camera_was_held(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    upright = np.zeros((4, 6, 3), np.uint8)
    upright[0] = 255
    exif = image.Exif()
    exif[0x0112] = 6  # stored lying on its left side
    image.fromarray(np.rot90(upright)).save(tmp_path / "p.png", exif=exif)
    [row], _ = read([tmp_path / "p.png"], picture_end(0, 1))
    assert np.array_equal(row.reshape(4, 6, 3), upright.astype(int) - 128)


def test_an_input_range_that_says_nothing_needs_the_levels(tmp_path: Path) -> None:
    file = picture(tmp_path / "p.png", np.full((4, 6, 3), 255, np.uint8))
    with pytest.raises(UsageError, match="unclear") as error:
        read([file], picture_end(0, 16))
    assert "--pixels LOW HIGH" in error.value.hint
    [row], [how] = read([file], picture_end(0, 16), pixels=Pixels((0, 4)))
    assert set(row.tolist()) == {-64}
    assert "→ 0…4 → int8 -128…-64" in how


def test_a_picture_for_an_input_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a picture, but input 'x'"):
        read([picture(tmp_path / "p.png", np.zeros((4, 6, 3), np.uint8))], VECTOR)


@pytest.mark.parametrize("kind", [".png", ".jpg", ".gif", ".bmp", ".webp", ".tif", ".ppm"])
def test_a_picture_that_is_cut_off_is_an_error(tmp_path: Path, kind: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    file = truncated(picture(tmp_path / f"p{kind}", pixels), 300)
    with pytest.raises(UsageError, match=rf"p\{kind}"):
        read([file], picture_end(0, 1))


# Sound

SOUND = End("x", (1, 30, 1, 40), "int8", "int8", 0.003701042616739869, -128, INT8)


def test_sound_becomes_one_input_for_each_hop_where_the_task_says_how(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(-3000, 3000, (5 * 512 + 7, 2))
    file = sound(tmp_path / "s.WAV", noise, channels=2)
    hearing = tasks.get("sww01").hearing
    assert hearing is not None
    given, [how] = input_files.read([file, file], [SOUND], Pixels(), hearing)
    assert [each.name for each in given[4:6]] == ["s.WAV[4]", "s.WAV[0]"]
    assert [each.heard_at_ms for each in given] == [0, 32, 64, 96, 128] * 2
    frames = features.quantise(features.log_mel(noise[:, 0].astype(np.int16)))
    windows = [np.frombuffer(each.data, np.int8).reshape(30, 40) for each in given[:5]]
    assert np.array_equal(windows[4][-5:], frames) and not windows[4][:-5].any()
    assert np.array_equal(windows[0][-1], frames[0])
    assert how.startswith("sound is 40 log mel energies of its first channel every 32 ms")


def test_sound_for_a_model_of_which_it_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is sound, and how that becomes input 'x' is not known"):
        read([sound(tmp_path / "s.wav", np.zeros(1000))], SOUND)
    assert [name for name in tasks.TASKS if tasks.get(name).hearing] == ["sww01"]


# Files of a data set


def task_inputs(name: str, file: Path) -> tuple[np.ndarray, str]:
    """Model inputs of a file of the task's data set, (inputs, bytes of each), and how they came about."""
    task = tasks.get(name)
    ends = Signature.read(generated.build(name)).inputs
    given, [how] = input_files.read([file], ends, Pixels(), task.hearing, task.data_file)
    return np.array([np.frombuffer(each.data, np.int8) for each in given]), how


def test_a_picture_of_a_data_set_is_unsigned(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(range(256)) * 12)
    rows, how = task_inputs("ic01", tmp_path / "x.bin")
    assert rows.shape == (1, 3072) and rows[0, :256].tolist() == list(range(-128, 128))
    assert how == "files are those of ic01: 32×32 pixels of RGB, uint8, from which 128 is subtracted"


def test_a_sound_of_ad01_is_196_windows_of_floats(tmp_path: Path) -> None:
    values = np.random.default_rng(2).uniform(-30, 10, (200, 128)).astype("<f4")
    (tmp_path / "x.bin").write_bytes(values.tobytes())
    rows, how = task_inputs("ad01", tmp_path / "x.bin")
    assert rows.shape == (196, 640)
    assert np.array_equal(rows[7], ad01.quantise(values[7:12].reshape(-1)))
    assert "float32" in how


@pytest.mark.parametrize(("name", "size"), [("kws01", 489), ("ic01", 6144), ("ad01", 640)])
def test_a_file_that_is_none_of_the_data_set_is_refused(tmp_path: Path, name: str, size: int) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(size))
    with pytest.raises(UsageError, match=rf"x\.bin has {size} bytes, an input of {name} has"):
        task_inputs(name, tmp_path / "x.bin")


@pytest.mark.parametrize("levels", [(5.0, 5.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_levels_that_tell_nothing_apart_are_refused(tmp_path: Path, levels: tuple[float, float]) -> None:
    file = picture(tmp_path / "p.png", np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(UsageError, match="pixels from"):
        read([file], picture_end(0, 1), pixels=Pixels(levels))
