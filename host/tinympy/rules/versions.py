"""What differs between the versions of MLPerf Tiny: quality targets, and what their runners let pass.

Targets: mlcommons/tiny, tools/submission/submission_checker.py, MODEL_CONFIG, of checker v1.4; benchmark/README.md and
MLPerfTiny_Rules.adoc agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    """One version of the rules.

    targets: the least accuracy (share or AUC) of a task. word_errors: how many false positives, and how many false
    negatives, sww01 may have; None where there is no such task. inferences: how many a window may have instead of
    lasting 10 s, which the EEMBC runner allows (phased out after summer 2025); None where it may not.
    """

    name: str
    targets: Mapping[str, float]
    word_errors: int | None
    inferences: int | None


_TARGETS = {"ad01": 0.85, "ic01": 0.85, "kws01": 0.90, "vww01": 0.80}

VERSIONS: dict[str, Version] = {
    version.name: version
    for version in (
        Version("v1.0", _TARGETS, None, 10),
        Version("v1.1", _TARGETS, None, 10),
        Version("v1.2", _TARGETS, None, 10),
        Version("v1.3", _TARGETS, 8, 10),
        Version("v1.4", {**_TARGETS, "ic02": 0.91}, 8, None),
    )
}

LATEST = VERSIONS["v1.4"]
