"""The official files of MLPerf Tiny: where each one is published, what it must hash to, and where it lies here.

An assets folder holds `models/*.tflite` and `datasets/<task>/` with `y_labels.csv` and the inputs it names. Folders are
searched in this order: the one given (`--assets`), the one that `TINYMPY_ASSETS` names, the user's cache.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from tinympy import labels
from tinympy.errors import UsageError

ENVIRONMENT = "TINYMPY_ASSETS"

_TINY = "https://raw.githubusercontent.com/mlcommons/tiny/1afd2c9820f795965a6134facd0b4dfae41ef23f/benchmark/"
_TRAINING = _TINY + "training/"
_LABELS = _TINY + "evaluation/datasets/"
_STREAMING = _TINY + "runner/sww_data_dir/"
_ENERGYRUNNER = "https://github.com/eembc/energyrunner/archive/cf7c2f2634608a7c0ea7458ab7cb3379f2863424.tar.gz"

_APACHE = "Apache-2.0 (mlcommons/tiny)"
_SPEECH = "EEMBC; derived from Speech Commands v2 (CC BY 4.0)"
_TOYADMOS = "terms of the DCASE 2020 task 2 development data (ToyADMOS)"
_COCO = "terms of the COCO 2014 images"
_CIFAR = "CIFAR-10 (A. Krizhevsky, 2009); no licence stated"
_MARVIN = "Apache-2.0 (mlcommons/tiny); from Speech Commands v2 and MUSAN (CC BY 4.0)"


@dataclass(frozen=True)
class Asset:
    """One official file, or (`name` ends in `/*.bin`) the set of inputs that the label file beside them lists.

    `name` is the path inside an assets folder. `sha256` is that of the file, of a set that of its files joined in
    label-file order; None where nobody has published it. `size_bytes` is None where it is not known. `url` is None
    where there is no public address (`note` says what to do), and that of a whole archive for a set, which holds it in
    `folder`.
    """

    task: str
    name: str
    size_bytes: int | None
    sha256: str | None
    licence: str
    url: str | None
    folder: str = ""
    note: str = ""

    @property
    def is_set(self) -> bool:
        return self.name.endswith("/*.bin")

    @property
    def label_file(self) -> str:
        """Of a set: the name of the file that lists its members."""
        return self.name.removesuffix("*.bin") + "y_labels.csv"


def _model(task: str, file: str, folder: str, size_bytes: int, sha256: str) -> Asset:
    url = f"{_TRAINING}{folder}/trained_models/{file}"
    return Asset(task, f"models/{file}", size_bytes, sha256, _APACHE, url)


def _labels(task: str, size_bytes: int, sha256: str) -> Asset:
    return Asset(task, f"datasets/{task}/y_labels.csv", size_bytes, sha256, _APACHE, f"{_LABELS}{task}/y_labels.csv")


def _truth(length: str, size_bytes: int, sha256: str) -> Asset:
    file = f"sww_{length}_test.json"
    return Asset("sww01", f"datasets/sww01/{file}", size_bytes, sha256, _APACHE, _STREAMING + file)


def _unverified_sound(file: str) -> Asset:
    note = "from mlcommons/tiny's benchmark/runner/sd_card; its sha256 is not known here, so it cannot be verified"
    return Asset("sww01", f"datasets/sww01/{file}", None, None, _MARVIN, None, note=note)


ASSETS: tuple[Asset, ...] = (
    _model(
        "kws01",
        "kws_ref_model.tflite",
        "keyword_spotting",
        53936,
        "aeea436800704fce17b17292e4412630ad856e9d777c044c64ef748a880bd0ae",
    ),
    _labels("kws01", 27048, "6cb3709762d53fe64eb00eaf4a75796248bb3c1386f1d1f93ccdb07b071e9698"),
    Asset(
        "kws01",
        "datasets/kws01/*.bin",
        490_000,
        "c2e5f02def82726f5c49dfe85c311c52f295ad68561f6bae89931fdadaaedc73",
        _SPEECH,
        _ENERGYRUNNER,
        folder="datasets/kws01",
    ),
    _model(
        "ad01",
        "ad01_int8.tflite",
        "anomaly_detection",
        276976,
        "87cf24194ef93d1d9b11a591d805526b98008e351655d29883c825c9c106ba24",
    ),
    _labels("ad01", 13004, "4ecd91868e197ee0a6739d4bd7abde73eac2fa31e9a88d6bc6aedefa136ff2a4"),
    Asset(
        "ad01",
        "datasets/ad01/normal_id_01_00000000_hist_librosa.bin",
        102_400,
        "31bc130d27e3732e1c09db946ccc7bfa130f98739bcd90cfa39d590f61f4d6fa",
        _TOYADMOS,
        _TINY + "reference_submissions/anomaly_detection/datasets/dcase01/normal_id_01_00000000_hist_librosa.bin",
        note="one example; the label file does not list it",
    ),
    Asset(
        "ad01",
        "datasets/ad01/*.bin",
        248 * 102_400,
        None,
        _TOYADMOS,
        None,
        note="not published: mlcommons/tiny's training/anomaly_detection/convert_dataset.py makes it from ToyCar "
        "(https://zenodo.org/record/3678171)",
    ),
    _model(
        "vww01",
        "vww_96_int8.tflite",
        "visual_wake_words",
        333288,
        "597a384c8c2c8a1276f04702f25013b7838f2f814f1ca7c174d295b73e3d6b7b",
    ),
    _labels("vww01", 21000, "3697ca57c48b23b21602ae9bdb32b1925407a1d41d79167cdfb365054cb9c33d"),
    Asset(
        "vww01",
        "datasets/vww01/*.bin",
        1000 * 27_648,
        None,
        _COCO,
        None,
        note="not published: they are made from images that mlcommons/tiny's training/visual_wake_words downloads "
        "(https://www.silabs.com/public/files/github/machine_learning/benchmarks/datasets/vw_coco2014_96.tar.gz)",
    ),
    _model(
        "ic01",
        "pretrainedResnet_quant.tflite",
        "image_classification",
        98496,
        "3c002613d1b2475eb51dd78dfb85a546c8ae658dee71cf6ade43b022fe205415",
    ),
    _labels("ic01", 5709, "79e1f19ad731f046983a1a4480bda6369df26c5acee47505a860f164fb58ccd4"),
    Asset(
        "ic01",
        "datasets/ic01/*.bin",
        200 * 3072,
        "f6442743b8f3b0f535338b18fe0976f5aae86720b6e9e41c05a9aea90b286e5b",
        _CIFAR,
        None,
        note="not published: mlcommons/tiny's training/image_classification/perf_samples_loader.py makes them from "
        "CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz)",
    ),
    _model(
        "ic02",
        "pretrainedResnet_large_int8.tflite",
        "image_classification",
        512024,
        "dc27dcd823f5665533352f7da516b0c9bc6f089914b8283782e55961b3423fcf",
    ),
    _model(
        "sww01",
        "str_ww_ref_model.tflite",
        "streaming_wakeword",
        74520,
        "3af8550895ba7d5c584277102b5075c52dcfa63ba9d2b2240f37c4e6abd5dd2b",
    ),
    _truth("short", 216, "c1da7de188c118a2abcffedc459469ea250b55a504f63f17110827a1298a6c08"),
    Asset(
        "sww01",
        "datasets/sww01/short_wav_easy10s.wav",
        640_044,
        "741ab419e46087ce1b738b23ca12c0633e796234f81673c7554629c38a4b708a",
        _MARVIN,
        _STREAMING + "short_wav_easy10s.wav",
    ),
    _truth("med", 631, "8cae641e59200ab39af4c3b38857489b1cc2a1a668ce6542a5ab7ec4a7823c63"),
    _unverified_sound("med_wav_2m_8p.wav"),
    _truth("long", 3284, "0dcaf559213930320cd2ad7143a484b9e82d79b9ea59b7434d3014179f873c1e"),
    _unverified_sound("long_wav.wav"),
    Asset(
        "sww01",
        "datasets/sww01/calibration_samples.npz",
        182_241,
        "43e84d3ac605461d9b08d14d927a8c562d9c09e4e02b8ef6d89bba2be16c6533",
        _MARVIN,
        _TRAINING + "streaming_wakeword/calibration_samples.npz",
    ),
)

State = Literal["present", "damaged", "missing"]


@dataclass(frozen=True)
class Status:
    """Whether an asset is here. `path` is the file, or the folder of a set; None when missing."""

    asset: Asset
    state: State
    path: Path | None


def cache_folder() -> Path:
    """The assets folder in the user's cache, where fetched files go unless another folder is given."""
    return Path(platformdirs.user_cache_dir("tinympy", appauthor=False)) / "assets"


def folders(folder: Path | None = None) -> list[Path]:
    """The folders to search, first one first; they need not exist."""
    environment = os.environ.get(ENVIRONMENT)
    return [Path(each) for each in (folder, environment, cache_folder()) if each]


def find(name: str, folder: Path | None = None) -> Path | None:
    """Where the file called `name` (relative to an assets folder) lies, unverified; None when nowhere."""
    return next((root / name for root in folders(folder) if (root / name).is_file()), None)


def select(names: Iterable[str]) -> list[Asset]:
    """The assets that tasks' or assets' own names stand for; all of them for no name at all.

    Raises:
        UsageError: a name is neither.
    """
    wanted = list(names)
    for name in wanted:
        if not any(name in (asset.task, asset.name) for asset in ASSETS):
            tasks = " ".join(dict.fromkeys(asset.task for asset in ASSETS))
            raise UsageError(f"no official file or task is called {name}", f"tasks with files: {tasks}")
    return [asset for asset in ASSETS if not wanted or asset.task in wanted or asset.name in wanted]


def status(folder: Path | None = None, wanted: Sequence[Asset] = ASSETS) -> list[Status]:
    """What is here and what is not, each file's content verified."""
    return [_status(asset, folder) for asset in wanted]


def path(name: str, folder: Path | None = None) -> Path:
    """The verified official file called `name`; for a set the folder that holds its first file.

    Raises:
        UsageError: `name` is not an official file, it is missing, or what is there is something else.
    """
    found = _status(select([name])[0], folder)
    if found.path is None or found.state != "present":
        raise _absent(found, folder)
    return found.path


def _status(asset: Asset, folder: Path | None) -> Status:
    files = _files(asset, folder)
    if not files or None in files:
        return Status(asset, "missing", None)
    present = [file for file in files if file is not None]
    digest, size_bytes = hashlib.sha256(), 0
    for file in present:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror or error}") from error
        digest.update(content)
        size_bytes += len(content)
    genuine = asset.size_bytes in (None, size_bytes) and asset.sha256 in (None, digest.hexdigest())
    return Status(asset, "present" if genuine else "damaged", present[0].parent if asset.is_set else present[0])


def _files(asset: Asset, folder: Path | None) -> list[Path | None]:
    """Each file of the asset, None for a missing one; no file at all for a set without its genuine label file."""
    if not asset.is_set:
        return [find(asset.name, folder)]
    listing = _status(select([asset.label_file])[0], folder)
    if listing.path is None or listing.state != "present":
        return []
    return [find(asset.name.replace("*.bin", row.file), folder) for row in labels.read(listing.path)]


def _absent(found: Status, folder: Path | None) -> UsageError:
    asset = found.asset
    remedy = f"`tinympy assets fetch {asset.task}`" if asset.url else asset.note
    if found.state == "damaged":
        return UsageError(
            f"{found.path} is not the official {asset.name}: its sha256 or its size differs",
            f"replace it ({remedy}), or use another folder with --assets",
        )
    places = " or ".join(str(root) for root in folders(folder))
    return UsageError(f"{asset.name}, needed by {asset.task}, is not here", f"{remedy}; or put it into {places}")
