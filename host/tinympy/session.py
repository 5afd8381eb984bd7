"""One run: a task on a board, from deployment to the finished record.

The record is written after every window and every batch of samples; whatever ends the run, what was measured stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tinympy import connection, metering, patience, records, rules, tasks
from tinympy.compiler import Compiled
from tinympy.connection import Observer
from tinympy.dut import Dut
from tinympy.energy import recording
from tinympy.energy.meters import Meter
from tinympy.engines import ENGINES
from tinympy.errors import BoardError, MeterError
from tinympy.inspection.fit import compile_for
from tinympy.inspection.work import total_macs
from tinympy.measures import WINDOWS
from tinympy.metering import Heard
from tinympy.plan import Job
from tinympy.records import Record
from tinympy.tasks.scoring import predicted

_BATCH_S = 0.5
_CALIBRATION_SHARE = 0.05
_CALIBRATIONS = 3
# Windows are to be no shorter than asked for, even if the board gets a little faster after the calibration.
_MARGIN = 1.05
_ATTEMPTS = 3
_MOST_CALIBRATIONS = 20
_UNEVEN = 3.0


@dataclass(frozen=True)
class Prepared:
    """What a job needs besides the board: the same for all boards of a kind."""

    model: bytes
    compiled: Compiled
    samples: list[tasks.Sample]


def prepare(job: Job) -> Prepared:
    """Read and compile the model, and read the samples. UsageError if they cannot be used."""
    model = job.task.model()
    compiled = compile_for(job.board, model, job.task.name, job.weights_in, job.reuse_input)
    return Prepared(model, compiled, job.task.samples(job.samples))


@dataclass
class _Run:
    """What the steps of a run share."""

    job: Job
    record: Record
    dut: Dut
    samples: list[tasks.Sample]
    observe: Observer
    deployed_s: float
    longest_s: float
    """What an inference takes at most, as far as is known."""
    heard: list[Heard] = field(default_factory=list)
    """When windows ran."""


def run(
    job: Job,
    begun: Callable[[Record], None],
    observe: Observer,
    prepared: Prepared | None = None,
    check: Callable[[], None] = lambda: None,
) -> Record:
    """Run a job and return its record; `begun` gets the record as soon as it exists.

    check -- called several times a second; what it raises ends the run

    Raises:
        UsageError: the model or the data cannot be used, or the record cannot be written; or the engine is so slow that
            it would take more than patience.LONGEST_S.
        NoBoardError, BoardError: the board; the record then holds what was measured before.
    """
    task = job.task
    prepared = prepared or prepare(job)
    compiled, samples = prepared.compiled, prepared.samples
    started_s = time.monotonic()
    with (
        metering.opened(job.metering) as meter,
        connection.serving(
            job.board,
            task,
            compiled.program,
            observe,
            job.in_ram,
            check,
            metering.mark(job.metering, meter),
            job.engine,
        ) as serving,
    ):
        inference_s = patience.inference_s(compiled, job.engine)
        if ENGINES[job.engine].interpreted:
            inference_s = _require_patience(job, serving.dut, samples, inference_s)
        record = begin(job, prepared, serving)
        records.create(record, job.folder)
        begun(record)
        with _kept(record):
            measured = _Run(job, record, serving.dut, samples, observe, time.monotonic() - started_s, inference_s)
            if "accuracy" in job.modes:
                _measure_accuracy(measured)
            if "performance" in job.modes:
                _measure_performance(measured, meter)
            record.status = "complete"
    return record


@contextlib.contextmanager
def _kept(record: Record) -> Iterator[None]:
    """Whatever happens, the record on disk says how the run ended, and what the rules say of it."""
    try:
        yield
    except KeyboardInterrupt:
        record.status = "interrupted"
        raise
    except (BoardError, MeterError) as error:
        record.status, record.error = "failed", error.message
        raise
    except BaseException as error:
        record.status, record.error = "failed", repr(error)
        raise
    finally:
        rules.judge(record)
        records.write(record)


def begin(job: Job, prepared: Prepared, serving: connection.Serving) -> Record:
    """The record of the job before anything is measured, not stored yet."""
    task, info = job.task, serving.info
    model, compiled, samples = prepared.model, prepared.compiled, prepared.samples
    record = Record.begin(
        mode=job.mode,
        board=serving.board,
        engine=records.Engine(job.engine, serving.build.sha256),
        task=records.Task(
            task.name, task.title, task.official, rules.LATEST.targets.get(task.name) if task.official else None
        ),
        model=records.Model(
            task.model_file,
            compiled.model_sha256,
            len(model),
            task.weights,
            total_macs(compiled.graph),
            job.quantisation,
        ),
    )
    record.options = records.Options(job.window_s, job.samples, job.weights_in, job.in_ram)
    record.parallel = job.parallel
    if job.parallel > 1 and job.board.shares_computer:
        record.warnings.append(records.SHARED.format(job.parallel))
    if task.caveat is not None:
        record.warnings.append(task.caveat)
    record.data_set = records.DataSet(tasks.dataset_sha256(samples), task.count(samples), task.full_n)
    record.program = records.Program(
        hashlib.sha256(compiled.program).hexdigest(),
        info.program_bytes,
        info.arena_bytes,
        len(compiled.lowered.operations),
        job.reuse_input,
    )
    if job.board.circuitpython and job.board.engine == "python":
        record.warnings.append(records.WITHOUT_ULAB)
    if job.reuse_input:
        record.warnings.append(records.INPUT_REUSED)
    record.memory = records.Memory(
        arena_bytes=info.arena_bytes,
        program_bytes=info.program_bytes,
        flash_bytes=info.flash_bytes,
        module_bytes=serving.build.ram_bytes,
        heap_free_bytes=info.heap_free_bytes,
    )
    return record


def _measure_accuracy(run: _Run) -> None:
    """Every sample once; outputs are scored as raw integers."""
    record, task, samples = run.record, run.job.task, run.samples
    progress = records.Progress(0, len(samples), 0 if task.classifies else None)
    record.progress = progress
    outputs = []
    inferred, to_infer = 0, sum(len(sample.inputs) for sample in samples)
    started_s = saved_s = time.monotonic()
    for sample in samples:
        windows = []
        for window in sample.inputs:
            output, elapsed_us = run.dut.infer_sample(
                window.tobytes(), _ATTEMPTS * patience.timeout_s(1, run.longest_s)
            )
            run.longest_s = elapsed_us / 1e6
            windows.append(np.frombuffer(output, np.int8))
            inferred += 1
            run.observe("accuracy", inferred, to_infer)
        outputs.append(np.array(windows))
        progress.done += 1
        if progress.correct is not None:
            progress.correct += predicted(outputs[-1]) == sample.label
        if time.monotonic() - saved_s > _BATCH_S:
            records.write(record)
            saved_s = time.monotonic()
    wall_s = run.deployed_s + time.monotonic() - started_s
    score = task.score(samples, outputs)
    record.progress = None
    record.accuracy = records.Accuracy(
        score.metric, score.value, score.n, score.outputs_sha256, len(samples) / wall_s, wall_s, score.detail
    )
    records.write(record)


def _measure_performance(run: _Run, meter: Meter | None) -> None:
    """Five windows, each of another input and long enough for the clock; a short calibration finds their length."""
    run.observe("windows", 0, WINDOWS)
    n, latency_s = _calibrate(run)
    if ENGINES[run.job.engine].interpreted:
        # Collections fall into some inferences and not into others.
        latency_s *= _UNEVEN
    if meter is None or run.job.metering is None:
        _measure_windows(run, n, latency_s)
        return
    run.heard.clear()
    marked = metering.mark(run.job.metering, meter) is not None
    with metering.listening(meter, run.dut, marked) as listened:
        _measure_windows(run, n, latency_s)
    assert listened.trace is not None
    energy = listened.energy(run.job.metering, run.heard, len(run.record.windows))
    energy.recording = records.keep_recording(run.record, recording.content(listened.trace))
    run.record.energy = energy
    run.record.warnings += run.record.energy.notes


def _measure_windows(run: _Run, n: int, latency_s: float) -> None:
    warmup, window_s = run.job.warmup, run.job.window_s
    while len(run.record.windows) < WINDOWS:
        index = len(run.record.windows)
        sample = run.samples[index % len(run.samples)]
        run.dut.load_input(sample.inputs[index % len(sample.inputs)].tobytes())
        window = _window(run, n, warmup, index % len(run.samples), latency_s)
        if index == 0 and window.elapsed_us < 1e6 * window_s and len(run.record.calibration) < _MOST_CALIBRATIONS:
            # All windows have the same number of inferences, so only the first one can still show that it is too low.
            run.record.calibration.append(window)
            n = _filling(window_s, window)
            continue
        run.record.windows.append(window)
        records.write(run.record)
        run.observe("windows", index + 1, WINDOWS)


def _calibrate(run: _Run) -> tuple[int, float]:
    """Inferences in a window, and seconds that one takes at most: more and more until they take a part of a window.

    That many are timed again where it takes little; the fastest counts.
    """
    run.dut.load_input(run.samples[0].inputs[0].tobytes())
    tried = _window(run, 1, 1 if run.job.window_s else 0, 0, run.longest_s)
    run.record.calibration.append(tried)
    while tried.elapsed_us / 1e6 < _CALIBRATION_SHARE * run.job.window_s:
        tried = _window(run, 4 * tried.n, 0, 0, tried.elapsed_us / 1e6)
        run.record.calibration.append(tried)
    same = [tried]
    while len(same) < _CALIBRATIONS and tried.elapsed_us / 1e6 < run.job.window_s / 4:
        tried = _window(run, tried.n, 0, 0, tried.elapsed_us / 1e6)
        same.append(tried)
    run.record.calibration += same[1:]
    times = sorted(same, key=lambda window: window.elapsed_us)
    return _filling(run.job.window_s, times[0]), times[-1].elapsed_us / 1e6 / times[-1].n


def _filling(window_s: float, tried: records.Window) -> int:
    """Inferences that take a little longer than `window_s`, going by a window that was tried."""
    return max(1, math.ceil(_MARGIN * window_s * 1e6 * tried.n / max(1, tried.elapsed_us)))


def _window(run: _Run, n: int, warmup: int, input_index: int, latency_s: float) -> records.Window:
    """Time `n` inferences of the input that is loaded; `latency_s` is what one takes at most, as far as is known."""
    started = records.now()
    timed = run.dut.timed(n, warmup, patience.timeout_s(n + warmup, latency_s))
    run.heard.append(Heard(n, timed.begin_us, timed.end_us))
    heap = (timed.heap_free_bytes, timed.heap_left_bytes) if timed.heap_free_bytes else (None, None)
    return records.Window(n, warmup, timed.elapsed_us, input_index, started, *heap)


def _require_patience(job: Job, dut: Dut, samples: list[tasks.Sample], most_s: float) -> float:
    """Seconds that one inference takes, which is tried. UsageError when with that the job takes hours.

    most_s -- what it takes at most
    """
    dut.load_input(samples[0].inputs[0].tobytes())
    inference_s = dut.timed(1, 0, patience.timeout_s(1, most_s)).elapsed_us / 1e6
    scored = sum(len(sample.inputs) for sample in samples) if "accuracy" in job.modes else 0
    window = max(1, math.ceil(job.window_s / max(inference_s, 1e-6)))
    timed = (WINDOWS + 1) * (window + job.warmup) if "performance" in job.modes else 0
    expected_s = job.board.patience * inference_s * (scored + timed)
    fitting = int(len(samples) * (patience.LONGEST_S / 6) / max(expected_s, 1))
    patience.require(
        expected_s,
        f"{job.task.name} with the engine {job.engine} on {job.board.name}",
        f"{scored + timed} inferences of {inference_s:.2g} s",
        "choose a faster engine, or fewer inferences: "
        + (f"--samples {fitting}" if scored > timed and fitting else "--mode performance --warmup 0 --window 0.1"),
    )
    return max(inference_s, 1e-3)
