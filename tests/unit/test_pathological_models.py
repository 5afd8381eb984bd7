"""Models that are well-formed files and still cannot be: each is refused in so many words, and at once."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinympy.compiler import compile_model
from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

TIME_LIMIT_S = 2.0
MEMORY_LIMIT_BYTES = 16 << 20
SAME = {"padding": "SAME", "stride_h": 1, "stride_w": 1}


def activation(*shape: int, scale: float = 0.5, zero_point: int = 0) -> Tensor:
    return Tensor("activation", shape, "int8", Quantization.per_tensor(scale, zero_point))


def weights(*shape: int, scale: float = 0.5, zero_point: int = 0, dtype: str = "int8") -> Tensor:
    quantization = Quantization.per_tensor(scale, zero_point)
    return Tensor("weights", shape, dtype, quantization, np.ones(shape, dtype))


def one_operator(name: str, *tensors: Tensor, **options: Any) -> Graph:
    """The last tensor is the output, the first the input, what is between them constant."""
    last = len(tensors) - 1
    return Graph(tensors, (Operator(name, tuple(range(last)), (last,), options),), (0,), (last,))


def dense(source: Tensor, kernel: Tensor, output: Tensor, *bias: Tensor, **options: Any) -> Graph:
    return one_operator("FULLY_CONNECTED", source, kernel, *bias, output, **options)


def convolution(source: Tensor, kernel: Tensor, output: Tensor, **options: Any) -> Graph:
    return one_operator("CONV_2D", source, kernel, output, **{**SAME, **options})


def chain(operators: int, width: int, name: str = "FULLY_CONNECTED") -> Graph:
    """All of them with the same weights."""
    tensors = (weights(width, width), *(activation(1, width) for _ in range(operators + 1)))
    inputs = [(i + 1, 0) if name == "FULLY_CONNECTED" else (i + 1,) for i in range(operators)]
    nodes = tuple(Operator(name, inputs[i], (i + 2,)) for i in range(operators))
    return Graph(tensors, nodes, (1,), (operators + 1,))


def many_outputs(outputs: int, *shape: int) -> Graph:
    """Each of the shape of the input, and all of them alive at the end."""
    tensors = (activation(*shape), weights(1, 1), *(activation(*shape) for _ in range(outputs)))
    nodes = tuple(Operator("FULLY_CONNECTED", (0, 1), (i + 2,)) for i in range(outputs))
    return Graph(tensors, nodes, (0,), tuple(range(2, outputs + 2)))


def cycle() -> Graph:
    tensors = (activation(1, 4), weights(4, 4), activation(1, 4), activation(1, 4))
    nodes = (Operator("FULLY_CONNECTED", (3, 1), (2,)), Operator("FULLY_CONNECTED", (2, 1), (3,)))
    return Graph(tensors, nodes, (0,), (3,))


def own_output() -> Graph:
    return Graph((activation(1, 4), weights(4, 4)), (Operator("FULLY_CONNECTED", (0, 1), (0,)),), (0,), (0,))


def numbers(*values: Any) -> Tensor:
    data = np.array(values, np.int32)
    return Tensor("numbers", data.shape, "int32", data=data)


def floats(*shape: int) -> Tensor:
    return Tensor("floats", shape, "float32")


def repeated(name: str, times: int, source: Tensor, constant: Tensor, output: Tensor) -> Graph:
    """An operator that reads the model's input and one constant again and again."""
    nodes = tuple(Operator(name, (0, 1), (i + 2,)) for i in range(times))
    return Graph((source, constant, *[output] * times), nodes, (0,), (2,))


def crowd(operators: int, inputs: int) -> Graph:
    nodes = tuple(Operator("PACK", (0,) * inputs, (i + 1,)) for i in range(operators))
    return Graph((SMALL, *[SMALL] * operators), nodes, (0,), (1,))


def gather(batches: int) -> Graph:
    indices = numbers(*[[0]] * batches)
    return one_operator("GATHER", activation(batches, 1), indices, activation(batches, 1), axis=1, batch_dims=1)


def variable(*shape: int) -> Graph:
    tensors = (SMALL, Tensor("handle", (), "resource"), activation(*shape), SMALL)
    nodes = (
        Operator("VAR_HANDLE", (), (1,), {"shared_name": "state", "container": ""}),
        Operator("READ_VARIABLE", (1,), (2,)),
        Operator("ASSIGN_VARIABLE", (1, 2), ()),
        Operator("RELU", (0,), (3,)),
    )
    return Graph(tensors, nodes, (0,), (3,))


def wide_transposed_convolution() -> Graph:
    tensors = (PIXELS, numbers(1, 1, 1 << 28, 1), KERNEL, activation(1, 1, 1 << 28, 1), PIXELS)
    nodes = (Operator("TRANSPOSE_CONV", (1, 2, 0), (3,), {**SAME, "stride_w": 1 << 28}), Operator("RELU", (0,), (4,)))
    return Graph(tensors, nodes, (0,), (4,))


def padded_with_a_computed_value() -> Graph:
    tensors = (ROWS, numbers([1, 1], [0, 0]), activation(1), activation(6, 4))
    return Graph(tensors, (Operator("PADV2", (0, 1, 2), (3,)),), (0, 2), (3,))


SMALL = activation(1, 4)
PIXELS = activation(1, 8, 8, 1)
KERNEL = weights(1, 3, 3, 1)
SQUARE = weights(4, 4)
ROWS = activation(4, 4)
BYTES = Tensor("bytes", (1, 4), "uint8", Quantization.per_tensor(0.5))
BIG = 1 << 30
CLASSES = activation(1, 4, scale=1 / 256, zero_point=-128)

REFUSED: list[tuple[str, Callable[[], Graph], str]] = [
    ("no operators, no output", lambda: Graph((SMALL,), (), (0,), ()), "no input or no output"),
    ("an output that nothing computes", lambda: Graph((SMALL, SMALL), (), (0,), (1,)), "nothing computes"),
    ("operators in a circle", cycle, "not computed by an operator before"),
    ("an operator that overwrites its input", own_output, "computed twice"),
    ("an input of 2^31 elements", lambda: Graph((activation(1 << 15, 1 << 16),), (), (0,), (0,)), "damaged"),
    ("an input dimension of 2^16", lambda: Graph((activation(1 << 16),), (), (0,), (0,)), "65535"),
    ("an input of no elements", lambda: Graph((activation(1, 0),), (), (0,), (0,)), "1 to 65535"),
    ("an input of seven dimensions", lambda: Graph((activation(*(1,) * 7),), (), (0,), (0,)), "six dimensions"),
    ("an arena beyond 1 GiB", lambda: many_outputs(12, 1 << 13, 1 << 15), "arena of 3489660928 bytes"),
    ("more outputs than the header counts", lambda: many_outputs(256, 4, 1), "limits"),
    (
        "a batch of 60000",
        lambda: convolution(activation(60000, 1, 1, 1), KERNEL, activation(60000, 1, 1, 1)),
        "1024 op",
    ),
    ("3000 operators", lambda: chain(3000, 4), "more than 1024 operations"),
    ("5000 operators that do nothing", lambda: chain(5000, 4, "RESHAPE"), "5002 tensors, 4096 at most"),
    ("400 MB of constants from 1 MB", lambda: chain(400, 1024), "424345600 bytes of constants"),
    ("weights without data", lambda: dense(SMALL, activation(4, 4), SMALL), "not constant"),
    ("weights of no channels", lambda: dense(SMALL, weights(0, 4), activation(1, 0)), "1 to 65535"),
    ("filters of no height", lambda: convolution(PIXELS, weights(1, 0, 3, 1), PIXELS), "not constant"),
    ("weights as int16", lambda: dense(SMALL, weights(4, 4, dtype="int16"), SMALL), "is int16"),
    ("weights with a zero point", lambda: dense(SMALL, weights(4, 4, zero_point=1), SMALL), "zero point"),
    ("a weight scale that is NaN", lambda: dense(SMALL, weights(4, 4, scale=np.nan), SMALL), "positive"),
    ("an infinite weight scale", lambda: dense(SMALL, weights(4, 4, scale=np.inf), SMALL), "positive"),
    ("a negative weight scale", lambda: dense(SMALL, weights(4, 4, scale=-1.0), SMALL), "positive"),
    ("an input scale that is NaN", lambda: dense(activation(1, 4, scale=np.nan), SQUARE, SMALL), "has scale nan"),
    ("an infinite input scale", lambda: dense(activation(1, 4, scale=np.inf), SQUARE, SMALL), "has scale inf"),
    ("a negative input scale", lambda: dense(activation(1, 4, scale=-1.0), SQUARE, SMALL), "has scale -1"),
    ("an output scale of 0", lambda: dense(SMALL, SQUARE, activation(1, 4, scale=0.0)), "has scale 0"),
    ("a denormal output scale", lambda: dense(SMALL, SQUARE, activation(1, 4, scale=1e-45)), "output scale below"),
    (
        "scales far beyond their output's",
        lambda: dense(activation(1, 4, scale=3e38), weights(4, 4, scale=3e38), activation(1, 4, scale=3e38)),
        "output scale below",
    ),
    (
        "an activation beyond 32 bits",
        lambda: convolution(PIXELS, KERNEL, activation(1, 8, 8, 1, scale=1e-45), fused_activation_function="RELU6"),
        "too small for its activation",
    ),
    ("a zero point beyond int8", lambda: dense(activation(1, 4, zero_point=128), SQUARE, SMALL), "zero point"),
    ("a negative stride", lambda: convolution(PIXELS, KERNEL, PIXELS, stride_h=-1), "must be positive"),
    (
        "a kernel that reaches too far",
        lambda: convolution(PIXELS, KERNEL, PIXELS, dilation_h_factor=1 << 30),
        "reaches",
    ),
    (
        "padding beyond 16 bits",
        lambda: convolution(PIXELS, KERNEL, PIXELS, dilation_h_factor=1 << 20),
        "format's limits",
    ),
    (
        "more groups than operations",
        lambda: convolution(activation(1, 1, 1, 2048), weights(2048, 1, 1, 1), activation(1, 1, 1, 2048)),
        "groups",
    ),
    ("a transposed convolution of 2^28 columns", wide_transposed_convolution, "output shape"),
    ("a padding to 2^60", lambda: one_operator("PAD", ROWS, numbers([BIG, 0], [0, BIG]), SMALL), "into"),
    ("a negative padding", lambda: one_operator("PAD", ROWS, numbers([-4, 4], [0, 0]), ROWS), "negative"),
    ("a resize to 2^60", lambda: one_operator("RESIZE_NEAREST_NEIGHBOR", PIXELS, numbers(BIG, BIG), PIXELS), "into"),
    ("a broadcast to 2^60", lambda: one_operator("BROADCAST_TO", SMALL, numbers(BIG, BIG), SMALL), "into"),
    ("a broadcast to 20000 sides", lambda: one_operator("BROADCAST_TO", SMALL, numbers(*[7] * 20000), SMALL), "20000"),
    ("a sum over 20000 axes", lambda: one_operator("SUM", SMALL, numbers(*[1] * 20000), activation(1)), "20000 axes"),
    (
        "a gather of 2^30 elements",
        lambda: one_operator("GATHER", activation(1, 1 << 15), numbers(*[0] * (1 << 15)), SMALL, axis=0),
        "into",
    ),
    ("a gather of 2^15 batches", lambda: gather(1 << 15), "batch_dims"),
    (
        "2^24 elements to move",
        lambda: one_operator("TRANSPOSE", activation(1 << 12, 1 << 12), numbers(1, 0), activation(1 << 12, 1 << 12)),
        "can be moved",
    ),
    (
        "2^22 elements to move, 17 times",
        lambda: repeated("TRANSPOSE", 17, activation(1 << 11, 1 << 11), numbers(1, 0), activation(1 << 11, 1 << 11)),
        "bytes of values",
    ),
    (
        "40 MB of constants from 1 MB",
        lambda: repeated("ADD", 40, activation(1, 1 << 15), weights(32, 1 << 15), activation(32, 1 << 15)),
        "bytes of constants",
    ),
    ("100 operators with 1000 inputs each", lambda: crowd(100, 1000), "100102 inputs and outputs"),
    ("a tensor of 40 dimensions", lambda: Graph((SMALL, activation(*[1] * 40)), (), (0,), (0,)), "40 dimensions"),
    ("axes that are no permutation", lambda: one_operator("TRANSPOSE", SMALL, numbers(0, 0), SMALL), "axis"),
    ("an axis that is not there", lambda: one_operator("UNPACK", SMALL, activation(4), axis=5), "axis"),
    ("parts of nothing", lambda: Graph((SMALL, numbers(0)), (Operator("SPLIT", (1, 0), ()),), (0,), (0,)), "0 outputs"),
    ("padding with a value that is computed", padded_with_a_computed_value, "not constant"),
    ("a variable of no elements", lambda: variable(0), "no elements"),
    ("a float input without QUANTIZE", lambda: one_operator("RELU", floats(1, 4), SMALL), "computes with float32"),
    ("a float input of another size", lambda: one_operator("QUANTIZE", floats(1, 5), SMALL), "computes with float32"),
    ("a float output of uint8", lambda: one_operator("DEQUANTIZE", BYTES, floats(1, 4)), "computes with float32"),
    ("an integer from DEQUANTIZE", lambda: one_operator("DEQUANTIZE", SMALL, SMALL), "its output is int8"),
    (
        "a scale in which 6 is infinite",
        lambda: one_operator("RELU6", activation(1, 4, scale=1e-40), SMALL),
        "too small",
    ),
    (
        "beta that is NaN",
        lambda: one_operator("SOFTMAX", SMALL, CLASSES, beta=np.nan),
        "ratio of nan",
    ),
    (
        "beta below 0",
        lambda: one_operator("SOFTMAX", SMALL, CLASSES, beta=-1.0),
        "out of range",
    ),
]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("graph", "message"), [pytest.param(g, m, id=name) for name, g, m in REFUSED])
def test_refused_at_once(graph: Callable[[], Graph], message: str) -> None:
    model = write(graph())
    begin_s = time.process_time()
    with pytest.raises(ModelError) as caught:
        compile_model(model)
    assert time.process_time() - begin_s < TIME_LIMIT_S
    assert message in f"{caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize(
    "graph",
    [
        lambda: chain(400, 1024),
        lambda: many_outputs(12, 1 << 13, 1 << 15),
        lambda: one_operator("RESIZE_NEAREST_NEIGHBOR", PIXELS, numbers(BIG, BIG), PIXELS),
        lambda: one_operator("TRANSPOSE", activation(1 << 14, 1 << 14), numbers(1, 0), activation(1 << 14, 1 << 14)),
    ],
)
def test_refused_without_memory_for_what_it_asks(graph: Callable[[], Graph]) -> None:
    model = write(graph())
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            compile_model(model)
        assert tracemalloc.get_traced_memory()[1] < MEMORY_LIMIT_BYTES
    finally:
        tracemalloc.stop()


def test_beta_without_bound_leaves_only_the_maximum() -> None:
    compiled = compile_model(write(one_operator("SOFTMAX", SMALL, CLASSES, beta=np.inf)))
    assert compiled.lowered.operations[0].constants == (0x7FFFFFFF).to_bytes(4, "little")


def test_batches_share_their_constants() -> None:
    def size(batches: int) -> int:
        image = activation(batches, 1, 1, 4)
        return len(compile_model(write(convolution(image, weights(4, 1, 1, 4), image))).program)

    assert size(1000) - size(1) == 999 * 64


def test_a_thousand_operators_compile_within_seconds() -> None:
    begin_s = time.process_time()
    compiled = compile_model(write(chain(1000, 4)))
    assert time.process_time() - begin_s < TIME_LIMIT_S
    assert compiled.arena.bytes == 24


def test_thousands_of_tiles_compile_within_seconds() -> None:
    begin_s = time.process_time()
    compiled = compile_model(
        write(dense(activation(1, 1000), weights(4000, 1000), activation(1, 4000))), tile_bytes=4080
    )
    assert time.process_time() - begin_s < TIME_LIMIT_S
    assert len(compiled.program) > 4_000_000
