"""The least cycles of a layer: by what its weights allow, channel by channel."""

from __future__ import annotations

import numpy as np
import pytest

from tinympy.compiler.operation import CONV_2D, Channels, Operation, Span
from tinympy.compiler.parameters import Copy
from tinympy.inspection.bound import bound_cycles


def operation(*weights: int) -> Operation:
    """A channel of eight equal taps for each weight."""
    count = len(weights)
    constants = Channels(
        np.zeros(count, np.int32),
        np.full(count, 1 << 30, np.int32),
        np.full(count, -7, np.int8),
        np.repeat(np.array(weights, np.int8), 8).reshape(count, 8),
    )
    return Operation(CONV_2D, 0, Span(0), Span(1), Copy(1, 1), constants)


@pytest.mark.parametrize(
    ("weights", "cycles_per_mac"), [((63,), 1.75), ((64,), 2.0), ((-128,), 3.0), ((1, 127), 1.875)]
)
def test_the_bound_follows_the_weights(weights: tuple[int, ...], cycles_per_mac: float) -> None:
    assert bound_cycles([operation(*weights)], 1000, "armv6m") == 1000 * cycles_per_mac


def test_parts_of_a_layer_count_by_their_channels() -> None:
    assert bound_cycles([operation(1, 1, 1), operation(-128)], 1000, "armv6m") == 1000 * (3 * 1.75 + 3) / 4


def test_there_is_none_without_products_or_for_another_core() -> None:
    copy = Operation(CONV_2D, 0, Span(0), Span(1), Copy(1, 1))
    assert bound_cycles([copy], 1000, "armv6m") is None
    assert bound_cycles([operation(1)], 0, "armv6m") is None
    assert bound_cycles([operation(1)], 1000, "x64") is None
