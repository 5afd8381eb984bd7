"""generated: the networks of MLPerf Tiny as tables, and what is built from them."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

import official
from tinympy import assets, generated, tasks
from tinympy.compiler import compile_model
from tinympy.generated import table
from tinympy.model.graph import Graph, Tensor
from tinympy.model.read import read
from tinympy.reference import Interpreter

# Of all constants in the order of the file: a change means other models under the same name.
CONSTANTS = {
    "kws01": "3f47484b22e1b3b5",
    "vww01": "7c6fd693a5d0810c",
    "ic01": "83b778b129b33e76",
    "ic02": "2b13561a0cc5ac4a",
    "ad01": "66410f4588b2ad02",
    "sww01": "3ea6cbf672acd137",
}

every_network = pytest.mark.parametrize("name", generated.NAMES)


def official_model(name: str) -> bytes:
    """The original, verified."""
    [file] = [asset.name for asset in assets.select([name]) if asset.name.startswith("models/")]
    return assets.path(file, official.FOLDER).read_bytes()


def shape_of(tensor: Tensor) -> tuple[object, ...]:
    """All of a tensor that a kernel can see, but for its values."""
    quantization = tensor.quantization
    if quantization is None:
        return tensor.shape, tensor.dtype, tensor.data is None
    activation = tensor.data is None and (quantization.scale.tolist(), quantization.zero_point.tolist())
    zero_points = set(quantization.zero_point.tolist())
    axis = quantization.axis if quantization.scale.size > 1 else None
    return tensor.shape, tensor.dtype, activation, zero_points, quantization.scale.size, axis


def structure(graph: Graph) -> list[object]:
    """Operators in order with the tensors that they read and write, by where they first occur."""
    order: dict[int, int] = {}
    rows: list[object] = []
    for operator in graph.operators:
        tensors = (*operator.inputs, *operator.outputs)
        places = [order.setdefault(index, len(order)) for index in tensors]
        known = {key: operator.options.get(key) for key in ("padding", "fused_activation_function", "beta")}
        sizes = {key: value for key, value in operator.options.items() if key.startswith(("stride", "filter", "depth"))}
        rows.append((operator.name, places, [shape_of(graph.tensors[i]) for i in tensors], known, sizes))
    return rows


@every_network
def test_a_model_has_the_structure_of_its_table(name: str) -> None:
    rows, graph = table.rows(name), read(generated.build(name))
    assert [operator.name for operator in graph.operators] == [row.operator for row in rows[1:]]
    assert [graph.tensors[operator.outputs[0]].shape for operator in graph.operators] == [r.shape for r in rows[1:]]
    assert graph.tensors[graph.inputs[0]].shape == rows[0].shape
    assert "no accuracy" in graph.description


@every_network
def test_a_model_is_the_same_every_time_and_with_every_numpy(name: str) -> None:
    digest = hashlib.sha256()
    for tensor in read(generated.build(name)).tensors:
        if tensor.data is not None:
            digest.update(tensor.data.tobytes())
    assert digest.hexdigest()[:16] == CONSTANTS[name]


@every_network
def test_activations_fill_their_range_and_hardly_leave_it(name: str) -> None:
    graph = read(generated.build(name))
    interpreter = Interpreter(graph)
    interpreter.run(generated.random_inputs(name, 1).reshape(graph.tensors[graph.inputs[0]].shape))
    for index, row in enumerate(table.rows(name)):
        if row.operator in ("INPUT", "SOFTMAX") or math.prod(row.shape) < 100:
            continue
        values = interpreter.values[index]
        assert np.mean(values == 127) < 0.03, f"row {index}"
        if row.activation == "RELU":
            assert 0.2 < np.mean(values == -128) < 0.85, f"row {index}"
        else:
            assert row.zero_point == -128 or np.mean(values == -128) < 0.02, f"row {index}"
        assert values.std() > 5, f"row {index}"


@every_network
def test_tflm_computes_the_same(name: str) -> None:
    runtime = pytest.importorskip("tflite_micro").runtime
    model = generated.build(name)
    graph = read(model)
    shape = graph.tensors[graph.inputs[0]].shape
    reference = runtime.Interpreter.from_bytes(model)
    for values in generated.random_inputs(name, 2):
        reference.set_input(values.reshape(shape), 0)
        reference.invoke()
        [ours] = Interpreter(graph).run(values.reshape(shape))
        assert np.array_equal(ours, reference.get_output(0))


def test_every_official_task_has_a_table_whose_input_fits() -> None:
    names = [name for name, task in tasks.TASKS.items() if issubclass(task, tasks.OfficialTask)]
    assert set(names) <= set(generated.NAMES)
    for name in names:
        per_value = 4 if tasks.get(name).wire_input == "float32" else 1
        assert generated.random_inputs(name, 3).shape == (3, tasks.get(name).wire_bytes // per_value)


def test_random_inputs_differ_from_each_other_and_repeat() -> None:
    inputs = generated.random_inputs("kws01", 5)
    assert inputs.dtype == np.int8 and len({row.tobytes() for row in inputs}) == 5
    assert np.array_equal(inputs[:2], generated.random_inputs("kws01", 2))


@official.needed
@every_network
def test_a_model_has_the_originals_operators_shapes_and_quantisation(name: str) -> None:
    assert structure(read(generated.build(name))) == structure(read(official_model(name)))


@official.needed
@every_network
def test_arena_program_and_parameters_are_the_originals(name: str) -> None:
    ours, original = compile_model(generated.build(name), name), compile_model(official_model(name), name)
    assert len(ours.program) == len(original.program)
    assert ours.arena == original.arena
    assert len(ours.lowered.operations) == len(original.lowered.operations)
    for a, b in zip(ours.lowered.operations, original.lowered.operations, strict=True):
        assert (a.opcode, a.parameters, len(a.constants)) == (b.opcode, b.parameters, len(b.constants))


def test_every_table_has_a_name() -> None:
    files = Path(generated.__file__).parent.glob("*.txt")
    assert {file.stem for file in files} == set(generated.NAMES)
