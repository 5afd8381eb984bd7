"""What a record holds: one run of one task on one board, raw, with everything needed to repeat it (docs/records.md)."""

from __future__ import annotations

import platform as python_platform
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from tinympy import __version__

SCHEMA = "tinympy-record"
VERSION = 1
"""Of the schema; docs/record-v1.schema.json is that of version 1."""

SHARED = "{} boards at once on this computer: they took each other's time"
WITHOUT_ULAB = "this CircuitPython has no ulab: the engine is python"
INPUT_REUSED = "input reused: timed inferences run on what those before left in its place"

Status = Literal["running", "complete", "interrupted", "failed"]
Level = Literal["invalid", "warning"]

_UTC = {"schema": {"pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}}


@dataclass
class Host:
    """The computer that drove the run."""

    platform: str
    python: str
    cpu: str

    @classmethod
    def here(cls) -> Host:
        return cls(python_platform.platform(), python_platform.python_version(), _cpu())


@dataclass
class Board:
    """The device under test; `mpy` is its `.mpy` version and architecture as the firmware states them.

    ticks_step_us: the smallest step seen of the clock that times windows. temperature_c: of the chip when the run
    began, where it can be read.
    """

    name: str
    port: str
    firmware: str
    mpy: str
    arch: str
    clock_hz: int | None
    emulated: bool
    ticks_step_us: int | None = None
    temperature_c: float | None = None


@dataclass
class Engine:
    """What executed the program; `build_sha256` is that of the native module, None for engines without one."""

    name: str
    build_sha256: str | None = None


@dataclass
class Task:
    """`official`: task and data are those that MLPerf Tiny defines; `target` is its quality target then."""

    name: str
    title: str
    official: bool
    target: float | None = None


@dataclass
class Options:
    """What the run was asked to do, as far as nothing else in the record tells.

    window_s: how long a window was to last at least; 0 for single inferences. samples: the limit, None for all.
    unplugged: the board ran from its own main.py, on inputs stored there, without a computer on its line.
    """

    window_s: float
    samples: int | None = None
    weights_in: str | None = None
    in_ram: bool = False
    unplugged: bool = False


@dataclass
class Model:
    """`weights`: of a task of MLPerf Tiny, whether the model is the official one, its network with generated weights,
    which have no accuracy, or the user's own in its place.

    macs: multiply-accumulates of an inference, padded taps included.
    quantisation: how the model was made of the reference model's weights, where it is not the reference's own file.
    """

    file: str
    sha256: str
    size_bytes: int
    weights: Literal["official", "generated", "own"] | None = None
    macs: int | None = None
    quantisation: Quantisation | None = None


@dataclass
class Quantisation:
    """How int8 weights were derived, as the submitter states it; nothing in the file can prove it.

    source_sha256: of the float model. method: such as the converter and its version. calibration: the list of
    calibration samples. retrained: whether weights were trained further.
    """

    source_sha256: str
    method: str
    calibration: str
    retrained: bool = False


@dataclass
class DataSet:
    """The inputs used, `n` of `full_n` as the accuracy counts; `sha256` is that of their files joined in order."""

    sha256: str
    n: int
    full_n: int


@dataclass
class Program:
    """What the compiler made of the model for this engine and architecture.

    input_reused: an inference overwrites its input.
    """

    sha256: str
    size_bytes: int
    arena_bytes: int
    operations: int | None = None
    input_reused: bool = False


@dataclass
class Memory:
    """Bytes on the board; None where not measured. Of the program, `flash_bytes` are read in flash, the rest in RAM."""

    arena_bytes: int | None = None
    program_bytes: int | None = None
    module_bytes: int | None = None
    heap_free_bytes: int | None = None
    flash_bytes: int | None = None


@dataclass
class Window:
    """`n` inferences of one input, timed together by the board after `warmup` untimed ones; `started` is UTC, of an
    unplugged board, which has no calendar, when its windows were collected.

    heap_free_bytes, heap_left_bytes: free on the board directly before and after the n inferences, None where unknown.
    """

    n: int
    warmup: int
    elapsed_us: int
    input_index: int
    started: str
    heap_free_bytes: int | None = None
    heap_left_bytes: int | None = None


@dataclass
class Progress:
    """An accuracy run so far: samples done, samples to do, and (top-1 only) how many were right."""

    done: int
    of: int
    correct: int | None = None


@dataclass
class Accuracy:
    """`wall_s` is the whole accuracy run on the host's clock: deployment, transfer and inference.

    `n` is how many things (samples, or wake words) `value` is over; `detail` holds counts behind it, where it has any.
    """

    metric: str
    value: float
    n: int
    outputs_sha256: str
    samples_per_s: float
    wall_s: float
    detail: dict[str, int] | None = None


@dataclass
class Meter:
    """What measured the energy; None where the meter, its driver or the user does not say.

    rate_hz: samples per second. voltage_v: the mean while the windows ran. rail: where the meter sits (5V, vsys, 3v3).
    only_supply: whether the board had no other supply than the one that is measured, no USB either, as the user states.
    """

    name: str
    address: str
    emulated: bool
    serial: str | None = None
    rate_hz: float | None = None
    voltage_v: float | None = None
    voltage_basis: Literal["measured", "set", "assumed"] = "assumed"
    rail: str | None = None
    only_supply: bool = False


@dataclass
class WindowEnergy:
    """Joules of all inferences of a window: gross, all that the meter saw, and net, without what idling takes.

    coverage: the share of the window of which there are samples.
    """

    gross_j: float
    net_j: float | None
    mean_w: float
    coverage: float


@dataclass
class Envelope:
    """The recording for people to look at: mean, lowest and highest power (W) of steps of `step_s`; None where lost.

    windows: begin and end of each window, in seconds from the beginning.
    """

    step_s: float
    mean_w: list[float | None]
    low_w: list[float | None]
    high_w: list[float | None]
    windows: list[list[float]]


@dataclass
class Recording:
    """The recording, in a file beside the record: 1000 energies a second, as the public runner stores them."""

    file: str
    sha256: str


@dataclass
class Energy:
    """A window of `windows` for each of the record's.

    marks: how windows were found in the recording. ranges: those of the meter that measured them, by number, where it
    says. limit: the meter's error at the most, relative, the same for every
    window. drift_ppm: the board's clock against the meter's. idle_w: the board's power between windows.
    """

    meter: Meter
    windows: list[WindowEnergy]
    marks: Literal["pin", "preamble"]
    ranges: list[int] = field(default_factory=list)
    limit: float | None = None
    drift_ppm: float | None = None
    idle_w: float | None = None
    notes: list[str] = field(default_factory=list)
    envelope: Envelope | None = None
    recording: Recording | None = None


@dataclass
class Finding:
    """A rule that the run does not follow, by the rule's name (docs/rules.md), and what to do about it."""

    rule: str
    level: Level
    message: str
    hint: str = ""


@dataclass
class Rules:
    """What the run rules of an MLPerf Tiny version say of the run; `division` is None where it belongs into none."""

    version: str
    division: Literal["closed", "open"] | None = None
    findings: list[Finding] = field(default_factory=list)


@dataclass
class Record:
    """One run of one task on one board. `path` is where it is stored and no part of the document.

    parallel: how many boards were measured at the same time.
    calibration: the windows that found out how many inferences a timed one has; no result is made of them.
    rules, valid and invalid_reason are the verdict of the tinympy that wrote the record, made when the run ended.
    migrated_from: the version of the schema that the document was first written in, if it was an older one.
    """

    created: str = field(metadata=_UTC)
    tinympy: str
    mode: str
    host: Host
    board: Board
    engine: Engine
    task: Task
    model: Model
    schema: str = field(default=SCHEMA, metadata={"schema": {"const": SCHEMA}})
    schema_version: int = field(default=VERSION, metadata={"schema": {"const": VERSION}})
    options: Options | None = None
    data_set: DataSet | None = None
    program: Program | None = None
    memory: Memory = field(default_factory=Memory)
    calibration: list[Window] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    accuracy: Accuracy | None = None
    energy: Energy | None = None
    progress: Progress | None = None
    parallel: int = 1
    status: Status = "running"
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    valid: bool = True
    invalid_reason: str | None = None
    rules: Rules | None = None
    migrated_from: int | None = None
    path: Path | None = field(default=None, compare=False, metadata={"stored": False})
    written: tuple[list[Any], bool] | None = field(default=None, compare=False, repr=False, metadata={"stored": False})
    """What the stored document holds already: its windows in JSON, and whether the run has ended."""

    @classmethod
    def begin(cls, mode: str, board: Board, engine: Engine, task: Task, model: Model) -> Record:
        """A record that starts now, on this computer, with this tinympy."""
        return cls(now(), __version__, mode, Host.here(), board, engine, task, model)

    def invalidate(self, reason: str) -> None:
        """Marks the result as invalid; the first reason stays."""
        self.valid = False
        self.invalid_reason = self.invalid_reason or reason


def now() -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cpu() -> str:
    try:
        information = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        information = ""
    match = re.search(r"^model name\s*:\s*(.+)$", information, re.MULTILINE)
    return match[1].strip() if match else python_platform.processor() or python_platform.machine()
