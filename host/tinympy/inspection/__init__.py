"""What a model is made of and what it will need, without a board: the work behind `tinympy check`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tinympy.boards import Board
from tinympy.compiler import Compiled, compile_model
from tinympy.compiler.check import hint, missing_operators, places
from tinympy.compiler.fold import fold
from tinympy.errors import ModelError
from tinympy.inspection.fit import Fit, Fitting, modules
from tinympy.inspection.memory import MemoryMap, Row, Use, Value, memory_map
from tinympy.inspection.work import Parameters, macs, parameters
from tinympy.model.graph import Graph, Tensor
from tinympy.model.read import read_first

__all__ = [
    "Fit",
    "Inspection",
    "MemoryMap",
    "Missing",
    "Parameters",
    "Row",
    "Sizes",
    "Use",
    "Used",
    "Value",
    "inspect",
    "macs",
    "places",
]


@dataclass(frozen=True)
class Used:
    """An operator that the model uses: how often, and the multiply-accumulates of all of them together."""

    name: str
    count: int
    macs: int


@dataclass(frozen=True)
class Missing:
    """An operator that tinympy does not have: where it stands in the model, and what to do about it."""

    name: str
    indices: tuple[int, ...]
    hint: str


@dataclass(frozen=True)
class Sizes:
    """What the compiler made of the model: bytes of the program, of the arena, of the arena without kernel scratch.

    input_reused: an inference overwrites its input.
    """

    program_bytes: int
    arena_bytes: int
    activation_bytes: int
    operations: int
    input_reused: bool


@dataclass(frozen=True)
class Inspection:
    """All that is known of a model. problem says why it cannot be compiled; sizes, fits and memory are then empty."""

    name: str
    model_bytes: int
    model_sha256: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    used: tuple[Used, ...]
    missing: tuple[Missing, ...]
    parameters: Parameters
    modules: dict[str, int]
    problem: ModelError | None = None
    sizes: Sizes | None = None
    fits: tuple[Fit, ...] = ()
    memory: MemoryMap | None = None

    @property
    def macs(self) -> int:
        return sum(used.macs for used in self.used)


def inspect(content: bytes, name: str, boards: Sequence[Board], reuse_input: bool = False) -> Inspection:
    """Look at the bytes of a `.tflite` file, and compare it with `boards`.

    reuse_input: inferences may overwrite their inputs.

    Raises ModelError only when not even its operators can be listed.
    """
    graph = read_first(content)
    compiled, problem = _compiled(content, name, reuse_input)
    built = modules({board.arch for board in boards} | {"armv6m"})
    sizes: Sizes | None = None
    fits: tuple[Fit, ...] = ()
    memory: MemoryMap | None = None
    if compiled is not None:
        arena, operations = compiled.arena, len(compiled.lowered.operations)
        sizes = Sizes(len(compiled.program), arena.bytes, arena.activation_bytes, operations, not arena.keeps_input)
        fitting = Fitting(content, compiled, built, name)
        fits = tuple(fitting.on(board) for board in boards)
        memory = memory_map(compiled)
    return Inspection(
        name=name,
        model_bytes=len(content),
        model_sha256=hashlib.sha256(content).hexdigest(),
        inputs=tuple(graph.tensors[index] for index in graph.inputs),
        outputs=tuple(graph.tensors[index] for index in graph.outputs),
        used=_used(graph),
        missing=() if compiled is not None else _missing(graph),
        parameters=parameters(graph),
        modules=built,
        problem=problem,
        sizes=sizes,
        fits=fits,
        memory=memory,
    )


def _compiled(content: bytes, name: str, reuse_input: bool) -> tuple[Compiled | None, ModelError | None]:
    try:
        return compile_model(content, name, reuse_input=reuse_input), None
    except ModelError as error:
        return None, error


def _used(graph: Graph) -> tuple[Used, ...]:
    """Most work first, then most often."""
    names = list(dict.fromkeys(operator.name for operator in graph.operators))
    found = []
    for name in names:
        those = [operator for operator in graph.operators if operator.name == name]
        found.append(Used(name, len(those), sum(macs(graph, operator) for operator in those)))
    return tuple(sorted(found, key=lambda used: (-used.macs, -used.count)))


def _missing(graph: Graph) -> tuple[Missing, ...]:
    missing = missing_operators(fold(graph))
    return tuple(Missing(name, tuple(indices), hint(name)) for name, indices in missing.items())
