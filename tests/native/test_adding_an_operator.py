"""docs/adding-an-operator.md shows the repository's own code, and its steps lead to an operator that is exact."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from bit_exact import SEEDS, assert_reference_is_bit_exact
from generated_simple import single

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-an-operator.md").read_text()
EXCERPTS = re.findall(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_shows_all_five_parts() -> None:
    folders = {Path(path).parts[:3] for path, _ in EXCERPTS}
    assert {
        ("host", "tinympy", "reference"),
        ("host", "tinympy", "compiler"),
        ("native_modules", "kernels", "max_pool_2d.c"),
        ("device", "tinympy", "python_pooling.py"),
        ("tests", "native", "generated_simple.py"),
    } <= folders


@pytest.mark.parametrize(("path", "excerpt"), EXCERPTS)
def test_an_excerpt_is_the_code_of_the_repository(path: str, excerpt: str) -> None:
    # clang-format pads the lines of a macro with spaces before their backslashes.
    code = re.sub(r" +\\$", "", (ROOT / path).read_text(), flags=re.MULTILINE)
    assert excerpt in code


@settings(max_examples=20, deadline=None)
@given(single("MAX_POOL_2D"), SEEDS)
def test_the_operator_of_the_page_is_exact(graph, seed) -> None:
    assert_reference_is_bit_exact(graph, seed)
