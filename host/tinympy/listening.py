"""What a model heard in recordings: its outputs at all hops, as stretches of time in which it hears the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from tinympy.inference import Inference
from tinympy.tasks import Hearing


@dataclass(frozen=True)
class Stretch:
    """Hops one after another, the first and the last at these times, at all of which the target is detected or at none.

    lowest, highest: of the target's raw output.
    """

    recording: str
    begin_ms: int
    end_ms: int
    detected: bool
    hops: int
    lowest: int
    highest: int

    def document(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return dict(vars(self))


def stretches(inferences: Sequence[Inference], hearing: Hearing) -> list[Stretch]:
    """Of every recording among the inferences, in order; inputs that are no sound are left out."""
    recordings: list[list[Inference]] = []
    for inference in inferences:
        if inference.heard_at_ms == 0:
            recordings.append([])
        if inference.heard_at_ms is not None:
            recordings[-1].append(inference)
    return [stretch for recording in recordings for stretch in _of_recording(recording, hearing)]


def _of_recording(recording: Sequence[Inference], hearing: Hearing) -> list[Stretch]:
    outputs = np.array([each.outputs[0].reshape(-1) for each in recording])
    detected = hearing.detected(outputs)
    found = []
    for state, group in groupby(range(len(recording)), key=lambda hop: bool(detected[hop])):
        hops = list(group)
        target = outputs[hops, 0]
        name = recording[0].name.removesuffix("[0]")
        begin_ms, end_ms = hearing.hop_ms * hops[0], hearing.hop_ms * hops[-1]
        found.append(Stretch(name, begin_ms, end_ms, state, len(hops), int(target.min()), int(target.max())))
    return found
