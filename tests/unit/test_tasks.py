"""tasks: files as model inputs, scores, and the reference figures of TFLM on the official data."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

import official
import tflm
from tinympy import assets, tasks
from tinympy.errors import UsageError
from tinympy.tasks import Sample, ad01, scoring


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    official.hide(monkeypatch, tmp_path / "cache")
    return tmp_path


def test_unknown_task_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        tasks.get("kws02")
    assert " ".join(tasks.TASKS) in caught.value.hint


def test_bundled_task_is_available_without_assets_and_official_ones_are_not(nothing_here: Path) -> None:
    assert tasks.available() == ["digits"]
    assert tasks.get("kws01").missing() == ["models/kws_ref_model.tflite", "datasets/kws01/y_labels.csv"]


def test_official_models_hash_is_that_of_the_assets_table() -> None:
    assert tasks.get("kws01").model_sha256 == assets.select(["models/kws_ref_model.tflite"])[0].sha256
    assert tasks.get("digits").model_sha256 is None


def test_digits_samples_fit_the_model_and_keep_label_order() -> None:
    samples = tasks.get("digits").samples()
    assert len(samples) == tasks.get("digits").full_n
    assert {sample.inputs.shape for sample in samples} == {(1, 64)}
    assert {sample.inputs.dtype for sample in samples} == {np.dtype(np.int8)}
    assert {sample.label for sample in samples} == set(range(10))
    assert [sample.name for sample in tasks.get("digits").samples(3)] == [sample.name for sample in samples[:3]]


def test_digits_reaches_95_percent_on_tflm() -> None:
    task = tasks.get("digits")
    samples = task.samples()
    accuracy = task.score(samples, tflm.outputs(task, samples))
    assert accuracy.metric == "top1" and accuracy.value >= 0.95


@pytest.mark.parametrize("limit", [0, -1])
def test_less_than_one_sample_is_an_error(limit: int) -> None:
    with pytest.raises(UsageError, match="samples"):
        tasks.get("digits").samples(limit)


def test_tied_maxima_are_decided_for_the_first() -> None:
    outputs = [np.array([[3, 9, 9]], np.int8), np.array([[-128, -128, -128]], np.int8)]
    assert scoring.top1([1, 0], outputs) == 1.0
    assert scoring.top1([2, 1], outputs) == 0.0


def test_outputs_hash_is_over_the_joined_bytes() -> None:
    parts = [np.array([[1, -1]], np.int8), np.array([[2, 3], [4, 5]], np.int8)]
    joined = np.frombuffer(bytes([1, 255, 2, 3, 4, 5]), np.int8)
    assert scoring.outputs_sha256(parts) == scoring.outputs_sha256([joined])


@pytest.mark.parametrize(
    ("labels", "scores", "auc"),
    [
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),
        ([0, 1], [1, 2], 1.0),
        ([0, 1], [2, 1], 0.0),
        ([0, 1, 0, 1], [5, 5, 5, 5], 0.5),
        ([0, 0, 1, 1, 1], [1, 2, 2, 3, 0], 3.5 / 6),
        ([1, 0, 1, 0, 0, 1], [0.5, 0.5, 0.5, 0.2, 0.9, 0.9], 5.5 / 9),
    ],
)
def test_auc_is_the_share_of_pairs_in_the_right_order(labels: list[int], scores: list[float], auc: float) -> None:
    rows = list(zip(scores, labels, strict=True))
    pairs = [(p, n) for p, positive in rows if positive for n, other in rows if not other]
    assert sum((p > n) + (p == n) / 2 for p, n in pairs) / len(pairs) == pytest.approx(auc)
    assert scoring.auc(labels, scores) == pytest.approx(auc, abs=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=2, max_size=60).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    )
)
def test_auc_is_that_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    labels, scores = zip(*rows, strict=True)
    assert scoring.auc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(-128, 127), min_size=4, max_size=4)), min_size=1))
def test_top1_is_that_of_scikit_learn(rows: list[tuple[int, list[int]]]) -> None:
    labels = [label for label, _ in rows]
    outputs = [np.array([row], np.int8) for _, row in rows]
    predicted = np.argmax([row for _, row in rows], axis=1)
    assert scoring.top1(labels, outputs) == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-12)


def test_auc_of_one_class_is_an_error() -> None:
    with pytest.raises(ValueError, match="both classes"):
        scoring.auc([1, 1], [0.1, 0.2])


@pytest.mark.parametrize(
    ("quotient", "quantised"),
    [(0, 89), (0.5, 90), (-0.5, 88), (2.5, 92), (-2.5, 86), (0.25, 89), (-2.75, 86), (300, 127), (-300, -128)],
)
def test_ad01_quantises_half_away_from_zero_and_clamps(quotient: float, quantised: int) -> None:
    value = _divided_to(quotient)
    assert ad01.quantise(np.array([value], np.float32)).tolist() == [quantised]


def test_ad01_clamps_what_no_integer_holds() -> None:
    assert ad01.quantise(np.array([3e38, -3e38], np.float32)).tolist() == [127, -128]


def test_ad01_quantises_the_largest_value_below_a_half_down() -> None:
    assert ad01.quantise(np.array([_divided_to(0.49999997)], np.float32)).tolist() == [89]


def _divided_to(quotient: float) -> np.float32:
    """A float32 that divided by the input scale gives exactly `quotient`."""
    value = np.float32(quotient) * ad01.INPUT_SCALE
    around = (np.nextafter(value, np.float32(-1e9)), value, np.nextafter(value, np.float32(1e9)))
    return next(each for each in around if each / ad01.INPUT_SCALE == np.float32(quotient))


def test_ad01_windows_move_by_one_frame() -> None:
    frames = np.repeat(np.arange(200, dtype="<f4"), 128)
    windows = ad01.windows(frames.tobytes())
    assert windows.shape == (196, 640)
    assert windows[0, [0, 127, 128, 639]].tolist() == [0, 0, 1, 4]
    assert windows[195, [0, 639]].tolist() == [195, 199]


def test_ad01_scores_by_auc_as_soon_as_both_classes_are_there() -> None:
    task = tasks.get("ad01")
    output = np.full((196, 640), ad01.OUTPUT_ZERO_POINT, np.int8)
    normal, anomaly = (np.full(25_600, level, "<f4").tobytes() for level in (1.0, 2.0))
    samples = [Sample("n", 0, output, normal), Sample("a", 1, output, anomaly)]
    both = task.score(samples, [output, output])
    assert (both.metric, both.value, both.n) == ("auc", 1.0, 2)
    one = task.score(samples[1:], [output])
    assert (one.metric, one.value, one.n) == ("mean_score", 4.0, 1)


@official.needed
def test_kws01_on_tflm_gives_the_reference_outputs() -> None:
    task = tasks.get("kws01")
    samples = task.samples()
    accuracy = task.score(samples, tflm.outputs(task, samples))
    assert (accuracy.metric, accuracy.value, accuracy.n) == ("top1", 0.901, 1000)
    assert accuracy.outputs_sha256 == "a62256c3f761c18a7ce7f39c44ff4134df5052d96e95b5867e7f6e8db0120b96"
    golden = "c2e5f02def82726f5c49dfe85c311c52f295ad68561f6bae89931fdadaaedc73"
    assert tasks.dataset_sha256(samples) == golden


@official.needed
def test_ad01_on_tflm_gives_the_reference_score() -> None:
    task = tasks.get("ad01")
    samples = task.samples()
    assert [(sample.name, sample.inputs.shape) for sample in samples] == [(ad01.EXAMPLE.file, (196, 640))]
    accuracy = task.score(samples, tflm.outputs(task, samples))
    assert (accuracy.metric, round(accuracy.value, 4)) == ("mean_score", 10.2645)


def copy(name: str, folder: Path) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(official.FOLDER / name, folder / name)


@pytest.fixture
def partial_kws01(nothing_here: Path) -> Path:
    """An assets folder with the model, the labels and the first three inputs; nothing is anywhere else."""
    for name in ("models/kws_ref_model.tflite", "datasets/kws01/y_labels.csv"):
        copy(name, nothing_here)
    for file in ("tst_000000_Stop_7.bin", "tst_000001_Left_2.bin", "tst_000002_Right_6.bin"):
        copy(f"datasets/kws01/{file}", nothing_here)
    return nothing_here


@official.needed
def test_first_samples_are_enough_for_a_limited_run(partial_kws01: Path) -> None:
    task = tasks.get("kws01", partial_kws01)
    assert [sample.label for sample in task.samples(3)] == [7, 2, 6]
    assert len(task.missing()) == 997
    with pytest.raises(UsageError, match=r"997 of the 1000 inputs of kws01 are not here, tst_000003") as caught:
        task.samples()
    assert "tinympy assets fetch kws01" in caught.value.hint


@official.needed
def test_input_of_another_size_or_content_is_an_error(partial_kws01: Path) -> None:
    folder = partial_kws01 / "datasets/kws01"
    for file in (official.FOLDER / "datasets/kws01").glob("*.bin"):
        shutil.copy(file, folder)
    task = tasks.get("kws01", partial_kws01)
    first = folder / "tst_000000_Stop_7.bin"
    first.write_bytes(bytes(490))
    with pytest.raises(UsageError, match="not the official ones"):
        task.samples()
    first.write_bytes(bytes(489))
    with pytest.raises(UsageError, match="has 489 bytes, an input of kws01 has 490"):
        task.samples(1)


@official.needed
def test_ad01_without_the_example_asks_for_the_listed_files(nothing_here: Path) -> None:
    for name in ("models/ad01_int8.tflite", "datasets/ad01/y_labels.csv"):
        copy(name, nothing_here)
    task = tasks.get("ad01", nothing_here)
    assert len(task.missing()) == 248
    with pytest.raises(UsageError, match="248 of the 248 inputs of ad01 are not here") as caught:
        task.samples()
    assert "not published" in caught.value.hint


@official.needed
def test_changed_ad01_example_is_an_error(nothing_here: Path) -> None:
    for name in ("models/ad01_int8.tflite", "datasets/ad01/y_labels.csv", f"datasets/ad01/{ad01.EXAMPLE.file}"):
        copy(name, nothing_here)
    (nothing_here / "datasets/ad01" / ad01.EXAMPLE.file).write_bytes(bytes(102_400))
    with pytest.raises(UsageError, match="is not the official"):
        tasks.get("ad01", nothing_here).samples()
