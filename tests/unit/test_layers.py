"""layers: every operator's outputs are found in the arena, whatever the operator keeps to itself."""

import itertools
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tinympy import tasks
from tinympy.compiler import compile_model
from tinympy.layers import Placed, layers
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

RENAMING = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "VAR_HANDLE", "CALL_ONCE", "ASSIGN_VARIABLE"}


def model(graph: Graph):
    return compile_model(write(graph))


def tensor(name: str, *shape: int) -> Tensor:
    return Tensor(name, shape, "int8", Quantization.per_tensor(0.5, 3))


def constant(name: str, values: np.ndarray) -> Tensor:
    return Tensor(name, values.shape, values.dtype.name, data=values)


def models() -> list[bytes]:
    here = [tasks.get(name).model() for name in ("digits", "kws01", "vww01") if not tasks.get(name).missing()]
    found = find_spec("pymicro_wakeword")
    if found is not None and found.origin is not None:
        here += [path.read_bytes() for path in sorted((Path(found.origin).parent / "models").glob("*.tflite"))]
    return here


@pytest.mark.parametrize("content", models())
def test_layers_cover_the_inference_and_every_output_once(content: bytes) -> None:
    compiled = compile_model(content)
    found = layers(compiled)
    assert found[0].first == compiled.lowered.initial_operations
    assert all(before.last == after.first for before, after in itertools.pairwise(found))
    assert found[-1].last == len(compiled.lowered.operations)
    placed = [output.tensor for layer in found for output in layer.outputs]
    computing = [operator for operator in compiled.graph.operators if operator.name not in RENAMING]
    assert sorted(placed) == sorted(output for operator in computing for output in operator.outputs)


def test_what_an_operator_keeps_to_itself_is_no_output() -> None:
    # MEAN over axes that do not stand together moves them together first, in a value of its own.
    graph = Graph(
        (tensor("in", 2, 3, 4), constant("axes", np.array([0, 2], np.int32)), tensor("out", 3)),
        (Operator("MEAN", (0, 1), (2,), {"keep_dims": False}),),
        (0,),
        (2,),
    )
    compiled = model(graph)
    [layer] = layers(compiled)
    assert len(compiled.lowered.operations) > 1 and layer.last == len(compiled.lowered.operations)
    assert layer.outputs == (Placed(2, compiled.arena.value_offsets[compiled.lowered.outputs[0]]),)


def test_several_outputs_are_found_in_their_order() -> None:
    graph = Graph(
        (constant("axis", np.array(1, np.int32)), tensor("in", 1, 4), tensor("left", 1, 2), tensor("right", 1, 2)),
        (Operator("SPLIT", (0, 1), (2, 3), {"num_splits": 2}),),
        (1,),
        (3, 2),
    )
    compiled = model(graph)
    [layer] = layers(compiled)
    right, left = (compiled.arena.value_offsets[value] for value in compiled.lowered.outputs)
    assert layer.outputs == (Placed(2, left), Placed(3, right))


def test_the_operations_of_a_split_layer_stay_together() -> None:
    content = tasks.get("digits").model()
    tiled = compile_model(content, tile_bytes=512)
    assert len(tiled.lowered.operations) > len(compile_model(content).lowered.operations)
    assert [layer.operator for layer in layers(tiled)] == [layer.operator for layer in layers(compile_model(content))]
