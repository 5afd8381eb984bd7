"""Which division a model belongs into (MLPerfTiny_Rules.adoc, Divisions): closed is the reference model with the
reference's weights, quantised after training with nothing but the official calibration set; open is any other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinympy import assets
from tinympy.records import Record

CALIBRATION = {
    "kws01": "keyword_spotting/quant_cal_idxs.txt",
    "ic01": "image_classification/calibration_samples.txt",
    "ic02": "image_classification/calibration_samples.txt",
    "ad01": "anomaly_detection/calibration.txt",
    "vww01": "visual_wake_words/calibration_data.txt",
    "sww01": "streaming_wakeword/calibration_samples.npz",
}
"""The official calibration sets: paths below benchmark/training of mlcommons/tiny."""


@dataclass(frozen=True)
class Membership:
    """The division of a result, None for tasks that MLPerf Tiny lacks; and why it is not the closed one."""

    division: Literal["closed", "open"] | None
    reason: str = ""


def of(record: Record) -> Membership:
    """The division that the record's model belongs into, by its hash, or else by what is stated of its quantisation."""
    if not record.task.official:
        return Membership(None)
    reference = reference_sha256(record.task.name)
    if reference is None:
        return Membership(None)
    if record.model.sha256 == reference:
        return Membership("closed")
    stated = record.model.quantisation
    if stated is None:
        return Membership("open", "the model's sha256 is not the reference model's, and no quantisation is stated")
    if stated.retrained:
        return Membership("open", "the model was trained further")
    if stated.calibration != CALIBRATION[record.task.name]:
        return Membership("open", f"the model was not calibrated with {CALIBRATION[record.task.name]}")
    return Membership("closed")


def reference_sha256(task: str) -> str | None:
    """sha256 of the reference model of an MLPerf Tiny task; None for other tasks."""
    return next((a.sha256 for a in assets.ASSETS if a.task == task and a.name.startswith("models/")), None)


def data_sha256(task: str) -> str | None:
    """sha256 of the official inputs of a task, joined in label-file order; None where nobody has published it."""
    task = "ic01" if task == "ic02" else task
    return next((a.sha256 for a in assets.ASSETS if a.task == task and a.is_set), None)
