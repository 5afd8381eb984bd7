"""Records and sessions as the folders of a submission."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinympy import records, rules
from tinympy.errors import UsageError
from tinympy.measures import is_whole
from tinympy.records import Record
from tinympy.submission import transcript
from tinympy.submission.benchmarks import Benchmark, Mode, of_task
from tinympy.submission.sessions import FILES, Session

MODES: tuple[Mode, ...] = ("accuracy", "performance", "energy")
# What a record has to keep to for its energy to count; which meter it was is for reviewers to judge.
_ENERGY_RULES = ("five-windows", "window-length", "total-length", "energy-supply", "energy-trigger", "energy-samples")
_IMPLEMENTATION = "tinympy"
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_README = """\
# {title} with tinympy {version}

Measured by tinympy, the MLPerf-Tiny-style benchmark for boards with MicroPython firmware.
{code}

| | |
|---|---|
| board | {board} |
| firmware | {firmware} |
| model | {model}, sha256 {model_sha256} |
| program compiled of it | sha256 {program_sha256} |
| kernels, as a native module for {arch} | sha256 {module_sha256} |
| inputs, joined in label-file order | sha256 {data_sha256} |

To repeat it, with the board attached and the official files in FOLDER:

    tinympy dut {task}{weights} --assets FOLDER --runner-files RUNNER
    python main.py -d RUNNER/devices.yaml -t RUNNER/tests_performance.yaml -s FOLDER/datasets -m p
    python main.py -d RUNNER/devices.yaml -s FOLDER/datasets -m a

or, for a record instead of the public runner's logs, `tinympy bench {task}{weights} --window 10`.
{records}
Where each file of results/ comes from:

{sources}
"""


@dataclass(frozen=True)
class Submitter:
    """What only a person can say. system is the name of the system's folder, code where the code is published."""

    organisation: str
    system: str
    division: str
    code: str = ""


@dataclass(frozen=True)
class Result:
    """One benchmark: the records of its modes (the same one, or one each), and the runner's sessions of them.

    left_out -- why energies that records have are no part of it
    """

    benchmark: Benchmark
    records: Mapping[Mode, Record]
    sessions: Mapping[Mode, Session]
    left_out: Sequence[str] = ()

    @property
    def record(self) -> Record:
        """The one that describes the system."""
        return next(iter(self.records.values()))


def results(
    records: Sequence[Record], sessions: Mapping[tuple[str, Mode], Session], division: str = "closed"
) -> list[Result]:
    """What the records and sessions of one board are for a submission; of two records of the same, the later one.

    Sessions of tasks without a record, which says what was measured, are left out.

    division -- in the open one there are no quality targets

    Raises:
        UsageError: a record cannot be submitted, or they are of several boards.
    """
    by_task: dict[str, dict[Mode, Record]] = {}
    left_out: dict[str, list[str]] = {}
    for record in sorted(records, key=lambda each: each.created):
        _require_submittable(record, division)
        modes = by_task.setdefault(record.task.name, {})
        if is_whole(record):
            modes["accuracy"] = record
        elif not record.windows:
            raise UsageError(f"{record.path}: accuracy over a part of the label file", "repeat it without --samples")
        if record.windows and (record.energy is None or "performance" not in modes):
            modes["performance"] = record
        if record.energy is not None:
            reasons = _no_energy(record)
            if reasons:
                left_out.setdefault(record.task.name, []).append(f"{record.path}: {'; '.join(reasons)}")
            else:
                modes["energy"] = record
    if not by_task:
        raise UsageError("there is nothing to submit", "name records that `tinympy bench` wrote")
    boards = {(record.board.name, record.board.firmware, record.board.clock_hz) for record in records}
    if len(boards) > 1:
        raise UsageError(
            "the records are of several systems: " + "; ".join(sorted(f"{name}, {fw}" for name, fw, _ in boards)),
            "submit them one after another into the same folder, each with its own --system",
        )
    found = []
    for task, modes in by_task.items():
        benchmark = of_task(task)
        assert benchmark is not None
        of_it = {mode: session for (name, mode), session in sessions.items() if name == task}
        found.append(Result(benchmark, modes, of_it, left_out.get(task, ())))
    return found


def write(folder: Path, submitter: Submitter, description: Mapping[str, str], found: Iterable[Result]) -> None:
    """Write the tree into `folder`. What other systems have there stays.

    Raises:
        UsageError: a name is none for a folder, or something cannot be written.
    """
    for what, name in (("organisation", submitter.organisation), ("system", submitter.system)):
        if not _FOLDER.fullmatch(name):
            raise UsageError(f"{what} {name!r} is no name for a folder", "letters, digits, and . _ - after the first")
    root = folder / submitter.division / submitter.organisation
    files = {root / "systems" / f"{submitter.system}.json": (json.dumps(description, indent=1) + "\n").encode()}
    for result in found:
        files |= _files(root, submitter, result)
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror or error}", "name another folder") from error


def _files(root: Path, submitter: Submitter, result: Result) -> dict[Path, bytes]:
    benchmark = result.benchmark
    code = root / "code" / benchmark.reference / f"{_IMPLEMENTATION}-{submitter.system}-{benchmark.name}"
    measured = root / "results" / submitter.system / benchmark.name
    files: dict[Path, bytes] = {}
    sources = []
    for record in result.records.values():
        assert record.path is not None
        files[code / record.path.name] = record.path.read_bytes()
    for mode in MODES:
        texts, source = _logs(result, mode)
        if texts:
            files |= {measured / mode / name: content for name, content in texts.items()}
            sources.append(f"* {benchmark.name}/{mode}: {source}")
    files[code / "README.md"] = _readme(submitter, result, sources).encode()
    return files


def _logs(result: Result, mode: Mode) -> tuple[dict[str, bytes], str]:
    session = result.sessions.get(mode)
    if session is not None:
        extra = [path.name for path in sorted(session.folder.glob("energy_inf_*.png"))] if mode == "energy" else []
        texts = {name: (session.folder / name).read_bytes() for name in (*FILES, *extra)}
        return texts, f"the public runner's session {session.folder.name}, as it wrote it"
    record = result.records.get(mode)
    if record is None or record.path is None:
        return {}, ""
    digest = hashlib.sha256(record.path.read_bytes()).hexdigest()
    made = transcript.files(record, f"{record.path.name}, sha256 {digest}", result.benchmark, mode) or {}
    files = {name: text.encode() for name, text in made.items()}
    return files | (_recording(record) if mode == "energy" else {}), f"transcribed from {record.path.name}"


def _recording(record: Record) -> dict[str, bytes]:
    """The recording and its stamps as in submissions up to v1.3: the beginning, then both ends of each window."""
    content = records.read_recording(record)
    assert content is not None and record.energy is not None and record.energy.envelope is not None
    stamps = [0.0, *(end for window in record.energy.envelope.windows for end in window)]
    return {transcript.RECORDING: content, transcript.STAMPS: json.dumps(stamps).encode()}


def _no_energy(record: Record) -> list[str]:
    """Why the record's energy is none for a submission; nothing of one that kept to the rules of energy mode."""
    energy = record.energy
    assert energy is not None
    if energy.meter.emulated:
        return ["the meter is emulated"]
    reasons = [found.message for found in rules.findings(record, rules.LATEST) if found.rule in _ENERGY_RULES]
    if energy.envelope is None or records.read_recording(record) is None:
        reasons.append("its recording is not beside it, or is not the one that it names")
    return reasons


def _readme(submitter: Submitter, result: Result, sources: list[str]) -> str:
    record = result.record
    names = sorted({each.path.name for each in result.records.values() if each.path is not None})
    return _README.format(
        title=record.task.title.capitalize(),
        version=record.tinympy,
        code=f"Its code: {submitter.code}" if submitter.code else "",
        board=record.board.name,
        firmware=record.board.firmware,
        model=record.model.file,
        model_sha256=record.model.sha256,
        program_sha256=record.program.sha256 if record.program else "unknown",
        arch=record.board.arch,
        module_sha256=record.engine.build_sha256 or "unknown",
        data_sha256=record.data_set.sha256 if record.data_set else "unknown",
        task=record.task.name,
        weights=f" --weights {record.model.file}" if record.model.weights == "own" else "",
        records=f"\nRecords, raw and whole: {', '.join(names)}\n",
        sources="\n".join(sources),
    )


def _require_submittable(record: Record, division: str) -> None:
    name, what = record.task.name, record.path or record.created
    if of_task(name) is None or not record.task.official:
        why = (
            "its weights are generated" if record.model.weights == "generated" else "it is no benchmark of MLPerf Tiny"
        )
        if name == "sww01":
            why = "its results come from the interface board's recordings"
        raise UsageError(f"{what}: {name} cannot be submitted: {why}", "records of kws01 ic01 ic02 vww01 ad01 can")
    if record.status != "complete":
        raise UsageError(f"{what}: the run is {record.status}", "repeat it")
    if record.program is not None and record.program.input_reused:
        raise UsageError(f"{what}: timed inferences overwrote their input", "repeat it without --reuse-input")
    belongs = rules.division.of(record)
    if belongs.division == "open" and division == "closed":
        raise UsageError(f"{what} is of the open division: {belongs.reason}", "--division open")
    broken = [found for found in rules.findings(record) if found.level == "invalid"]
    if division == "open":
        # It has no quality targets, for models of the closed one neither.
        broken = [found for found in broken if found.rule != "quality-target"]
    if broken or (not record.valid and division == "closed"):
        reason = "; ".join(found.message for found in broken) or record.invalid_reason
        raise UsageError(f"{what}: the record is invalid: {reason}", "repeat the run")
