"""What a board says of a model, from its program alone, agrees with what the compiler knows."""

from __future__ import annotations

from collections import defaultdict

import pytest
from tinympy.device import describe, python
from tinympy.device.model import Model
from tinympy.device.python import PythonEngine

from tinympy import generated, selftest, tasks
from tinympy.compiler import Compiled, compile_model
from tinympy.compiler.operation import Channels
from tinympy.inspection.work import macs


def content_of(name: str) -> bytes:
    return generated.build(name) if name in generated.NAMES else tasks.get(name).model()


def model_of(compiled: Compiled) -> Model:
    return Model(compiled.program, engine=PythonEngine)


def by_operator(compiled: Compiled, rows: describe.Rows, what: str) -> dict[int, int]:
    """The sum of an attribute of layers, for each operator of the graph."""
    found: dict[int, int] = defaultdict(int)
    for row in rows:
        found[compiled.lowered.operations[row.index].operator] += getattr(row, what)
    return found


@pytest.mark.parametrize("name", ["digits", *generated.NAMES])
@pytest.mark.parametrize("tile_bytes", [None, 4000])
def test_layers_are_those_that_the_compiler_made(name: str, tile_bytes: int | None) -> None:
    compiled = compile_model(content_of(name), name, tile_bytes)
    rows = model_of(compiled).layers()
    work = by_operator(compiled, rows, "macs")
    graph = compiled.graph
    assert work == {index: macs(graph, graph.operators[index]) for index in work}
    assert sum(work.values()) == sum(macs(graph, operator) for operator in graph.operators)
    for row in rows:
        operation = compiled.lowered.operations[row.index]
        shape = graph.tensors[graph.operators[operation.operator].outputs[0]].shape
        if tile_bytes is None and row.output_shape:
            assert describe.product(row.output_shape) == describe.product(shape), row
        constants = operation.constants
        size = constants.encoded_bytes(len(constants)) if isinstance(constants, Channels) else len(constants)
        if tile_bytes is None:
            # Constants begin at multiples of 4.
            assert size <= row.bytes < size + 4


def test_every_kernel_has_a_name() -> None:
    functions = {opcode: name for opcode, (_, name) in python.OPERATORS.items()}
    assert {opcode: describe.NAMES[opcode].lower() for opcode in functions} == functions
    assert len(describe.NAMES) == len(functions) + 1


def test_every_kernel_can_be_described() -> None:
    compiled = compile_model(selftest.network.build(), "every")
    model = model_of(compiled)
    opcodes = {operation.opcode for operation in compiled.lowered.operations}
    rows = model.layers()
    assert len(rows) == len(compiled.lowered.operations) - compiled.lowered.initial_operations
    assert opcodes == set(python.OPERATORS)
    work = by_operator(compiled, rows, "macs")
    graph = compiled.graph
    assert work == {index: macs(graph, graph.operators[index]) for index in work}


def test_a_model_shows_itself_in_a_line() -> None:
    model = model_of(compile_model(content_of("kws01"), "kws01"))
    assert repr(model).startswith("<kws01: 1x49x10x1 int8 -> 1x12 int8; arena ") and repr(model).endswith(
        "engine python>"
    )


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ([0] * 63, ValueError, "digits takes 64 values (1x8x8x1), these are 63"),
        ([0] * 65, ValueError, "these are 65"),
        ([-129] + [0] * 63, ValueError, "values[0] is -129, digits takes -128 to 127"),
        ([0] * 63 + [128], ValueError, "values[63] is 128"),
        ([0] * 5 + [1.5] + [0] * 58, TypeError, "values[5] is 1.5, quantise it"),
        (["0"] * 64, TypeError, "values[0] is '0', no number"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(values: list[object], error: type[Exception], said: str) -> None:
    model = model_of(compile_model(content_of("digits"), "digits"))
    with pytest.raises(error) as caught:
        model.predict(values)
    assert said in str(caught.value)
