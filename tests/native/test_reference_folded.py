"""The reference engine computes with plain numbers as the `tflite-micro` package does: it folds constants rightly."""

from __future__ import annotations

import pytest
from hypothesis import given

from bit_exact import MODELS_PER_OPERATOR, SEEDS, assert_reference_is_bit_exact
from generated_folded import OPERATORS, single


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operator_is_bit_exact(name: str) -> None:
    @MODELS_PER_OPERATOR
    @given(single(name), SEEDS)
    def check(graph, seed):
        assert_reference_is_bit_exact(graph, seed)

    check()
