"""assets: the table of official files, the search order, and what is said of missing and damaged ones."""

import hashlib
from pathlib import Path

import pytest

import official
from tinympy import assets, labels
from tinympy.assets import Asset
from tinympy.errors import UsageError

MODEL = "models/kws_ref_model.tflite"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Three assets folders, one for each place that is searched."""
    folders = {name: tmp_path / name for name in ("given", "environment", "cache")}
    monkeypatch.setenv(assets.ENVIRONMENT, str(folders["environment"]))
    monkeypatch.setattr(assets, "cache_folder", lambda: folders["cache"])
    return folders


def put(root: Path, name: str, content: bytes) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def test_each_of_the_six_tasks_has_one_model_from_a_pinned_commit() -> None:
    models = [asset for asset in assets.ASSETS if asset.name.startswith("models/")]
    assert sorted(model.task for model in models) == ["ad01", "ic01", "ic02", "kws01", "sww01", "vww01"]
    for model in models:
        assert model.url is not None and "/1afd2c9820f795965a6134facd0b4dfae41ef23f/" in model.url
        assert model.url.endswith("/" + model.name.removeprefix("models/"))


def test_names_are_unique_and_what_has_an_address_has_a_hash() -> None:
    names = [asset.name for asset in assets.ASSETS]
    assert len(names) == len(set(names))
    for asset in assets.ASSETS:
        assert asset.url is None or asset.sha256 is not None
        assert asset.url is not None or asset.note


def test_every_set_has_its_label_file_in_the_table() -> None:
    names = [asset.name for asset in assets.ASSETS]
    assert all(asset.label_file in names for asset in assets.ASSETS if asset.is_set)


def test_given_folder_comes_before_environment_before_cache(places: dict[str, Path]) -> None:
    for place in ("cache", "environment", "given"):
        put(places[place], MODEL, b"")
        assert assets.find(MODEL, places["given"]) == places[place] / MODEL
    assert assets.find(MODEL) == places["environment"] / MODEL


def test_missing_file_is_named_with_how_to_get_it_and_where_to_put_it(places: dict[str, Path]) -> None:
    with pytest.raises(UsageError) as caught:
        assets.path(MODEL, places["given"])
    assert MODEL in caught.value.message and "kws01" in caught.value.message
    assert "tinympy assets fetch kws01" in caught.value.hint
    for place in places.values():
        assert str(place) in caught.value.hint


def test_file_without_public_address_is_not_offered_for_fetching(places: dict[str, Path]) -> None:
    with pytest.raises(UsageError) as caught:
        assets.path("datasets/ad01/*.bin")
    assert "tinympy assets fetch" not in caught.value.hint
    assert "not published" in caught.value.hint


def test_file_with_another_content_is_an_error(places: dict[str, Path]) -> None:
    file = put(places["environment"], MODEL, b"something else")
    with pytest.raises(UsageError, match=r"is not the official .*kws_ref_model"):
        assets.path(MODEL)
    model = assets.select([MODEL])
    assert assets.status(None, model) == [assets.Status(model[0], "damaged", file)]


def test_unknown_name_lists_the_tasks() -> None:
    with pytest.raises(UsageError) as caught:
        assets.select(["kws02"])
    assert "kws01 ad01 vww01 ic01 ic02 sww01" in caught.value.hint


def test_a_task_stands_for_its_files_and_nothing_for_all() -> None:
    assert {asset.task for asset in assets.select(["ad01"])} == {"ad01"}
    assert assets.select([]) == list(assets.ASSETS)


def test_set_is_verified_as_a_whole_in_label_file_order(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, contents = b"b.bin,2,0\na.bin,2,1\n", {"b.bin": b"second", "a.bin": b"first"}
    inputs = Asset("t", "datasets/t/*.bin", 11, hashlib.sha256(b"secondfirst").hexdigest(), "", "x")
    table = (Asset("t", inputs.label_file, len(listing), hashlib.sha256(listing).hexdigest(), "", "x"), inputs)
    monkeypatch.setattr(assets, "ASSETS", table)
    states = [assets.status(None, [inputs])[0].state]
    put(places["cache"], inputs.label_file, listing)
    for name, content in contents.items():
        put(places["environment"], f"datasets/t/{name}", content)
        states.append(assets.status(None, [inputs])[0].state)
    put(places["environment"], "datasets/t/a.bin", b"First")
    states.append(assets.status(None, [inputs])[0].state)
    put(places["cache"], inputs.label_file, b"a.bin,2,1\n")
    states.append(assets.status(None, [inputs])[0].state)
    assert states == ["missing", "missing", "present", "damaged", "missing"]


@official.needed
def test_official_files_are_genuine_and_only_the_known_ones_missing() -> None:
    states = {status.asset.name: status.state for status in assets.status()}
    missing = {name for name, state in states.items() if state != "present"}
    unpublished = {"datasets/ad01/*.bin", "datasets/vww01/*.bin"}
    longer = {"sww_med_test.json", "med_wav_2m_8p.wav", "sww_long_test.json", "long_wav.wav"}
    assert missing <= unpublished | {f"datasets/sww01/{file}" for file in longer}
    assert "damaged" not in states.values()


def test_label_rows_keep_their_order_and_windows() -> None:
    rows = labels.parse("b.bin,12,7\n\n a.bin , 2, 1, 2560, 512\r\n", "here")
    assert rows == [labels.Row("b.bin", 12, 7), labels.Row("a.bin", 2, 1, 2560, 512)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a.bin",
        "a.bin,2",
        "a.bin,2,2",
        "a.bin,2,-1",
        "a.bin,two,1",
        "../a.bin,2,1",
        "a\\b.bin,2,1",
        ",2,1",
        "a.bin,2,1,2560",
        "a.bin,2,1,0,512",
        "a.bin,2,1,1,2,3",
    ],
)
def test_damaged_label_line_is_an_error_that_names_the_file(text: str) -> None:
    with pytest.raises(UsageError, match="somewhere"):
        labels.parse(text, "somewhere.csv")
