"""Which weights and inputs a benchmark uses, by what is on this computer and what was asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import official
from tinympy import generated, plan, tasks
from tinympy.errors import UsageError
from tinympy.plan import Job

OFFICIAL = [name for name in tasks.TASKS if name != "digits"]
MODEL = "models/kws_ref_model.tflite"


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
