"""A task is a model, its data set, and how outputs become a score."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from tinympy import assets, labels
from tinympy.errors import UsageError
from tinympy.labels import Row
from tinympy.tasks import replacement, scoring
from tinympy.tasks.scoring import Int8

WireInput = Literal["int8", "uint8-128", "float32"]
WireResults = Literal["truncated", "rounded", "mse"]
Metric = Literal["top1", "auc", "mean_score", "detections"]
Weights = Literal["official", "generated", "own"]


@dataclass(frozen=True)
class Sample:
    """One row of the label file, or what takes its place.

    inputs: int8 of shape (windows, input bytes), each row exactly what goes into the model's input tensor.
    data: the input file as stored.
    """

    name: str
    label: int
    inputs: Int8
    data: bytes


@dataclass(frozen=True)
class Accuracy:
    """A score over `n` samples. detail: the counts behind the value, by name, where it has any."""

    metric: Metric
    value: float
    n: int
    outputs_sha256: str
    detail: dict[str, int] | None = None


@dataclass(frozen=True)
class FileFormat:
    """What a task makes of a file of some kind; `how` says it in a sentence.

    windows: from a file's content and its name for errors to model inputs, int8 of shape (windows, input bytes);
    UsageError for a file that is not as it should be.
    """

    how: str
    windows: Callable[[bytes, str], Int8]


@dataclass(frozen=True)
class Hearing(FileFormat):
    """How a task listens to a .wav file: one model input for each hop.

    detected: from the outputs, int8 of shape (hops, output bytes), to what was heard at which hop, bool of shape
    (hops,). target: what it listens for, whose probability is the first output.
    """

    target: str
    hop_ms: int
    detected: Callable[[Int8], npt.NDArray[np.bool_]]


class Task(ABC):
    """What every task has; the attributes of its class describe it, an instance knows where its files lie."""

    name: str
    title: str
    official: bool
    """Whether model and data are those that MLPerf Tiny defines."""
    model_file: str
    full_n: int
    """What `count` gives for the whole data set."""
    classifies: bool = True
    """Whether each sample is right or wrong by itself: its label is the class of its one output."""
    scored: bool = True
    """Whether it has an accuracy; without one, `score` says nothing."""
    quantises: bool = False
    """Whether its data are real numbers, which it quantises by the model's parameters."""
    weights: Weights | None = None
    """Of a network of MLPerf Tiny: where its weights are from."""
    caveat: str | None = None
    """What a reader of any result must know."""
    hearing: Hearing | None = None
    """How sound becomes inputs, where the task defines it to the last bit."""
    data_file: FileFormat | None = None
    """The `.bin` files of its data set, where it has such."""
    wire_bytes: int
    """Bytes that one `db load` of the serial protocol holds."""
    wire_input: WireInput
    """How the board turns them into the input tensor: as they are, minus 128, or float32 to be quantised."""
    wire_results: WireResults
    """How `m-results` shows the output: three digits cut off, three digits rounded, or the mean squared error."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is the assets folder to search first."""
        self.folder = folder

    @property
    def model_sha256(self) -> str | None:
        """What the model file must hash to; None for a model that is bundled with tinympy."""
        return None

    @abstractmethod
    def missing(self) -> list[str]:
        """The files that the task lacks on this computer; empty when it can run."""

    @abstractmethod
    def model(self) -> bytes:
        """The `.tflite` file.

        Raises:
            UsageError: it is missing or not the official one.
        """

    @abstractmethod
    def samples(self, limit: int | None = None) -> list[Sample]:
        """The first `limit` samples in label-file order, all without a limit.

        Raises:
            UsageError: an input is missing or not the official one, or the limit is below 1.
        """

    def count(self, samples: Sequence[Sample]) -> int:
        """How many things the score of `samples` is over."""
        return len(samples)

    def score(self, samples: Sequence[Sample], outputs: Sequence[Int8]) -> Accuracy:
        """The accuracy of `outputs`, one int8 array of shape (windows, output bytes) for each sample."""
        value = scoring.top1([sample.label for sample in samples], outputs)
        return Accuracy("top1", value, len(samples), scoring.outputs_sha256(outputs))


class OfficialTask(Task):
    """A task of MLPerf Tiny, whose files stand in an assets folder; its model may be replaced by another one."""

    official = True
    weights: Weights | None = "official"
    own: bytes | None = None
    """The model that `replace_model` was given."""

    def replace_model(self, file: Path) -> None:
        """Take the model in `file` in place of the official one.

        Raises:
            UsageError: it cannot be read, or has other inputs or outputs.
            ModelError: it is no model that the compiler takes.
        """
        self.own = replacement.read(file, self.name, self.quantises)
        self.model_file, self.weights = file.name, "own"

    @property
    def model_sha256(self) -> str | None:
        return assets.select([self._model_name])[0].sha256 if self.own is None else None

    @property
    def _model_name(self) -> str:
        return f"models/{type(self).model_file}"

    @property
    def has_model(self) -> bool:
        """Whether the model's file is on this computer (present, not yet verified)."""
        return not self._missing_model()

    def model(self) -> bytes:
        return assets.path(self._model_name, self.folder).read_bytes() if self.own is None else self.own

    def _missing_model(self) -> list[str]:
        return self._absent([self._model_name]) if self.own is None else []

    def _absent(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if assets.find(name, self.folder) is None]


class LabelledTask(OfficialTask):
    """An official task whose inputs are files that a label file lists."""

    data_set: ClassVar[str]
    """The folder of the inputs, named for the task that they are published for."""
    file_bytes: ClassVar[int]
    """Size of each input file."""
    file_how: ClassVar[str]
    """What its bytes are."""

    @property
    def _labels_name(self) -> str:
        return f"datasets/{self.data_set}/y_labels.csv"

    def missing(self) -> list[str]:
        needed = self._missing_model() + self._absent([self._labels_name])
        return needed or self._absent(self._input_name(row) for row in self._rows())

    def samples(self, limit: int | None = None) -> list[Sample]:
        check_limit(limit)
        rows = self._rows()
        chosen = rows[:limit]
        absent = [row.file for row in chosen if self._find(row) is None]
        if absent:
            raise UsageError(
                f"{len(absent)} of the {len(chosen)} inputs of {self.name} are not here, {absent[0]} for one",
                self._how_to_get_inputs(),
            )
        samples = [self._sample(row) for row in chosen]
        expected = self._inputs_asset().sha256
        if len(chosen) == len(rows) and expected not in (None, dataset_sha256(samples)):
            raise UsageError(
                f"the inputs of {self.name} are not the official ones: their sha256 differs",
                f"replace them ({self._how_to_get_inputs()}), or use another folder with --assets",
            )
        return samples

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder)
        self.data_file = FileFormat(f"files are those of {self.name}: {self.file_how}", self._windows)

    @abstractmethod
    def _inputs(self, data: bytes, name: str) -> Int8:
        """The content of a file as model inputs, int8 of shape (windows, input bytes); `name` stands for it in errors.

        UsageError: it holds what cannot be an input.
        """

    def _rows(self) -> list[Row]:
        return labels.read(assets.path(self._labels_name, self.folder))

    def _input_name(self, row: Row) -> str:
        return f"datasets/{self.data_set}/{row.file}"

    def _find(self, row: Row) -> Path | None:
        return assets.find(self._input_name(row), self.folder)

    def _sample(self, row: Row) -> Sample:
        file = self._find(row)
        assert file is not None
        data = file.read_bytes()
        return Sample(row.file, row.label, self._windows(data, str(file)), data)

    def _windows(self, data: bytes, name: str) -> Int8:
        if len(data) != self.file_bytes:
            raise UsageError(f"{name} has {len(data)} bytes, an input of {self.name} has {self.file_bytes}")
        return self._inputs(data, name)

    def _inputs_asset(self) -> assets.Asset:
        return assets.select([f"datasets/{self.data_set}/*.bin"])[0]

    def _how_to_get_inputs(self) -> str:
        asset = self._inputs_asset()
        return f"`tinympy assets fetch {self.data_set}`" if asset.url else asset.note


def dataset_sha256(samples: Iterable[Sample]) -> str:
    """sha256 of the samples' files joined in label-file order."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(sample.data)
    return digest.hexdigest()


def one_window(data: bytes) -> Int8:
    """A file that is one model input as it stands: int8 of shape (1, bytes)."""
    window: npt.NDArray[np.int8] = np.frombuffer(data, np.int8).reshape(1, -1)
    return window


def image(data: bytes) -> Int8:
    """A picture of unsigned bytes as one model input, int8 of shape (1, bytes): each byte less 128."""
    # Turning over the highest bit is that subtraction, without leaving 8 bits.
    return one_window((np.frombuffer(data, np.uint8) ^ 0x80).tobytes())


def check_limit(limit: int | None) -> None:
    """Raises UsageError unless `limit` is None or at least 1."""
    if limit is not None and limit < 1:
        raise UsageError(f"cannot take {limit} samples", "--samples takes a number from 1")
