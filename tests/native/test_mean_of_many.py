"""AVERAGE_POOL_2D over as many positions as its sums of 16 bits hold, one less and more: `tflite-micro`'s bytes."""

from __future__ import annotations

import numpy as np
import pytest

from bit_exact import runtime
from generated import sample_input_lists
from kernel_library import KernelLibrary
from tinympy.compiler import compile_model
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write


@pytest.mark.parametrize("build", ["sanitized", "narrow"])
@pytest.mark.parametrize("channels", [3, 8])
@pytest.mark.parametrize("positions", [1, 2, 3, 255, 256, 257, 258, 4099])
def test_every_sum_and_every_mean(build: str, channels: int, positions: int) -> None:
    same = Quantization.per_tensor(0.5, 7)
    image, mean = (Tensor(str(size), (1, size, 1, channels), "int8", same) for size in (positions, 1))
    options = {"padding": "VALID", "stride_h": 1, "stride_w": 1, "filter_height": positions, "filter_width": 1}
    graph = Graph((image, mean), (Operator("AVERAGE_POOL_2D", (0,), (1,), options),), (0,), (1,))
    model = write(graph)
    reference = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    loaded = KernelLibrary(build).load(compile_model(model).program)
    random = np.random.default_rng(positions)
    drawn = [each for [each] in sample_input_lists(graph, positions)]
    # Means all over the range, and sums that lie half between two integers.
    low = random.integers(-128, 128, 100)
    drawn += [random.integers(each, 128, image.shape).astype(np.int8) for each in low]
    drawn += [
        np.clip(np.arange(image.elements).reshape(image.shape) % 2 + each, -128, 127).astype(np.int8) for each in low
    ]
    for values in drawn:
        reference.set_input(values, 0)
        reference.invoke()
        [output] = loaded.infer(values)
        np.testing.assert_array_equal(output, reference.get_output(0))
