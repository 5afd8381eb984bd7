"""ic01, ic02 and vww01: pictures as model inputs, and the reference figures of TFLM."""

from pathlib import Path

import numpy as np
import pytest

import official
import tflm
from tinympy.errors import UsageError
from tinympy.tasks import Sample, Task, dataset_sha256
from tinympy.tasks.base import image
from tinympy.tasks.ic01 import Ic01
from tinympy.tasks.ic02 import Ic02
from tinympy.tasks.vww01 import Vww01


def test_picture_is_each_byte_less_128() -> None:
    window = image(bytes(range(256)))
    assert window.dtype == np.int8
    assert window.tolist() == [[value - 128 for value in range(256)]]


@official.needed
def test_ic01_on_tflm_gives_the_reference_figure() -> None:
    task = Ic01()
    samples = task.samples()
    accuracy = task.score(samples, tflm.outputs(task, samples))
    assert (accuracy.metric, accuracy.value, accuracy.n) == ("top1", 175 / 200, 200)
    assert accuracy.outputs_sha256 == "f045f8f11e923bb37c467d1969e3e53c5b966061f1134688bd69b3e7f01338b9"


@official.needed
def test_ic02_has_the_data_of_ic01_and_a_model_of_its_own() -> None:
    golden = "f6442743b8f3b0f535338b18fe0976f5aae86720b6e9e41c05a9aea90b286e5b"
    assert dataset_sha256(Ic02().samples()) == dataset_sha256(Ic01().samples()) == golden
    assert Ic02().full_n == 200
    assert Ic02().model_sha256 != Ic01().model_sha256
    assert Ic02().missing() == []


@official.needed
@pytest.mark.parametrize("task", [Ic02(), Vww01()], ids=lambda task: task.name)
def test_a_random_picture_goes_through_the_model(task: Task) -> None:
    data = np.random.default_rng(5).bytes(task.wire_bytes)
    [output] = tflm.outputs(task, [Sample("random", 0, image(data), data)])
    # A softmax: the shares add up to one but for rounding.
    assert (output.astype(int) + 128).sum() == pytest.approx(256, abs=output.size)


@official.needed
def test_vww01_says_that_its_pictures_are_missing_and_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official.hide(monkeypatch, tmp_path)
    for name in ("models/vww_96_int8.tflite", "datasets/vww01/y_labels.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((official.FOLDER / name).read_bytes())
    task = Vww01(tmp_path)
    assert len(task.missing()) == task.full_n
    with pytest.raises(UsageError, match=r"1000 of the 1000 inputs of vww01 are not here, 000000343218\.bin") as caught:
        task.samples()
    assert "vw_coco2014_96.tar.gz" in caught.value.hint
