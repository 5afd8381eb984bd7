"""State: read and written as files have it, checked, and begun with what TensorFlow Lite Micro begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import pytest

from tinympy.errors import ModelError
from tinympy.model import state
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.read import read
from tinympy.model.state import initial_state, initial_variables
from tinympy.model.write import write
from tinympy.reference import Interpreter

SIXTEENTHS = Quantization.per_tensor(0.0625, -5)
CALL_ONCE = Operator("CALL_ONCE", (), (), {"init_subgraph_index": 1})
READ, ASSIGN = Operator("READ_VARIABLE", (1,), (2,)), Operator("ASSIGN_VARIABLE", (1, 0), ())
INITIAL = Tensor("first", (2, 2), "int8", SIXTEENTHS, np.array([[1, 2], [3, 4]], np.int8))


def handle(tensor: int, name: str | None = "memory", container: str = "") -> Operator:
    return Operator("VAR_HANDLE", (), (tensor,), {"container": container, "shared_name": name})


def delay(*operators: Operator, dtype: str = "int8", initial: Tensor | None = None) -> Graph:
    """One frame late: the output (tensor 2) is the input (tensor 0) before; tensor 1 is the variable's handle."""
    quantization = SIXTEENTHS if dtype == "int8" else Quantization.per_tensor(0.0625, 3)
    return Graph(
        tensors=(
            Tensor("input", (2, 2), dtype, quantization),
            Tensor("handle", (), "resource"),
            Tensor("output", (2, 2), dtype, quantization),
        ),
        operators=operators or (handle(1), READ, ASSIGN),
        inputs=(0,),
        outputs=(2,),
        initial_values={} if initial is None else {"memory": initial},
    )


def initialised() -> Graph:
    return delay(CALL_ONCE, handle(1), READ, ASSIGN, initial=INITIAL)


def changed(graph: Graph, change: Callable[[Any, Any], None]) -> bytes:
    """The graph's file after `change(model, schema)` to its object tree."""
    reason = "tflite_micro is not installed: pip install tflite-micro"
    pytest.importorskip("tflite_micro", reason=reason)
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(write(graph), 0))
    change(model, schema)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_initial_values_are_written_and_read_again() -> None:
    again = read(write(initialised()))
    assert [operator.name for operator in again.operators] == [
        "CALL_ONCE",
        "VAR_HANDLE",
        "READ_VARIABLE",
        "ASSIGN_VARIABLE",
    ]
    assert again.operators[1].options == {"container": "", "shared_name": "memory"}
    assert list(again.initial_values) == ["memory"]
    np.testing.assert_equal(vars(again.initial_values["memory"]), vars(INITIAL))
    assert write(again) == write(initialised())


def test_a_call_once_that_assigns_nothing_survives() -> None:
    graph = delay(CALL_ONCE, handle(1), READ, ASSIGN)
    assert read(write(graph)).operators[0].options == {"init_subgraph_index": 1}
    assert write(read(write(graph))) == write(graph)


def test_whether_a_tensor_is_state_is_written_and_read_again() -> None:
    graph = delay()
    kept = replace(graph, tensors=(*graph.tensors, Tensor("state", (3,), "int16", is_variable=True)))
    assert [tensor.is_variable for tensor in read(write(kept)).tensors] == [False, False, False, True]


def test_an_initialised_variable_begins_with_what_it_is_assigned() -> None:
    frame = np.full((2, 2), 9, np.int8)
    interpreter = Interpreter(initialised())
    assert interpreter.run(frame)[0].tolist() == [[1, 2], [3, 4]]
    assert interpreter.run(frame)[0].tolist() == frame.tolist()
    interpreter.reset()
    assert interpreter.run(frame)[0].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("dtype", "value"), [("int8", -5), ("int16", 0x0303)])
def test_another_variable_begins_with_its_zero_point_in_every_byte(dtype: str, value: int) -> None:
    assert np.unique(initial_variables(delay(dtype=dtype))["memory"]).tolist() == [value]


@pytest.mark.parametrize(("dtype", "value"), [("int8", -5), ("int16", 0)])
def test_a_state_tensor_begins_with_its_zero_point_only_if_int8(dtype: str, value: int) -> None:
    tensor = Tensor("state", (2,), dtype, SIXTEENTHS, is_variable=True)
    assert initial_state(Graph((tensor,), (), (), ()))[0].tolist() == [value, value]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (delay(handle(1), READ), "'memory' is read but never assigned"),
        (delay(READ, ASSIGN), "its variable or its value is missing"),
        (delay(handle(1, None), READ, ASSIGN), "without a name"),
        (delay(handle(1, "memory", "box"), READ, ASSIGN), "in a container"),
        (delay(handle(1), handle(1, "other"), READ, ASSIGN), "the output of another one"),
        (delay(handle(1), READ, CALL_ONCE, ASSIGN, initial=INITIAL), "before CALL_ONCE"),
        (delay(handle(1), READ, ASSIGN, initial=INITIAL), "before CALL_ONCE"),
        (delay(CALL_ONCE, handle(1), READ, ASSIGN, dtype="int16", initial=INITIAL), "is int8 .* elsewhere"),
        (delay(handle(1), replace(READ, outputs=()), ASSIGN), "1 inputs and 0 outputs"),
    ],
)
def test_a_variable_used_wrongly_is_refused(graph: Graph, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        initial_variables(graph)


@pytest.mark.parametrize(
    "graph",
    [
        Graph((replace(INITIAL, is_variable=True),), (), (), ()),
        Graph((Tensor("input", (1,), "int8", is_variable=True),), (), (0,), ()),
        Graph((Tensor("output", (1,), "int8", is_variable=True),), (), (), (0,)),
        Graph((Tensor("text", (1,), "type 5", is_variable=True),), (), (), ()),
        Graph((Tensor("huge", (state.MAX_STATE_BYTES + 1,), "int8", is_variable=True),), (), (), ()),
        Graph((Tensor("huge", (state.MAX_STATE_BYTES // 8,), "int64", is_variable=True),) * 2, (), (), ()),
    ],
)
def test_a_state_tensor_that_cannot_be_one_is_refused(graph: Graph) -> None:
    with pytest.raises(ModelError):
        initial_state(graph)


def test_other_models_of_several_subgraphs_are_refused() -> None:
    def add_subgraph(model: Any, schema: Any) -> None:
        model.subgraphs.append(model.subgraphs[0])

    def call_itself(model: Any, schema: Any) -> None:
        model.subgraphs[0].operators[0].builtinOptions.initSubgraphIndex = 0

    def drop_call(model: Any, schema: Any) -> None:
        del model.subgraphs[0].operators[0]

    for graph, change in [
        (delay(), add_subgraph),
        (initialised(), add_subgraph),
        (initialised(), call_itself),
        (initialised(), drop_call),
    ]:
        with pytest.raises(ModelError, match="subgraphs; only models of one"):
            read(changed(graph, change))


def test_an_initialisation_that_computes_is_refused() -> None:
    def assign_nothing_constant(model: Any, schema: Any) -> None:
        model.subgraphs[1].tensors[1].buffer = 0

    def read_in_it(model: Any, schema: Any) -> None:
        model.subgraphs[1].operators[1].opcodeIndex = 2  # READ_VARIABLE

    for change in (assign_nothing_constant, read_in_it):
        with pytest.raises(ModelError, match=r"operator 1 .* of the subgraph that CALL_ONCE calls"):
            read(changed(initialised(), change))
