"""The engines in Python compute what the `tflite-micro` package computes, on generated models of every operator."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tinympy.device.python import PythonEngine

import generated_stateful
from bit_exact import MODELS_PER_OPERATOR, SEEDS
from engine_library import EngineLibrary
from generated import chains, sample_input_lists, single_operators
from test_operators import STATEFUL, STATELESS, assert_bit_exact, frames_of, is_known
from tinympy.model.graph import Graph

LIBRARY = EngineLibrary(PythonEngine)


@pytest.mark.parametrize("name", sorted(STATELESS))
def test_operator_is_bit_exact(name: str) -> None:
    @MODELS_PER_OPERATOR
    @given(STATELESS[name](name), SEEDS)
    def check(graph: Graph, seed: int) -> None:
        assume(is_known(graph))
        assert_bit_exact(LIBRARY, graph, [sample_input_lists(graph, seed)[:2]])

    check()
