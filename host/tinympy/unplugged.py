"""A run of a board that is powered without USB: prepared over the line, run from its main.py, collected afterwards.

What the board gets besides the deployment: a main.py, inputs, and the record to be, so that whoever collects needs
nothing else. What it measures it writes to a file, a line a window (device/tinympy/alone.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinympy import boot, connection, files, metering, patience, records, rules, session
from tinympy.boards import Board
from tinympy.connection import Observer
from tinympy.deploy import Mark
from tinympy.device import alone, marks
from tinympy.energy import recording as recordings
from tinympy.energy.trace import Trace
from tinympy.errors import BoardError, UsageError
from tinympy.line import Line
from tinympy.measures import WINDOWS
from tinympy.metering import Heard, Metering
from tinympy.plan import Job
from tinympy.records import Record

WAIT_S = 5.0
"""Idle time of the board after it starts, for wires to bounce and recordings to begin."""
_BOOT_S = 2.0

Ask = Callable[[str], None]
"""Tells the user what to do, and returns when that is done."""


@dataclass(frozen=True)
class Prepared:
    """A board that runs when it is powered next; seconds from then until it is done, roughly."""

    port: str
    mark: Mark | None
    preamble: bool
    latency_s: float
    seconds: float


@dataclass(frozen=True)
class Recording:
    """What a meter recorded of the run; trigger: the logic input that the board's pin was wired to."""

    asked: Metering
    trace: Trace
    trigger: int | None


@dataclass
class Results:
    """What the board wrote. heard: all windows since the meter was to listen, of which the last `windows` count.

    problem: why it is not everything, None where it is.
    """

    preamble_us: int | None = None
    heard: list[Heard] = field(default_factory=list)
    calibration: list[records.Window] = field(default_factory=list)
    windows: list[records.Window] = field(default_factory=list)
    problem: str | None = None


def prepare(job: Job, mark: Mark | None, preamble: bool, wait_s: float, observe: Observer) -> Prepared:
    """Deploy the job to its board, try one inference there, and have the rest run when the board starts.

    Raises:
        UsageError: the model cannot be used, or the board has a main.py for something else, or a run not collected yet.
        NoBoardError, BoardError: the board.
    """
    prepared = session.prepare(job)
    samples = prepared.samples
    inputs = [each.inputs[at % len(each.inputs)] for at in range(WINDOWS) for each in [samples[at % len(samples)]]]
    with connection.connected(job.board) as found:
        line, library = found.line, found.identity.library
        boot.require_main(found.identity)
        boot.require_free(line, library, boot.RUNS)
        _require_collected(line, library)
        with connection.served(found, job.task, prepared.compiled.program, observe) as serving:
            record = session.begin(job, prepared, serving)
            assert record.options is not None
            record.options.unplugged = True
            serving.dut.load_input(inputs[0].tobytes())
            limit_s = patience.timeout_s(2, patience.inference_s(prepared.compiled, job.engine))
            latency_s = serving.dut.timed(1, 1, limit_s).elapsed_us / 1e6
        document = json.dumps(records.to_document(record)).encode()
        paths = _paths(library)
        files.discard(line, list(paths.values()))
        files.put(line, paths[alone.INPUTS], b"".join(each.tobytes() for each in inputs))
        files.put(line, paths[files.PLANNED], document)
        arguments = (job.task.name, _key(document), round(1e6 * job.window_s), job.warmup, WINDOWS, wait_s)
        shown = {} if mark is None else {"pin": mark.pin, "pulses": mark.pulses}
        options = {**shown, "preamble": preamble}
        started = ", ".join([*map(repr, arguments), *(f"{key}={value!r}" for key, value in options.items())])
        # Last: a board must not boot into something that is half there.
        boot.write(line, library, f"from tinympy import alone\nalone.run({started})\n", boot.RUNS)
        window_s = max(1.2 * job.window_s, latency_s)
        seconds = _BOOT_S + wait_s + 2 * alone.IDLE_S + 2 * latency_s + 0.3 * job.window_s
        seconds += len(marks.PATTERN) * marks.SLOT_US / 1e6 if preamble else 0.0
        seconds += WINDOWS * (alone.PAUSE_S + job.warmup * latency_s + window_s)
        return Prepared(found.port, mark, preamble, latency_s, seconds)


def power(job: Job, prepared: Prepared) -> None:
    """Let a board that is a process here boot, and wait until its run has ended. BoardError if it does not end."""
    board = job.board
    assert board.launch is not None and board.root is not None
    results = Path(board.root, _paths(board.library)[alone.RESULTS].lstrip("/"))
    launched = board.launch(board, {})
    try:
        deadline_s = time.monotonic() + 30 + 4 * prepared.seconds
        while not _ended(results):
            if time.monotonic() > deadline_s:
                raise BoardError(
                    f"the run on {board.name} does not end", "is this computer busy? use a longer --window"
                )
            time.sleep(0.1)
    finally:
        launched.stop()


def listen(job: Job, wait_s: float, observe: Observer, ask: Ask, tell: Callable[[str], None]) -> Recording:
    """Prepare the board, and record with the job's meter while it runs without USB.

    Raises:
        UsageError, NoBoardError, BoardError: as prepare does.
        MeterError: the meter.
    """
    assert job.metering is not None
    meter = metering.listener(job.metering)
    emulated = job.metering.address.startswith("emu:")
    attached = job.board.port is not None
    with contextlib.ExitStack() as stack:
        if emulated:
            # Its trigger line is there from now on, and it is no second supply.
            stack.enter_context(meter)
        mark = metering.mark(job.metering, meter)
        marked = meter.trigger is not None and mark is not None
        prepared = prepare(job, mark if emulated or marked else None, not marked, wait_s, observe)
        if attached:
            ask("unplug USB, and wire the board to the meter")
        if not emulated:
            stack.enter_context(meter)
        meter.start()
        if attached:
            tell(f"power the board, unless the meter does; this takes {prepared.seconds:.0f} s")
            time.sleep(prepared.seconds)
        else:
            power(job, prepared)
        trace = meter.stop()
    if attached:
        ask("disconnect the supply, and plug USB in again")
    return Recording(job.metering, trace, meter.trigger if marked else None)


def collect(board: Board, recording: Recording | None, folder: Path) -> Record:
    """The record of what the board ran by itself, stored in `folder`; the board is then as before `prepare`.

    Of a run that was cut off the complete windows are in the record, whose status is `failed`.

    Raises:
        UsageError: there is nothing to collect.
        NoBoardError, BoardError: the board; it did not run, or what is there is not of one run.
        MeterError: the recording is not of this run; the board is left as it is.
    """
    with connection.connected(board) as found:
        line, library = found.line, found.identity.library
        paths = _paths(library)
        planned, written = files.text_of(line, paths[files.PLANNED]), files.text_of(line, paths[alone.RESULTS])
        if planned is None:
            raise UsageError(f"{found.port} has no run to collect", "`tinympy unplug` prepares one")
        if written is None:
            raise BoardError(
                "the board did not run yet, or not to its first window",
                "unplug USB, power it, and wait until it is done; or prepare it again with `tinympy unplug`",
            )
        results = parse(written, _key(planned.encode()))
        try:
            record = records.from_document(json.loads(planned))
        except (ValueError, OverflowError) as error:
            raise BoardError(f"{paths[files.PLANNED]} is damaged: {error}", "run again: `tinympy unplug`") from error
        program = f"{files.folder_in(library)}/{record.task.name}.tmpy"
        if record.program is None or files.sha256_of(line, program) != record.program.sha256:
            raise BoardError(
                f"{program} is not the model that the run was prepared with",
                "it was deployed again since: run again with `tinympy unplug`",
            )
        if not results.windows:
            raise BoardError(results.problem or "no window", "look after the supply, and run again: `tinympy unplug`")
        _fill(record, results, recording)
        records.create(record, folder)
        if recording is not None and record.energy is not None:
            record.energy.recording = records.keep_recording(record, recordings.content(recording.trace))
        record.status = "complete" if results.problem is None else "failed"
        rules.judge(record)
        records.write(record)
        # What starts it goes first, and only when the record is safe.
        boot.remove(line, library, boot.RUNS)
        files.discard(line, list(paths.values()))
    return record


def parse(text: str, key: str) -> Results:
    """What a board wrote in the run `key`; a last line that is not whole does not count.

    Raises:
        BoardError: it is of another run, or damaged.
    """
    whole = text.split("\n")[:-1]
    found, ended, named = Results(), False, None
    collected = records.now()
    for row in whole:
        try:
            entry: dict[str, Any] = json.loads(row)
            if "run" in entry:
                named = entry["run"]
            elif "preamble_us" in entry:
                found.preamble_us = int(entry["preamble_us"])
            elif "window" in entry:
                n, warmup, first_us, last_us, free, left, begin_us, end_us = map(int, entry["window"])
                heap = (free, left) if free else (None, None)
                window = records.Window(n, warmup, last_us - first_us, int(entry["input"]), collected, *heap)
                (found.windows if entry["counts"] else found.calibration).append(window)
                found.heard.append(Heard(n, begin_us, end_us))
            elif "error" in entry:
                found.problem = f"the board raised {entry['error']}"
            else:
                ended = bool(entry["end"])
        except (ValueError, KeyError, TypeError) as error:
            raise BoardError(f"what the board wrote is damaged: {row[:40]!r}", "run again: `tinympy unplug`") from error
    if named != key and (named is not None or found.problem is None):
        raise BoardError(
            "what the board wrote is of another run than the one that was prepared last", "run again: `tinympy unplug`"
        )
    if found.problem is None and not ended and len(found.windows) < WINDOWS:
        found.problem = f"the run was cut off in window {len(found.windows) + 1}: power lost, or the board interrupted"
    return found


def _fill(record: Record, results: Results, recording: Recording | None) -> None:
    record.calibration, record.windows = results.calibration, results.windows
    record.error = results.problem
    if recording is not None:
        trigger = recording.trigger if results.preamble_us is None else None
        listened = metering.Listened(trigger, recording.trace, results.preamble_us)
        record.energy = listened.energy(recording.asked, results.heard, len(results.windows))
        record.warnings += record.energy.notes
        record.mode = "energy"
    else:
        record.mode = "performance"


def _require_collected(line: Line, library: str) -> None:
    if '"window"' in (files.text_of(line, _paths(library)[alone.RESULTS]) or ""):
        raise UsageError(
            "the board has a run that was not collected yet",
            "`tinympy collect` takes it, `tinympy deploy --remove` gives it up",
        )


def _ended(results: Path) -> bool:
    try:
        text = results.read_text()
    except OSError:
        return False
    return '"end"' in text or '"error"' in text


def _paths(library: str) -> dict[str, str]:
    return {name: f"{files.folder_in(library)}/{name}" for name in files.RUN}


def _key(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()[:16]
