"""Estimates of architectures whose instructions are counted, beside the counts (tests/instructions/budgets.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinympy import generated
from tinympy.compiler import compile_model
from tinympy.inspection.cycles import inference_cycles

COUNTS = json.loads((Path(__file__).parents[1] / "instructions/budgets.json").read_text())
ARCHITECTURES = sorted({row["architecture"] for row in COUNTS})
SHARE = 0.15
STREAMING_SHARE = 0.4


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", generated.NAMES)
def test_an_estimate_is_near_the_count(name: str, architecture: str) -> None:
    """The interpreter's part, which is not counted, is a small one of all but the smallest network."""
    [layers] = [
        row["layers"]
        for row in COUNTS
        if (row["name"], row["architecture"], row["weights"]) == (name, architecture, "generated")
    ]
    counted = sum(layer[1] for layer in layers)
    estimate = inference_cycles(compile_model(generated.build(name)).graph, architecture)
    print(f"{name} on {architecture}: {estimate:.0f} estimated, {counted} counted")
    assert estimate == pytest.approx(counted, rel=STREAMING_SHARE if name == "sww01" else SHARE)
