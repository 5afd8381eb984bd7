"""The benchmarks of a submission: our task, the folder of the results, that of the code, and the quality target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tinympy.rules import LATEST

Mode = Literal["accuracy", "performance", "energy"]

TOP1 = re.compile(r".* Top[- ]1%?\s?[:=] ([\d\.]+).*")
AUC = re.compile(r".* AUC\s?[:=] ([\d\.]+).*")
THROUGHPUT = re.compile(r".* Median throughput is\s+([\d\.]+) inf\./sec\..*")
ENERGY = re.compile(r"Median energy cost is ([\d\.]+) uJ/inf")


@dataclass(frozen=True)
class Benchmark:
    """`name` is that of the folder under results/, `reference` that of mlcommons/tiny under code/.

    pattern: finds the accuracy in results.txt.
    """

    task: str
    name: str
    reference: str
    pattern: re.Pattern[str]

    @property
    def target(self) -> float:
        """The least accuracy of the closed division, as printed."""
        target = LATEST.targets[self.task]
        return round(100 * target, 1) if self.pattern is TOP1 else target


BENCHMARKS = (
    Benchmark("ad01", "ad", "anomaly_detection", AUC),
    Benchmark("ic01", "ic", "image_classification", TOP1),
    Benchmark("ic02", "ic2", "image_classification", TOP1),
    Benchmark("kws01", "kws", "keyword_spotting", TOP1),
    Benchmark("vww01", "vww", "visual_wake_words", TOP1),
)
"""Without sww01, whose results come from the interface board's own recordings (docs/submission.md)."""


def of_task(task: str) -> Benchmark | None:
    """The benchmark of a task of ours; None where there is none."""
    return next((each for each in BENCHMARKS if each.task == task), None)


def named(name: str) -> Benchmark | None:
    """The benchmark with this folder of results."""
    return next((each for each in BENCHMARKS if each.name == name), None)


def found(pattern: re.Pattern[str], text: str) -> float | None:
    """The figure of the last line that `pattern` fits, as the official checker reads it; None where there is none."""
    value = None
    for line in text.splitlines():
        if match := pattern.search(line) if pattern is ENERGY else pattern.match(line):
            value = match.group(1)
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
