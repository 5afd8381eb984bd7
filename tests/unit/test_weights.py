"""Which weights and inputs a benchmark uses, by what is on this computer and what was asked for."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import official
from tinympy import generated, plan, tasks
from tinympy.errors import TinympyError, UsageError
from tinympy.model.graph import Quantization
from tinympy.model.read import read
from tinympy.model.write import write
from tinympy.plan import Job
from tinympy.records import Quantisation
from tinympy.tasks.ad01 import Ad01

OFFICIAL = [name for name in tasks.TASKS if name != "digits"]
MODEL = "models/kws_ref_model.tflite"
OPTIONS: dict[str, Any] = {
    "board_names": ["unix"],
    "mode": "all",
    "engine": "native",
    "samples": None,
    "window_s": 0.1,
    "assets": None,
}


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An assets folder without any file; no other is found either."""
    official.hide(monkeypatch, tmp_path / "cache")
    return tmp_path


@pytest.fixture
def model_only(empty: Path) -> Path:
    """An assets folder with the model of kws01, but none of its inputs."""
    (empty / MODEL).parent.mkdir()
    shutil.copy(official.FOLDER / MODEL, empty / MODEL)
    return empty


def jobs(folder: Path, *names: str, mode: str = "all", weights: str | None = None) -> list[Job]:
    return plan.plan(
        board_names=["unix"],
        task_names=names,
        mode=mode,
        weights=weights,
        engine="native",
        samples=None,
        window_s=0.1,
        assets=folder,
        folder=folder,
    )


def test_without_any_file_every_task_runs_and_only_the_bundled_one_has_an_accuracy(empty: Path) -> None:
    planned = jobs(empty)
    assert [job.task.name for job in planned] == list(tasks.TASKS)
    assert [job.task.name for job in planned if "accuracy" in job.modes] == ["digits"]
    assert {job.task.weights for job in planned if job.task.name in OFFICIAL} == {"generated"}
    assert all(job.modes == ("performance",) for job in planned if job.task.name in OFFICIAL)


def test_a_named_task_without_its_files_has_generated_weights(empty: Path) -> None:
    [job] = jobs(empty, "kws01")
    assert job.task.model() == generated.build("kws01")
    assert job.task.model_sha256 is None and job.task.official is False
    assert job.task.caveat is not None and job.task.caveat.startswith("generated weights: no accuracy")


def test_accuracy_alone_is_for_tasks_whose_files_are_here(empty: Path) -> None:
    assert [job.task.name for job in jobs(empty, mode="accuracy")] == ["digits"]
    [job] = jobs(empty, "kws01", mode="accuracy")
    with pytest.raises(UsageError, match="kws_ref_model"):
        job.task.model()


def test_official_weights_are_never_replaced(empty: Path) -> None:
    assert [job.task.name for job in jobs(empty, weights="official")] == ["digits"]
    [job] = jobs(empty, "kws01", weights="official")
    with pytest.raises(UsageError, match="kws_ref_model"):
        job.task.model()


@official.needed
def test_generated_weights_can_be_asked_for_where_the_official_ones_are() -> None:
    [job] = jobs(official.FOLDER, "kws01", weights="generated")
    assert job.task.weights == "generated" and job.modes == ("performance",)
    assert {job.task.weights for job in jobs(official.FOLDER, weights="generated")} == {"generated", None}


@official.needed
def test_with_all_files_the_official_task_runs() -> None:
    [job] = jobs(official.FOLDER, "kws01")
    assert isinstance(job.task, tasks.OfficialTask) and job.task.weights == "official"
    assert job.modes == ("accuracy", "performance")


@official.needed
def test_an_official_model_without_its_inputs_is_timed_on_random_ones(model_only: Path) -> None:
    [job] = jobs(model_only, "kws01")
    assert job.task.weights == "official" and job.modes == ("performance",)
    assert job.task.model() == (official.FOLDER / MODEL).read_bytes()
    assert job.task.caveat is not None and job.task.caveat.startswith("random inputs: no accuracy")
    assert job.task.official is False


@official.needed
def test_a_model_that_is_not_the_official_one_is_refused_rather_than_replaced(model_only: Path) -> None:
    (model_only / MODEL).write_bytes(b"something else")
    [job] = jobs(model_only, "kws01")
    with pytest.raises(UsageError, match="is not the official"):
        job.task.model()


def test_random_inputs_fit_the_model_and_can_be_limited(empty: Path) -> None:
    for job in jobs(empty, *OFFICIAL):
        samples = job.task.samples()
        assert len(samples) == job.task.full_n == job.task.count(samples)
        assert len({sample.data for sample in samples}) == len(samples)
        assert [sample.name for sample in job.task.samples(2)] == ["random 0", "random 1"]
        with pytest.raises(UsageError, match="samples"):
            job.task.samples(0)


@pytest.mark.parametrize(
    ("names", "mode", "weights", "message"),
    [
        ((), "accuracy", "generated", "generated weights have no accuracy"),
        ((), "all", "nosuch", "there are no nosuch weights"),
        (("digits",), "all", "generated", "digits comes with weights of its own"),
    ],
)
def test_what_contradicts_itself_is_refused_with_a_hint(
    empty: Path, names: tuple[str, ...], mode: str, weights: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        jobs(empty, *names, mode=mode, weights=weights)
    assert caught.value.hint


def own_model(folder: Path, name: str) -> Path:
    """A model that is not the official one, with its inputs and outputs."""
    file = folder / "mine.tflite"
    file.write_bytes(generated.build(name))
    return file


def stated(folder: Path, **changes: object) -> Path:
    file = folder / "mine.json"
    statement = {"source_sha256": "ab" * 32, "method": "x", "calibration": "keyword_spotting/quant_cal_idxs.txt"}
    file.write_text(json.dumps(statement | changes))
    return file


def test_a_model_takes_the_place_of_the_official_one_on_its_data(empty: Path) -> None:
    file = own_model(empty, "kws01")
    [job] = plan.plan(**OPTIONS, task_names=["kws01"], weights=str(file), quantisation=stated(empty), folder=empty)
    assert job.task.model() == file.read_bytes() and job.task.model_file == "mine.tflite"
    assert (job.task.weights, job.task.official, job.task.model_sha256) == ("own", True, None)
    assert job.modes == ("accuracy", "performance")
    assert job.quantisation == Quantisation("ab" * 32, "x", "keyword_spotting/quant_cal_idxs.txt")
    assert "models/kws_ref_model.tflite" not in job.task.missing()
    assert tasks.get("kws01").model_file == "kws_ref_model.tflite"


@pytest.mark.parametrize(
    ("names", "weights", "statement", "message"),
    [
        (["kws01", "ic01"], "mine.tflite", None, "which task"),
        ([], "mine.tflite", None, "which task"),
        (["ic01"], "mine.tflite", None, "input of .*mine.tflite is int8 1x49x10x1, .*, that of ic01 int8 1x32x32x3"),
        (["digits"], "mine.tflite", None, "weights of its own"),
        (["kws01"], "absent.tflite", None, "cannot read"),
        (["kws01"], "mine", None, "there are no .*mine weights"),
        (["kws01"], "mine.json.tflite", None, "not a"),
        (["kws01"], "official", {}, "another model"),
        (["kws01"], "mine.tflite", {"calibration": 3}, "calibration is '3'"),
        (["kws01"], "mine.tflite", {"retraind": True}, "no field retraind"),
        (["kws01"], "mine.tflite", {"source_sha256": "ab"}, "source_sha256 is 'ab'"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    names: list[str], weights: str, statement: dict[str, object] | None, message: str, empty: Path
) -> None:
    own_model(empty, "kws01")
    (empty / "mine.json.tflite").write_text("{}")
    chosen = weights if weights == "official" else str(empty / weights)
    quantisation = None if statement is None else stated(empty, **statement)
    with pytest.raises(TinympyError, match=message):
        plan.plan(**OPTIONS, task_names=names, weights=chosen, quantisation=quantisation, folder=empty)


def test_inputs_that_are_quantised_already_need_the_same_scale(empty: Path) -> None:
    graph = read(generated.build("kws01"))
    [index] = graph.inputs
    other = dataclasses.replace(graph.tensors[index], quantization=Quantization.per_tensor(0.6, 83))
    tensors = (*graph.tensors[:index], other, *graph.tensors[index + 1 :])
    (empty / "mine.tflite").write_bytes(write(dataclasses.replace(graph, tensors=tensors)))
    with pytest.raises(UsageError, match=r"scale 0.6, zero point 83, that of kws01 .* scale 0.584703"):
        tasks.get("kws01").replace_model(empty / "mine.tflite")  # type: ignore[attr-defined]


def test_ad01_quantises_as_its_model_says(empty: Path) -> None:
    graph = read(generated.build("ad01"))
    tensors = list(graph.tensors)
    tensors[graph.inputs[0]] = dataclasses.replace(tensors[graph.inputs[0]], quantization=Quantization.per_tensor(2, 7))
    (empty / "mine.tflite").write_bytes(write(dataclasses.replace(graph, tensors=tuple(tensors))))
    task = tasks.get("ad01")
    assert isinstance(task, Ad01) and task.data_file is not None
    content = np.full(25_600, 5.0, "<f4").tobytes()
    assert set(task.data_file.windows(content, "x").ravel().tolist()) == {102}
    task.replace_model(empty / "mine.tflite")
    assert set(task.data_file.windows(content, "x").ravel().tolist()) == {10}


def test_a_model_is_served_in_place_of_the_official_one(empty: Path) -> None:
    file = own_model(empty, "kws01")
    task = plan.served("kws01", file, None)
    assert task.model() == file.read_bytes() and task.wire_bytes == 490
    assert plan.served("digits", None, None).name == "digits"
    with pytest.raises(UsageError, match="digits has no official model"):
        plan.served("digits", file, None)
