"""`write`: what it writes runs in TensorFlow Lite Micro, says what the graph said, and is refused when it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tflite

from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.read import read
from tinympy.model.write import write


def run_in_tflite_micro(graph: Graph, *inputs: np.ndarray) -> np.ndarray:
    reason = "tflite_micro is not installed: pip install tflite-micro"
    tflite_micro = pytest.importorskip("tflite_micro", reason=reason)
    interpreter = tflite_micro.runtime.Interpreter.from_bytes(write(graph), arena_size=100_000)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    return np.array(interpreter.get_output(0))


def constant(name: str, values: Any, dtype: str, quantization: Quantization | None = None) -> Tensor:
    data = np.array(values, dtype)
    return Tensor(name, data.shape, dtype, quantization, data)


def fully_connected(activation: str = "NONE") -> Graph:
    """Two inputs of scale 0.5, three int8 outputs of scale 1 and zero point 3."""
    return Graph(
        tensors=(
            Tensor("input", (1, 2), "int8", Quantization.per_tensor(0.5, -1)),
            constant("weights", [[1, 2], [3, -4], [-5, 0]], "int8", Quantization.per_tensor(2.0)),
            constant("bias", [10, 20, -30], "int32", Quantization.per_tensor(1.0)),
            Tensor("output", (1, 3), "int8", Quantization.per_tensor(1.0, 3)),
        ),
        operators=(Operator("FULLY_CONNECTED", (0, 1, 2), (3,), {"fused_activation_function": activation}),),
        inputs=(0,),
        outputs=(3,),
        description="by hand",
    )


def convolution() -> Graph:
    """A 3x3 image, two 2x2 filters with a scale each, padding SAME (one row below, one column to the right)."""
    filters = np.array([[[1, 2], [3, 4]], [[-1, 0], [0, 1]]], np.int8)[..., None]
    per_channel = np.array([1.0, 2.0], np.float32)
    return Graph(
        tensors=(
            Tensor("input", (1, 3, 3, 1), "int8", Quantization.per_tensor(1.0)),
            Tensor("filters", (2, 2, 2, 1), "int8", Quantization(per_channel, np.zeros(2, np.int64), 0), filters),
            constant("bias", [5, 7], "int32", Quantization(per_channel, np.zeros(2, np.int64), 0)),
            Tensor("output", (1, 3, 3, 2), "int8", Quantization.per_tensor(1.0, -10)),
        ),
        operators=(
            Operator(
                "CONV_2D",
                (0, 1, 2),
                (3,),
                {
                    "padding": "SAME",
                    "stride_w": 1,
                    "stride_h": 1,
                    "dilation_w_factor": 1,
                    "fused_activation_function": "RELU",
                },
            ),
        ),
        inputs=(0,),
        outputs=(3,),
    )


def pooled_and_reshaped() -> Graph:
    scale = Quantization.per_tensor(1.0)
    pool = {"padding": "VALID", "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
    return Graph(
        tensors=(
            Tensor("input", (1, 2, 4, 1), "int8", scale),
            Tensor("pooled", (1, 1, 2, 1), "int8", scale),
            constant("shape", [1, 2], "int32"),
            Tensor("flat", (1, 2), "int8", scale),
        ),
        operators=(
            Operator("MAX_POOL_2D", (0,), (1,), pool),
            Operator("RESHAPE", (1, 2), (3,), {"new_shape": (1, 2)}),
        ),
        inputs=(0,),
        outputs=(3,),
    )


def test_fully_connected_runs_and_gives_the_sums_of_the_hand() -> None:
    # (input + 1) = 10, 20; scale 0.5 * 2.0 / 1.0 = 1: output = weights @ (10, 20) + bias + 3.
    output = run_in_tflite_micro(fully_connected(), np.array([[9, 19]], np.int8))
    assert output.tolist() == [[10 + 40 + 10 + 3, 30 - 80 + 20 + 3, -50 - 30 + 3]]


def test_relu_by_name_clamps_at_the_zero_point() -> None:
    output = run_in_tflite_micro(fully_connected("RELU"), np.array([[9, 19]], np.int8))
    assert output.tolist() == [[63, 3, 3]]


def test_convolution_runs_with_per_channel_scales_and_same_padding() -> None:
    image = np.arange(1, 10, dtype=np.int8).reshape(1, 3, 3, 1)
    output = run_in_tflite_micro(convolution(), image)
    first = [
        [37 + 5, 47 + 5, 1 * 3 + 3 * 6 + 5],
        [67 + 5, 77 + 5, 1 * 6 + 3 * 9 + 5],
        [1 * 7 + 2 * 8 + 5, 1 * 8 + 2 * 9 + 5, 1 * 9 + 5],
    ]
    # The second filter is a difference along the diagonal: 4 inside; outside it takes -pixel, which RELU removes.
    second = [[2 * (4 + 7), 2 * (4 + 7), 2 * (-3 + 7)], [2 * (4 + 7), 2 * (4 + 7), 2 * (-6 + 7)], [0, 0, 0]]
    assert (output[0, ..., 0] + 10).tolist() == first
    assert (output[0, ..., 1] + 10).tolist() == second


def test_pooling_and_reshape_run() -> None:
    image = np.array([1, 2, -3, -4, 5, 6, -7, -8], np.int8).reshape(1, 2, 4, 1)
    assert run_in_tflite_micro(pooled_and_reshaped(), image).tolist() == [[6, -3]]


@pytest.mark.parametrize("graph", [fully_connected(), convolution(), pooled_and_reshaped()])
def test_reading_what_was_written_gives_the_graph_back(graph: Graph) -> None:
    again = read(write(graph))
    assert replace(again, tensors=(), operators=()) == replace(graph, tensors=(), operators=())
    for given, got in zip(graph.tensors, again.tensors, strict=True):
        assert (got.name, got.shape, got.dtype) == (given.name, given.shape, given.dtype)
        np.testing.assert_equal(got.data, given.data)
        np.testing.assert_equal(
            None if got.quantization is None else vars(got.quantization),
            None if given.quantization is None else vars(given.quantization),
        )
    for given_op, got_op in zip(graph.operators, again.operators, strict=True):
        # read gives every option of the schema, the ones left out with the schema's default
        assert replace(got_op, options={}) == replace(given_op, options={})
        assert {key: got_op.options[key] for key in given_op.options} == given_op.options
    assert write(again) == write(graph)


def test_absent_optional_input_survives() -> None:
    graph = fully_connected()
    without_bias = replace(graph, operators=(replace(graph.operators[0], inputs=(0, 1, -1)),))
    assert read(write(without_bias)).operators[0].inputs == (0, 1, -1)
    output = run_in_tflite_micro(without_bias, np.array([[9, 19]], np.int8))
    assert output.tolist() == [[53, -47, -47]]


def test_every_constant_has_its_own_aligned_buffer_and_the_first_buffer_is_empty() -> None:
    content = write(convolution())
    model = tflite.Model.GetRootAs(content, 0)
    assert content[4:8] == b"TFL3"
    assert model.Buffers(0).DataLength() == 0
    assert [model.Subgraphs(0).Tensors(i).Buffer() for i in range(4)] == [0, 1, 2, 0]
    for index in (1, 2):
        data = model.Buffers(index).DataAsNumpy()
        assert (data.ctypes.data - np.frombuffer(content, np.uint8).ctypes.data) % 16 == 0


@pytest.mark.parametrize(("name", "old_code", "code"), [("ADD", 0, 0), ("GELU", 127, 150)])
def test_operator_codes_stand_in_both_fields(name: str, old_code: int, code: int) -> None:
    graph = pooled_and_reshaped()
    operator_code = tflite.Model.GetRootAs(
        write(replace(graph, operators=(Operator(name, (0,), (1,)),))), 0
    ).OperatorCodes(0)
    assert (operator_code.DeprecatedBuiltinCode(), operator_code.BuiltinCode()) == (old_code, code)


def test_operators_that_appear_twice_share_a_code() -> None:
    graph = pooled_and_reshaped()
    model = tflite.Model.GetRootAs(write(replace(graph, operators=graph.operators * 2)), 0)
    assert (model.OperatorCodesLength(), model.Subgraphs(0).OperatorsLength()) == (2, 4)


@pytest.mark.parametrize(
    ("name", "options_class"),
    [
        ("CONV_2D", "Conv2DOptions"),
        ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions"),
        ("AVERAGE_POOL_2D", "Pool2DOptions"),
        ("SVDF", "SVDFOptions"),
        ("MEAN", "ReducerOptions"),
        ("PADV2", "PadV2Options"),
        ("CONCATENATION", "ConcatenationOptions"),
        ("RELU", "NONE"),
        ("LOGISTIC", "NONE"),
    ],
)
def test_operators_get_the_options_table_of_the_schema(name: str, options_class: str) -> None:
    graph = replace(pooled_and_reshaped(), operators=(Operator(name, (0,), (1,)),))
    operator = tflite.Model.GetRootAs(write(graph), 0).Subgraphs(0).Operators(0)
    assert operator.BuiltinOptionsType() == getattr(tflite.BuiltinOptions, options_class)


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (Operator("TELEPORT", (0,), (1,)), "operator TELEPORT is not in"),
        (Operator("RELU", (0,), (1,), {"beta": 1.0}), "RELU has no options"),
        (Operator("SOFTMAX", (0,), (1,), {"gamma": 1.0}), "SOFTMAX has no option gamma"),
        (Operator("CONV_2D", (0,), (1,), {"padding": "FULL"}), "CONV_2D: padding FULL"),
        (Operator("SOFTMAX", (0,), (1,), {"beta": "HOT"}), "SOFTMAX: beta HOT"),
    ],
)
def test_what_the_schema_lacks_is_refused(operator: Operator, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        write(replace(pooled_and_reshaped(), operators=(operator,)))


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (Tensor("t", (2,), "int8", None, np.zeros(3, np.int8)), "its data are int8"),
        (Tensor("t", (2,), "int8", None, np.zeros(2, np.int16)), "its data are int16"),
        (Tensor("t", (2,), "int5"), "dtype INT5"),
    ],
)
def test_contradictory_tensors_are_refused(tensor: Tensor, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        write(Graph((tensor,), (), (), ()))
