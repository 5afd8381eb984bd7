"""Rules of accuracy mode, of data, and of models."""

from __future__ import annotations

from tinympy.measures import figure, is_whole
from tinympy.records import Record
from tinympy.rules import division
from tinympy.rules.rule import Breach, Case, Rule


def _whole_set(case: Case) -> Breach | None:
    record = case.record
    accuracy, data_set = record.accuracy, record.data_set
    if accuracy is None or data_set is None or is_whole(record):
        return None
    words = accuracy.metric == "detections"
    # The targets of sww01 are meant for one recording and no other.
    target = None if words else _target(case)
    below = "" if target is None or _reaches(record, target) else f", below the target of {_shown(record, target)}"
    counted = f"{accuracy.n} {'wake word' if words else 'sample'}{'' if accuracy.n == 1 else 's'}"
    limited = record.options is not None and record.options.samples is not None
    hint = f"--samples {data_set.full_n} takes all" if limited else "compare only figures over the whole data set"
    score = figure(accuracy.metric, accuracy.value)
    return Breach(f"{score} over {counted} where the data set has {data_set.full_n}{below}", hint)


def _official_data(case: Case) -> Breach | None:
    record = case.record
    official = division.data_sha256(record.task.name)
    if official is None or record.data_set is None or not is_whole(record) or record.data_set.sha256 == official:
        return None
    return Breach(
        "the inputs are not the official ones: their sha256 differs", "`tinympy assets list` checks the files"
    )


def _quality_target(case: Case) -> Breach | None:
    record, target = case.record, _target(case)
    accuracy = record.accuracy
    if accuracy is None or not is_whole(record) or division.of(record).division == "open":
        return None
    if target is not None and not _reaches(record, target):
        score = figure(accuracy.metric, accuracy.value)
        return Breach(f"{score} is below the target of {_shown(record, target)}")
    allowed, detail = case.version.word_errors, accuracy.detail or {}
    if allowed is not None:
        for name, what in (("false_negatives", "wake words missed"), ("false_positives", "false positives")):
            if detail.get(name, 0) > allowed:
                return Breach(f"{detail[name]} {what} where {allowed} are allowed")
    return None


def _closed(case: Case) -> Breach | None:
    found = division.of(case.record)
    if found.division != "open":
        return None
    hint = "" if case.record.model.quantisation else "--quantisation FILE states how it was made of the reference's"
    return Breach(f"open division: {found.reason}", hint)


def _open_accuracy(case: Case) -> Breach | None:
    if division.of(case.record).division != "open" or case.record.accuracy is not None:
        return None
    return Breach("a result of the open division without its accuracy", "--mode all")


def _target(case: Case) -> float | None:
    accuracy = case.record.accuracy
    return case.version.targets.get(case.record.task.name) if accuracy and accuracy.metric in ("top1", "auc") else None


def _reaches(record: Record, target: float) -> bool:
    """The submission checker compares the figure as the runner prints it: percent with one decimal, AUC with three."""
    assert record.accuracy is not None
    value = record.accuracy.value
    if record.accuracy.metric == "auc":
        return float(f"{value:.3f}") >= target
    return float(f"{100 * value:.1f}") >= round(100 * target, 1)


def _shown(record: Record, target: float) -> str:
    assert record.accuracy is not None
    return figure(record.accuracy.metric, target)


RULES = (
    Rule(
        "closed-division",
        "The model is the reference model, by its sha256, or made of its weights without training, by quantisation "
        "that the submitter states, with the official calibration set. Any other model is of the open division.",
        "MLPerfTiny_Rules.adoc, Divisions",
        "warning",
        _closed,
    ),
    Rule(
        "open-accuracy",
        "A result of the open division has no target to reach, but reports its accuracy.",
        "MLPerfTiny_Rules.adoc, Divisions",
        "warning",
        _open_accuracy,
    ),
    Rule(
        "whole-set",
        "Accuracy is over every row of the label file, one inference each.",
        "runner/tests_accuracy.yaml, `loop` with `infer 1 0`",
        "warning",
        _whole_set,
        everywhere=True,
    ),
    Rule(
        "official-data",
        "The inputs are the official ones, in both divisions.",
        "MLPerfTiny_Rules.adoc, Divisions; sha256 of the files published in energyrunner and mlcommons/tiny",
        "invalid",
        _official_data,
    ),
    Rule(
        "quality-target",
        "In the closed division accuracy reaches the target of the version (below), as the runner prints it.",
        "tools/submission/submission_checker.py, MODEL_CONFIG",
        "invalid",
        _quality_target,
    ),
)
