"""Where an inference's time goes: the board times each layer by itself, and the whole inference beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from tinympy import connection, patience, records
from tinympy.compiler import Compiled
from tinympy.compiler.operation import Channels, Operation
from tinympy.connection import Observer, Serving
from tinympy.dut import Dut
from tinympy.inspection.bound import bound_cycles
from tinympy.inspection.fit import compile_for
from tinympy.inspection.work import macs
from tinympy.layers import Layer, layers
from tinympy.plan import Target
from tinympy.subject import Subject

WINDOWS = 9
WINDOW_S = 0.025
_CALIBRATION_SHARE = 0.05
_MOST_REPEATS = 1 << 24
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Timing:
    """Microseconds of one run, for each window."""

    windows_us: tuple[float, ...]

    @property
    def median_us(self) -> float:
        return median(self.windows_us)

    @property
    def range_us(self) -> float:
        """Slowest less fastest window."""
        return max(self.windows_us) - min(self.windows_us)


@dataclass(frozen=True)
class LayerProfile:
    """One operator: its index and name in the graph, the shape of its (first) output, and what it does.

    bytes_read: its inputs and its constants, each once. bound_cycles: the least that its products can take on the
    board's core; None where that is not known.
    """

    operator: int
    name: str
    shape: tuple[int, ...]
    timing: Timing
    macs: int
    bytes_read: int
    bound_cycles: float | None = None


@dataclass(frozen=True)
class Profile:
    """The layers in the order in which they run; a call's cost is taken off each, and is part of `whole`.

    clock_hz: None where the board does not know. window_s: what each window lasted at least. model_sha256: of the
    model's file.
    """

    layers: tuple[LayerProfile, ...]
    whole: Timing
    call: Timing
    clock_hz: int | None
    window_s: float
    model_sha256: str

    @property
    def sum_us(self) -> float:
        return sum(layer.timing.median_us for layer in self.layers)

    @property
    def difference_us(self) -> float:
        """The whole inference less its layers: one call, and what layers cost each other (caches)."""
        return self.whole.median_us - self.sum_us

    def share(self, layer: LayerProfile) -> float:
        return layer.timing.median_us / self.sum_us if self.sum_us else 0.0

    def cycles(self, layer: LayerProfile) -> float | None:
        return None if self.clock_hz is None else layer.timing.median_us * self.clock_hz / 1e6

    def cycles_per_mac(self, layer: LayerProfile) -> float | None:
        cycles = self.cycles(layer)
        return None if cycles is None or not layer.macs else cycles / layer.macs

    def times_bound(self, layer: LayerProfile) -> float | None:
        """How many times the least possible cycles a layer takes."""
        cycles = self.cycles(layer)
        return None if cycles is None or not layer.bound_cycles else cycles / layer.bound_cycles


def profile(target: Target, window_s: float, observe: Observer) -> tuple[Subject, Profile]:
    """Profile the model of the target's task on its first input.

    Raises:
        UsageError: the model or the data cannot be used; or the engine is so slow that it would take hours.
        NoBoardError, BoardError: the board.
    """
    task = target.task
    compiled = compile_for(target.board, task.model(), task.name, reuse_input=target.reuse_input)
    data = task.samples(1)[0].inputs[0].tobytes()
    with connection.serving(target.board, task, compiled.program, observe, engine=target.engine) as serving:
        caveats = [*([task.caveat] if task.caveat else []), *([records.INPUT_REUSED] if target.reuse_input else [])]
        subject = Subject(
            task.name, task.model_file, target.engine, serving.board, "; ".join(caveats) if caveats else None
        )
        return subject, measure(target, serving, compiled, data, window_s, observe)


def measure(
    target: Target, serving: Serving, compiled: Compiled, data: bytes, window_s: float, observe: Observer
) -> Profile:
    """Profile a board that serves `compiled`, on raw inputs (all tensors together).

    Each window repeats one layer; the windows of different layers alternate, so that a drift meets all of them.
    """
    dut, limit_s = serving.dut, max(_PATIENCE_S, patience.inference_s(compiled, target.engine))
    dut.reset()
    dut.load_input(data)
    found = layers(compiled)
    first, last = compiled.lowered.initial_operations, len(compiled.lowered.operations)
    ranges = [(first, first), (first, last), *((layer.first, layer.last) for layer in found)]
    windows: list[list[float]] = [[] for _ in ranges]
    tried = [_tried(dut, *each, window_s, limit_s) for each in ranges]
    repeats = [repeat for repeat, _ in tried]
    patience.require(
        target.board.patience * WINDOWS * sum(repeat * each_s for repeat, each_s in tried),
        f"{target.task.name} with the engine {target.engine} on {target.board.name}",
        f"{WINDOWS} windows of each layer, and as many of an inference of {tried[1][1]:.2g} s",
        "choose a faster engine, a smaller model, or a shorter --window",
    )
    # What reading the clock twice costs: much of a window that is one run of a small layer on a slow board.
    clock_us = median(dut.run_range(first, first, 0) for _ in range(WINDOWS))
    for window in range(WINDOWS):
        for index, (each, repeat) in enumerate(zip(ranges, repeats, strict=True)):
            observe("profile", window * len(ranges) + index, WINDOWS * len(ranges))
            elapsed_us = dut.run_range(*each, repeat, limit_s)
            windows[index].append(max(0.0, elapsed_us - clock_us) / repeat)
    call = Timing(tuple(windows[0]))
    net = [Timing(tuple(max(0.0, us - call.median_us) for us in each)) for each in windows[2:]]
    dut.reset()
    return Profile(
        layers=tuple(
            _profile(compiled, serving.board.arch, layer, timing) for layer, timing in zip(found, net, strict=True)
        ),
        whole=Timing(tuple(windows[1])),
        call=call,
        clock_hz=serving.board.clock_hz,
        window_s=window_s,
        model_sha256=compiled.model_sha256,
    )


def _tried(dut: Dut, first: int, last: int, window_s: float, limit_s: float) -> tuple[int, float]:
    """How often a range must run to fill a window, and the seconds that it takes each time."""
    repeat = 1
    while True:
        elapsed_s = dut.run_range(first, last, repeat, limit_s) / 1e6
        if elapsed_s >= _CALIBRATION_SHARE * window_s or repeat >= _MOST_REPEATS:
            filling = math.ceil(window_s * repeat / max(elapsed_s, 1e-6))
            return max(1, min(_MOST_REPEATS, filling)), elapsed_s / repeat
        repeat *= 4


def _profile(compiled: Compiled, arch: str, layer: Layer, timing: Timing) -> LayerProfile:
    graph = compiled.graph
    operator = graph.operators[layer.operator]
    operations = compiled.lowered.operations[layer.first : layer.last]
    inputs = {span.value for each in operations for span in each.spans if span is not each.output}
    written = {each.output.value for each in operations}
    constants = sum(map(_constant_bytes, operations))
    products = macs(graph, operator)
    return LayerProfile(
        operator=layer.operator,
        name=operator.name,
        shape=graph.tensors[operator.outputs[0]].shape if operator.outputs else (),
        timing=timing,
        macs=products,
        bytes_read=constants + sum(compiled.lowered.value_bytes[value] for value in inputs - written),
        bound_cycles=bound_cycles(operations, products, arch),
    )


def _constant_bytes(operation: Operation) -> int:
    constants = operation.constants
    return constants.encoded_bytes(len(constants)) if isinstance(constants, Channels) else len(constants)
