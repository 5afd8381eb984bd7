"""inspection: what is said of a model, without a board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from official import FOLDER, needed
from tinympy import generated
from tinympy.boards import Board
from tinympy.compiler import compile_model
from tinympy.deploy import PACKAGE_BYTES
from tinympy.errors import ModelError
from tinympy.inspection import Inspection, inspect, macs
from tinympy.inspection.cycles import inference_cycles, operator_cycles
from tinympy.inspection.fit import Fitting
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

DIGITS = (Path(__file__).parents[2] / "datasets/digits/digits_int8.tflite").read_bytes()
PICO = Board("pico", "a Pico", "armv6m", 241_000, clock_hz=125_000_000, files_bytes=1_400_000, mapped_block_bytes=4096)
# Multiply-accumulates and parameters of MLPerf Tiny's reference models.
WORK = {
    "kws01": (2_656_768, 22_604),
    "ad01": (264_192, 265_864),
    "ic01": (12_501_632, 77_706),
    "ic02": (76_473_920, 480_330),
    "vww01": (7_489_664, 210_850),
    "sww01": (826_368, 46_883),
}
FILES = {
    "kws01": "kws_ref_model",
    "ad01": "ad01_int8",
    "ic01": "pretrainedResnet_quant",
    "ic02": "pretrainedResnet_large_int8",
    "vww01": "vww_96_int8",
    "sww01": "str_ww_ref_model",
}


def tensor(shape: tuple[int, ...], constant: bool = False, dtype: str = "int8") -> Tensor:
    quantization = Quantization.per_tensor(0.5)
    return Tensor("t", shape, dtype, quantization, np.zeros(shape, dtype) if constant else None)


def one_operator(name: str, inputs: list[Tensor], output: Tensor, **options: object) -> Graph:
    """A graph of one operator whose first input that is no constant is the model's."""
    first = next(index for index, each in enumerate(inputs) if each.data is None)
    operator = Operator(name, tuple(range(len(inputs))), (len(inputs),), options)
    return Graph((*inputs, output), (operator,), (first,), (len(inputs),))


def look(graph: Graph) -> Inspection:
    return inspect(write(graph), "model", [PICO])


@pytest.mark.parametrize("task", WORK)
def test_work_of_the_reference_models(task: str) -> None:
    found = inspect(generated.build(task), task, [])
    assert (found.macs, found.parameters.count) == WORK[task]


@needed
@pytest.mark.parametrize("task", WORK)
def test_work_of_the_official_files(task: str) -> None:
    found = inspect((FOLDER / "models" / f"{FILES[task]}.tflite").read_bytes(), task, [])
    assert (found.macs, found.parameters.count) == WORK[task]


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        # 2 x 2 positions of 3 channels, each from a window of 3 x 3 x 4.
        (one_operator("CONV_2D", [tensor((1, 4, 4, 4)), tensor((3, 3, 3, 4), True)], tensor((1, 2, 2, 3))), 432),
        # Two groups: each output channel sees 2 of the 4 input channels.
        (one_operator("CONV_2D", [tensor((1, 4, 4, 4)), tensor((6, 1, 1, 2), True)], tensor((1, 4, 4, 6))), 192),
        (
            one_operator("DEPTHWISE_CONV_2D", [tensor((1, 4, 4, 2)), tensor((1, 3, 3, 6), True)], tensor((1, 4, 4, 6))),
            864,
        ),
        (one_operator("FULLY_CONNECTED", [tensor((5, 8)), tensor((3, 8), True)], tensor((5, 3))), 120),
        # Every one of 2 x 2 x 4 inputs meets 3 x 3 x 5 weights.
        (
            one_operator(
                "TRANSPOSE_CONV",
                [tensor((4,), True, "int32"), tensor((5, 3, 3, 4), True), tensor((1, 2, 2, 4))],
                tensor((1, 4, 4, 5)),
            ),
            720,
        ),
        # 6 filters of 8 inputs and a memory of 10 steps.
        (one_operator("SVDF", [tensor((2, 8)), tensor((6, 8), True), tensor((6, 10), True)], tensor((2, 3))), 216),
        (one_operator("BATCH_MATMUL", [tensor((2, 3, 4)), tensor((2, 4, 5))], tensor((2, 3, 5))), 120),
        # 7 steps of four gates, each from 3 inputs and 2 units.
        (
            one_operator(
                "UNIDIRECTIONAL_SEQUENCE_LSTM",
                [tensor((1, 7, 3)), *[tensor((2, 3), True)] * 4, *[tensor((2, 2), True)] * 4],
                tensor((1, 7, 2)),
            ),
            280,
        ),
        (one_operator("ADD", [tensor((2, 3)), tensor((2, 3))], tensor((2, 3))), 0),
        (one_operator("CONV_2D", [tensor((2, 3))], tensor((2, 3))), 0),
    ],
    ids=lambda value: value.operators[0].name if isinstance(value, Graph) else "",
)
def test_macs_of_an_operator(graph: Graph, expected: int) -> None:
    assert macs(graph, graph.operators[0]) == expected


def test_shapes_and_axes_are_no_parameters() -> None:
    reshape = one_operator("RESHAPE", [tensor((2, 6)), tensor((2,), True, "int32")], tensor((3, 4)))
    assert look(reshape).parameters.count == 0
    weights = [tensor((1, 8)), tensor((3, 8), True), tensor((3,), True, "int32")]
    known = look(one_operator("FULLY_CONNECTED", weights, tensor((1, 3)))).parameters
    assert (known.weights, known.biases, known.bytes) == (24, 3, 24 + 12)


def test_sizes_are_those_of_the_program() -> None:
    sizes, compiled = inspect(DIGITS, "digits", []).sizes, compile_model(DIGITS, "digits")
    assert sizes is not None
    assert (sizes.program_bytes, sizes.arena_bytes) == (len(compiled.program), compiled.arena.bytes)


def test_operators_stand_in_the_order_of_their_work() -> None:
    used = inspect(DIGITS, "digits", []).used
    assert [(each.name, each.count) for each in used[:2]] == [("CONV_2D", 3), ("DEPTHWISE_CONV_2D", 2)]
    assert sum(each.macs for each in used) == 72_512


def test_a_missing_operator_is_named_with_its_place_and_what_to_do() -> None:
    graph = one_operator("SIN", [tensor((2, 3))], tensor((2, 3)))
    twice = replace(
        graph, tensors=(*graph.tensors, tensor((2, 3))), operators=(*graph.operators, Operator("SIN", (1,), (2,)))
    )
    found = look(twice)
    assert [(missing.name, missing.indices) for missing in found.missing] == [("SIN", (0, 1))]
    assert "docs/operators.md" in found.missing[0].hint
    assert found.problem is not None and "SIN (operator 0, 1)" in found.problem.message
    assert found.sizes is None and found.memory is None and found.fits == ()
    assert [(used.name, used.count) for used in found.used] == [("SIN", 2)]


def test_an_operator_that_is_known_but_used_wrongly_is_the_problem_and_not_missing() -> None:
    found = look(one_operator("SOFTMAX", [tensor((2, 3))], tensor((2, 3)), beta=1.0))
    assert found.missing == ()
    assert found.problem is not None and "operator 0 (SOFTMAX)" in found.problem.message


def test_operators_of_a_model_with_control_flow_are_listed() -> None:
    # Its second subgraph is not the one that CALL_ONCE calls.
    call = Operator("CALL_ONCE", (), (), {"init_subgraph_index": 0})
    loop = one_operator("WHILE", [tensor((2, 3))], tensor((2, 3)))
    found = look(replace(loop, operators=(call, *loop.operators)))
    assert [(missing.name, missing.indices) for missing in found.missing] == [("WHILE", (1,))]
    assert "unroll" in found.missing[0].hint
    assert found.problem is not None and "2 subgraphs" in found.problem.message


def test_what_is_folded_is_not_missing_and_takes_no_time() -> None:
    shape = Tensor("shape", (2,), "int32")
    operators = (Operator("SHAPE", (0,), (1,)), Operator("SIN", (0,), (2,)))
    graph = Graph((tensor((2, 3)), shape, tensor((2, 3))), operators, (0,), (2,))
    assert [missing.name for missing in look(graph).missing] == ["SIN"]
    reshape = Operator("RESHAPE", (0, 1), (2,))
    assert look(replace(graph, operators=(operators[0], reshape))).fits[0].latency_s is not None


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(ModelError):
        inspect(b"not a model at all", "nothing", [])


def fit(board: Board, content: bytes = DIGITS, built: dict[str, int] | None = None):  # type: ignore[no-untyped-def]
    return Fitting(content, compile_model(content), {"armv6m": 12_000} if built is None else built).on(board)


def test_a_small_model_lives_in_the_heap() -> None:
    compiled, found = compile_model(DIGITS), fit(PICO)
    assert (found.fits, found.weights, found.reason, found.module_bytes) == (True, "heap", "", 12_000)
    assert found.needed_bytes == PACKAGE_BYTES + 12_000 + compiled.arena.bytes + len(compiled.program)
    assert found.free_bytes == PICO.heap_bytes - found.needed_bytes


def test_weights_that_do_not_fit_the_heap_live_in_flash_where_it_can_be_read_in_place() -> None:
    content = generated.build("ad01")
    found = fit(PICO, content)
    assert (found.fits, found.weights) == (True, "flash")
    assert found.needed_bytes < 60_000
    elsewhere = fit(replace(PICO, mapped_block_bytes=None), content)
    assert (elsewhere.fits, elsewhere.weights) == (False, None)
    assert elsewhere.reason == f"needs {elsewhere.needed_bytes} bytes of heap, has {PICO.heap_bytes}"


def test_flash_has_an_end() -> None:
    found = fit(replace(PICO, files_bytes=100_000), generated.build("ad01"))
    assert not found.fits and "flash" in found.reason


def test_a_heap_in_pieces_has_to_have_one_that_is_large_enough() -> None:
    program_bytes = len(compile_model(DIGITS).program)
    assert fit(replace(PICO, largest_bytes=program_bytes)).fits
    found = fit(replace(PICO, largest_bytes=program_bytes - 1, mapped_block_bytes=None))
    assert found.reason == f"needs {program_bytes} bytes in one piece, has {program_bytes - 1}"


def test_an_architecture_without_a_module_says_so() -> None:
    found = fit(replace(PICO, arch="rv64imc"))
    assert (found.fits, found.module_bytes, found.latency_s) == (True, None, None)
    assert found.reason == "no native module for rv64imc yet"


def test_an_estimate_follows_the_clock_and_is_given_only_where_cycles_were_counted() -> None:
    slow, fast = fit(PICO).latency_s, fit(replace(PICO, clock_hz=250_000_000)).latency_s
    assert slow == pytest.approx(2 * fast) and 0.003 < slow < 0.006
    assert fit(replace(PICO, clock_hz=None)).latency_s is None
    graph = compile_model(DIGITS).graph
    assert inference_cycles(graph, "x64") is None
    unknown = one_operator("SIN", [tensor((2, 3))], tensor((2, 3)))
    assert operator_cycles(unknown, unknown.operators[0], "armv6m") is None
    assert inference_cycles(unknown, "armv6m") is None
