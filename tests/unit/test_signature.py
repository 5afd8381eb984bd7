"""signature: real values and raw integers, as the board and TFLM convert them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinympy.device import quantisation

from tinympy import tasks
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.read import read
from tinympy.signature import End, Signature, parts

FLOAT_EDGES = Graph(
    (
        Tensor("in", (1, 4), "float32"),
        Tensor("in_int8", (1, 4), "int8", Quantization.per_tensor(0.5, -10)),
        Tensor("out_int8", (1, 4), "int8", Quantization.per_tensor(0.25, 5)),
        Tensor("out", (1, 4), "float32"),
    ),
    (Operator("QUANTIZE", (0,), (1,)), Operator("LOGISTIC", (1,), (2,)), Operator("DEQUANTIZE", (2,), (3,))),
    (0,),
    (3,),
)


def end(scale: float, zero_point: int) -> End:
    return End("x", (1,), "int8", "int8", scale, zero_point, (-128, 127))


@given(
    st.floats(width=32),
    st.sampled_from([np.float32(scale) for scale in (0.0625, 0.1, 0.3910152, 1.0, 7.3)]),
    st.integers(-128, 127),
)
def test_real_values_are_quantised_as_on_the_board(value: float, scale: np.float32, zero_point: int) -> None:
    board = bytearray(1)
    quantisation.load("float32", struct.pack("<f", value), memoryview(board), float(scale), zero_point)
    [raw] = end(float(scale), zero_point).quantised(np.array([value], np.float32))
    assert int(raw) & 0xFF == board[0]


@given(st.integers(-128, 127), st.integers(-128, 127), st.floats(2**-20, 2**20, width=32))
def test_raw_integers_survive_the_way_to_real_values_and_back(raw: int, zero_point: int, scale: float) -> None:
    this = end(scale, zero_point)
    assert this.quantised(this.real(np.array([raw], np.int8))) == raw


def test_digits_has_one_input_and_one_output_that_are_int8() -> None:
    signature = Signature.of(read(tasks.get("digits").model()))
    [given], [result] = signature.inputs, signature.outputs
    assert (given.shape, given.bytes, given.dtype, given.operator) == ((1, 8, 8, 1), 64, "int8", "")
    assert given.real_range == (0.0, 15.9375)
    assert (result.shape, result.scale, result.zero_point, result.operator) == ((1, 10), 1 / 256, -128, "SOFTMAX")


def test_float_ends_are_integers_to_the_program() -> None:
    signature = Signature.of(FLOAT_EDGES)
    [given], [result] = signature.inputs, signature.outputs
    assert (given.dtype, given.raw_dtype, given.scale, given.zero_point) == ("float32", "int8", 0.5, -10)
    assert (result.dtype, result.raw_dtype, result.scale, result.zero_point) == ("float32", "int8", 0.25, 5)
    assert result.operator == "LOGISTIC"
    raw = np.array([-10, -8, 0, 127], np.int8)
    assert given.given(raw).dtype == np.float32
    assert given.given(raw).tolist() == [[0.0, 1.0, 5.0, 68.5]]


def test_tensors_that_stand_one_after_another_are_taken_apart() -> None:
    ends = [
        End("a", (1, 2), "int8", "int8", 1.0, 0, (-128, 127)),
        End("b", (3,), "uint8", "uint8", 1.0, 0, (0, 255)),
    ]
    first, second = parts(bytes([255, 1, 255, 2, 3]), ends)
    assert first.tolist() == [[-1, 1]]
    assert second.tolist() == [255, 2, 3]


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_bytes_follow_the_raw_dtype(dtype: str) -> None:
    assert End("x", (2, 3), dtype, dtype, 1.0, 0, (0, 255)).bytes == 6 * np.dtype(dtype).itemsize
