"""Damaged models and damaged programs: a clear error or a computed result, without a word from the sanitizers.

Damage is drawn from fixed seeds. What was at hand when a sanitizer ended the process lies in pytest's temporary folder,
`fuzz*/last.bin`; its report is seen with pytest's option `--capture=sys`.
"""

from __future__ import annotations

import resource
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources

import numpy as np
import numpy.typing as npt
import pytest
import tflite
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tinympy.device.program import (
    HEADER_BYTES,
    OPERATION_BYTES,
    TENSOR_BYTES,
    TILE_BYTES,
    Head,
    check_head,
    check_tiles,
)

import generated_layout
import generated_simple
import generated_stateful
from generated import chains
from graph_mutations import damaged_graph
from kernel_library import KernelLibrary, ProgramRefused
from mutations import damaged
from program_view import OPCODES, Header, Operation, ProgramView, Tile, offset_of
from tinympy import assets
from tinympy.compiler import compile_model
from tinympy.compiler.operators import LOWERINGS
from tinympy.errors import ModelError
from tinympy.model.graph import Graph
from tinympy.model.write import write

# Of models the interpreter's share is the larger, of programs the kernels': hence the different numbers.
MODEL_CASES = 11_000
GRAPH_CASES = 11_000
PROGRAM_CASES = 30_000
HEAD_CASES = 15_000
# What a board would answer with a MemoryError, and what a user would call a hang although it ends.
ARENA_LIMIT_BYTES = 4 << 20
PATIENCE_MACS = 100_000_000
CASE_LIMIT_S = 2.0
MEMORY_LIMIT_BYTES = 1 << 30

NETWORKS = 40
MODELS_OF_AN_OPERATOR = 4

# A numpy warning would reach users as noise.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


@pytest.fixture(scope="module")
def library() -> KernelLibrary:
    return KernelLibrary("sanitized")


@pytest.fixture(scope="module")
def graphs() -> list[Graph]:
    """Small networks, and models of one operator each: every kernel is in one of them."""
    found = same_every_time(chains(), NETWORKS)
    for module in (generated_simple, generated_layout, generated_stateful):
        for name in module.OPERATORS:
            found += same_every_time(module.single(name), MODELS_OF_AN_OPERATOR)
    return [graph for graph in found if all(operator.name in LOWERINGS for operator in graph.operators)]


def same_every_time(strategy: st.SearchStrategy[Graph], count: int) -> list[Graph]:
    found: list[Graph] = []

    @settings(
        derandomize=True,
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(graph: Graph) -> None:
        found.append(graph)

    collect()
    return found


@pytest.fixture(scope="module")
def models(graphs: list[Graph]) -> list[bytes]:
    """The graphs, `digits`, and kws01 where its file is present."""
    found = [write(graph) for graph in graphs]
    found += [(resources.files("tinympy.datasets") / "digits/digits_int8.tflite").read_bytes()] * 4
    kws01 = assets.find("models/kws_ref_model.tflite")
    return found + [kws01.read_bytes()] * 2 if kws01 else found


def test_every_kernel_is_among_the_programs(models: list[bytes]) -> None:
    programs = [program for model in models for program in compiled(model)]
    found = {operation.opcode for program in programs for operation in ProgramView(program).operations}
    assert found == set(OPCODES.values())


def test_a_damaged_model_compiles_or_is_refused(
    library: KernelLibrary, models: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    last = tmp_path_factory.mktemp("fuzz") / "last.bin"
    regions = [model_regions(model) for model in models]
    outcomes: Counter[str] = Counter()
    with bounded_memory():
        for case in range(MODEL_CASES):
            random = np.random.default_rng((1, case))
            which = case % len(models)
            model = damaged(random, models[which], regions[which])
            last.write_bytes(model)
            with bounded_time(case):
                try:
                    program = compile_model(model).program
                except ModelError:
                    outcomes["refused"] += 1
                    continue
                outcomes[run(library, program, random)] += 1
    print(f"{MODEL_CASES} damaged models: {dict(outcomes)}")
    assert min(outcomes["refused"], outcomes["ran"]) > MODEL_CASES // 20


def test_a_graph_that_contradicts_itself_compiles_or_is_refused(
    library: KernelLibrary, graphs: list[Graph], tmp_path_factory: pytest.TempPathFactory
) -> None:
    last = tmp_path_factory.mktemp("fuzz") / "last.bin"
    outcomes: Counter[str] = Counter()
    with bounded_memory():
        for case in range(GRAPH_CASES):
            random = np.random.default_rng((4, case))
            model = write(damaged_graph(random, graphs[case % len(graphs)]))
            last.write_bytes(model)
            with bounded_time(case):
                try:
                    program = compile_model(model).program
                except ModelError:
                    outcomes["refused"] += 1
                    continue
                # What the compiler accepts, the kernels accept.
                outcomes[run(library, program, random)] += 1
    print(f"{GRAPH_CASES} damaged graphs: {dict(outcomes)}")
    assert min(outcomes["refused"], outcomes["ran"]) > GRAPH_CASES // 10


def test_a_damaged_program_runs_or_is_refused(
    library: KernelLibrary, models: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    last = tmp_path_factory.mktemp("fuzz") / "last.bin"
    programs = [program for model in models for program in compiled(model)]
    regions = [program_regions(program) for program in programs]
    outcomes: Counter[str] = Counter()
    with bounded_memory():
        for case in range(PROGRAM_CASES):
            random = np.random.default_rng((2, case))
            which = case % len(programs)
            program = damaged(random, programs[which], regions[which])
            last.write_bytes(program)
            with bounded_time(case):
                try:
                    outcomes[run(library, program, random)] += 1
                except ProgramRefused as refusal:
                    outcomes[f"error {-int(str(refusal)) % 256}"] += 1
    print(f"{PROGRAM_CASES} damaged programs: {dict(outcomes)}")
    assert outcomes["ran"] > PROGRAM_CASES // 10
    assert outcomes["too much work"] < PROGRAM_CASES // 1000
    # All errors that a program alone can cause: a damaged one meets each of them.
    assert {key for key in outcomes if key.startswith("error")} == {
        f"error {code}" for code in (1, 2, 3, 4, 6, 7, 16, 17, 18, 19, 20)
    }


def test_damage_that_the_device_overlooks_changes_nothing(library: KernelLibrary, models: list[bytes]) -> None:
    programs = [program for model in models for program in compiled(model)]
    regions = [program_regions(program) for program in programs]
    outcomes: Counter[str] = Counter()
    for case in range(HEAD_CASES):
        random = np.random.default_rng((3, case))
        which = case % len(programs)
        program = damaged(random, programs[which], regions[which])
        sealed_again = bool(random.integers(2))
        try:
            if sealed_again:
                program = with_head_crc(program)
            head = Head(program)
            check_head(program, head, zlib.crc32)
            check_tiles(program, head, zlib.crc32)
        except ValueError:
            outcomes["refused"] += 1
            continue
        outcomes["overlooked"] += 1
        if not sealed_again:
            with suppress(ProgramRefused):
                np.testing.assert_array_equal(arena_after(library, program), arena_after(library, programs[which]))
    print(f"{HEAD_CASES} damaged heads and tiles: {dict(outcomes)}")
    assert outcomes["refused"] > HEAD_CASES // 2


def arena_after(library: KernelLibrary, program: bytes) -> npt.NDArray[np.uint8]:
    """The whole arena after one inference on zeros."""
    loaded = library.load(program)
    loaded.run()
    return loaded.arena


def with_head_crc(program: bytes) -> bytes:
    """With the head's CRC made right, so that what follows it is looked at. ValueError when there is no whole head."""
    view = ProgramView(program)
    view.header.head_crc32 = zlib.crc32(view.content[offset_of(Header, "program_id") : view.header.head_bytes])
    return bytes(view)


def compiled(model: bytes) -> list[bytes]:
    """As one tile, and as several; nothing of what the compiler refuses."""
    programs = []
    for tile_bytes in (None, 1024):
        try:
            programs.append(compile_model(model, tile_bytes=tile_bytes).program)
        except ModelError:
            continue
    return programs


def run(library: KernelLibrary, program: bytes, random: np.random.Generator) -> str:
    """What became of one inference on a random arena. ProgramRefused when the kernels say so."""
    loaded = library.load(program)
    if loaded.view.header.arena_bytes > ARENA_LIMIT_BYTES:
        return "no memory"
    if sum(map(macs, loaded.view.operations)) > PATIENCE_MACS:
        return "too much work"
    loaded.arena[:] = random.integers(0, 256, len(loaded.arena), np.uint8)
    loaded.run()
    return "ran"


def macs(operation: Operation) -> int:
    """Multiplications or comparisons, where there can be more of them than bytes in arena and constants."""
    name = {code: name for name, code in OPCODES.items()}[operation.opcode]
    if name == "FULLY_CONNECTED":
        dense = operation.fully_connected
        return int(dense.batches * dense.inputs * dense.channels)
    if name == "LSTM":
        lstm = operation.lstm
        return int(lstm.steps * lstm.channels * 4 * (lstm.inputs + lstm.units))
    if not name.endswith("_2D"):
        return 0
    window = operation.window
    height, width = window.kernel_height, window.kernel_width
    if name.endswith("POOL_2D"):
        height, width = min(height, window.input_height), min(width, window.input_width)
    depth = window.depth if name == "CONV_2D" else 1
    return int(window.output_height * window.output_width * height * width * depth * window.channels)


def model_regions(model: bytes) -> list[list[int]]:
    """The tables four times, because the constants are most of the file; then all of it."""
    constant = np.zeros(len(model), np.bool_)
    begin = np.frombuffer(model, np.uint8).ctypes.data
    tables = tflite.Model.GetRootAs(model, 0)
    for index in range(tables.BuffersLength()):
        data = tables.Buffers(index).DataAsNumpy()
        if not isinstance(data, int):
            constant[data.ctypes.data - begin :][: data.size] = True
    return [np.flatnonzero(~constant).tolist()] * 4 + [list(range(len(model)))]


def program_regions(program: bytes) -> list[range]:
    """Operations are hit most often, then what the checks at load look at, then the constants."""
    view = ProgramView(program)
    tensors = HEADER_BYTES
    operations = tensors + TENSOR_BYTES * len(view.tensors)
    tile_table = operations + OPERATION_BYTES * len(view.operations)
    regions = [range(HEADER_BYTES), range(tensors, operations), range(offset_of(Header, "layout"), HEADER_BYTES)]
    regions += [range(operations, tile_table)] * 6
    if view.tile_entries:
        first, last = view.tile_entries[0], view.tile_entries[len(view.tile_entries) - 1]
        begins = [entry.offset + TILE_BYTES for entry in (first, last)]
        regions.append(range(tile_table, view.header.head_bytes))
        regions.append(range(first.offset, first.offset + offset_of(Tile, "crc32")))
        regions += [range(begin, begin + entry.bytes) for begin, entry in zip(begins, (first, last), strict=True)] * 2
    return [region for region in regions if len(region) > 0]


@contextmanager
def bounded_time(case: int) -> Iterator[None]:
    begin_s = time.process_time()
    yield
    assert time.process_time() - begin_s < CASE_LIMIT_S, f"case {case}"


@contextmanager
def bounded_memory() -> Iterator[None]:
    """The peak grows by less than the limit, the sanitizer's hoard of freed blocks (256 MiB) included."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY_LIMIT_BYTES
