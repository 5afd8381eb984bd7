"""From a network's int8 outputs to one figure of merit, as the public MLPerf Tiny runner has it (runner/main.py)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]


def outputs_sha256(outputs: Iterable[Int8]) -> str:
    """sha256 of all raw int8 outputs joined in the order given."""
    digest = hashlib.sha256()
    for output in outputs:
        digest.update(np.ascontiguousarray(output).tobytes())
    return digest.hexdigest()


def predicted(output: Int8) -> int:
    """The class of one output vector; of tied maxima the first, as numpy.argmax has it."""
    return int(np.argmax(output))


def top1(labels: Sequence[int], outputs: Sequence[Int8]) -> float:
    """The share of outputs, each of shape (1, classes), whose largest element stands at the label."""
    return sum(predicted(output) == label for label, output in zip(labels, outputs, strict=True)) / len(labels)


def auc(labels: Sequence[int], scores: Sequence[float]) -> float:
    """Area under the ROC curve from the rank sum (Mann and Whitney), tied scores counting one half.

    Raises:
        ValueError: only one of the classes 0 and 1 occurs.
    """
    positive = np.asarray(labels) == 1
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        raise ValueError("the AUC needs both classes")
    _, place, count = np.unique(np.asarray(scores, np.float64), return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2
    rank_sum = float(mean_rank[place][positive].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
