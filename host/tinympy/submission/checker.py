"""Whether a submission tree will pass, in words: first what the official checker rejects, then what people ask for.

After mlcommons/tiny, tools/submission/submission_checker.py, version v1.4, and MLPerfTiny_Rules.adoc.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tinympy.errors import UsageError
from tinympy.measures import WINDOWS
from tinympy.rules.performance import WINDOW_S
from tinympy.submission.benchmarks import ENERGY, THROUGHPUT, Benchmark, found, named
from tinympy.submission.system import REQUIRED
from tinympy.submission.transcript import MARK, RECORDING, STAMPS

DIVISIONS = ("closed", "open")
STATUS = ("available", "preview", "rdi")
_LARGEST_BYTES = 500 * 1024 * 1024
_FILES = {"log.txt", "results.txt", "results.json"}
# What the official checker passes over at the top of the tree.
_BESIDE = (".git", ".github", "assets", ".vscode")
_WINDOW = re.compile(r"^\s*Runtime: ([\d.]+) sec\.$", re.MULTILINE)
_TRIAL = re.compile(r"^\s*Elapsed time\s*: ([\d.]+)", re.MULTILINE)

Level = Literal["rejected", "missing"]
"""What the official checker answers with "submission has errors", or with a traceback; and what it lets pass, but the
rules or the people who review submissions ask for."""


@dataclass(frozen=True)
class Finding:
    """Something wrong in a tree, where, and what to do."""

    level: Level
    where: str
    what: str
    remedy: str


def check(folder: Path) -> list[Finding]:
    """All that is wrong with the tree in `folder`, what is rejected first.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "name records to make one of, or with -o one that is there")
    findings = list(_tree(folder))
    return sorted(findings, key=lambda each: (each.level != "rejected", each.where))


def _tree(folder: Path) -> Iterator[Finding]:
    submitters = 0
    for division in _folders(folder):
        if division.name not in DIVISIONS:
            if division.name not in _BESIDE:
                yield Finding("missing", division.name, "is no division", "there are closed and open")
            continue
        for submitter in _folders(division):
            submitters += 1
            yield from _submitter(folder, division.name, submitter)
    if not submitters:
        yield Finding("rejected", ".", "holds no submission", "its first folders are DIVISION/ORGANISATION")


def _submitter(folder: Path, division: str, submitter: Path) -> Iterator[Finding]:
    def where(path: Path) -> str:
        return path.relative_to(folder).as_posix()

    for path in sorted(submitter.rglob("*")):
        if path.is_symlink():
            level: Level = "rejected" if path.is_file() else "missing"
            yield Finding(level, where(path), "is a symbolic link", "put a copy in its place")
        elif path.is_dir():
            if path.name == "__pycache__":
                yield Finding("rejected", where(path), "is Python's cache", "remove it")
            elif not any(path.iterdir()):
                yield Finding("rejected", where(path), "is an empty folder", "fill it or remove it")
        elif path.stat().st_size > _LARGEST_BYTES:
            yield Finding("rejected", where(path), "is larger than 500 MB", "point to it instead")
        if " " in path.name or path.name.startswith("."):
            yield Finding("missing", where(path), "has a name that git tools trip over", "rename it")
    if not (submitter / "code").is_dir():
        yield Finding("missing", where(submitter), "has no code", "the rules ask for code that repeats the results")
    if not list((submitter / "systems").glob("*hecklist*")):
        yield Finding(
            "missing",
            where(submitter / "systems"),
            "has no submission checklist",
            "fill in the round's checklist (a form that MLCommons sends to submitters) and put it there",
        )
    systems = _folders(submitter / "results")
    if not systems:
        yield Finding("rejected", where(submitter), "has no results", "submit a record")
    for system in systems:
        yield from _system(where, division, submitter, system)


def _system(where: Any, division: str, submitter: Path, system: Path) -> Iterator[Finding]:
    description = submitter / "systems" / f"{system.name}.json"
    try:
        fields = json.loads(description.read_text(encoding="utf-8"))
        status = str(fields.get("Status", "")).lower()
    except (OSError, ValueError, AttributeError) as error:
        yield Finding("rejected", where(description), f"is no system description: {error}", "write it again")
        return
    if status not in STATUS:
        yield Finding("rejected", where(description), f"has the status {status!r}", f"one of {' '.join(STATUS)}")
    if "system_type" in fields:
        yield Finding("rejected", where(description), "has a key system_type", "remove it: no type is valid")
    for key, meaning in {**REQUIRED, "Submitter": "the organisation"}.items():
        if not str(fields.get(key, "")).strip():
            yield Finding("missing", where(description), f"does not say: {key}", f'--field "{key}=…": {meaning}')
    if "emulated" in str(fields.get("Hardware Notes", "")):
        yield Finding("missing", where(description), "is an emulator", "the benchmark is of hardware: measure a board")
    benchmarks = _folders(system)
    if not benchmarks:
        yield Finding("rejected", where(system), "has no results", "submit a record")
    for each in benchmarks:
        benchmark = named(each.name)
        if benchmark is None:
            if each.name != "sww":
                yield Finding("rejected", where(each), "is no benchmark", "there are ad ic ic2 kws vww, and sww")
            continue
        if benchmark.name == "ic2" and not (system / "ic").is_dir():
            yield Finding("rejected", where(each), "stands without ic", "ic2 counts only beside results of ic")
        yield from _benchmark(where, division, each, benchmark)


def _benchmark(where: Any, division: str, folder: Path, benchmark: Benchmark) -> Iterator[Finding]:
    task = benchmark.task
    texts = {}
    for mode in ("accuracy", "performance", "energy"):
        path = folder / mode
        if not path.is_dir():
            if mode != "energy":
                remedy = f"submit a record of `tinympy bench {task} --mode {mode}` over the whole label file"
                yield Finding("rejected", where(path), "is missing", f"{remedy}, or a session of the public runner")
            continue
        try:
            texts[mode] = (path / "results.txt").read_text(encoding="utf-8")
        except (OSError, ValueError):
            yield Finding("rejected", where(path), "has no readable results.txt", "write the tree again")
            continue
        names = {each.name for each in path.iterdir() if not each.name.startswith("energy_inf_")}
        if mode == "energy":
            names -= {RECORDING, STAMPS}
        if names != _FILES:
            odd = ", ".join(sorted(names ^ _FILES))
            yield Finding("missing", where(path), f"files are missing or too many: {odd}", "write the tree again")
        if texts[mode].startswith(MARK):
            yield Finding(
                "missing",
                where(path),
                "is transcribed from a record",
                f"MLCommons asks for logs of the public runner: `tinympy dut {task}`, then --session",
            )
    if "accuracy" in texts:
        yield from _accuracy(where(folder / "accuracy"), division, benchmark, texts["accuracy"])
    if "performance" in texts:
        yield from _performance(where(folder / "performance"), texts["performance"])
    if "energy" in texts:
        yield from _energy(where(folder / "energy"), texts["energy"])


def _accuracy(where: str, division: str, benchmark: Benchmark, text: str) -> Iterator[Finding]:
    value = found(benchmark.pattern, text)
    if value is None:
        yield Finding("rejected", where, "says no accuracy", "repeat the run")
    elif value < benchmark.target and division == "closed":
        yield Finding(
            "rejected",
            where,
            f"is {value:g}, below the closed division's {benchmark.target:g}",
            "the reference model reaches it: is it the whole label file? Else --division open",
        )


def _performance(where: str, text: str) -> Iterator[Finding]:
    value = found(THROUGHPUT, text)
    if not value:
        yield Finding("rejected", where, "says no median throughput", "repeat the run")
    windows = [float(each) for each in _WINDOW.findall(text)]
    if len(windows) != WINDOWS:
        yield Finding("missing", where, f"has {len(windows)} windows", "the rules ask for five")
    if windows and min(windows) < WINDOW_S:
        yield Finding(
            "missing",
            where,
            f"has a window of {min(windows):.1f} s",
            "the rules ask for 10 s each: `tinympy bench --window 10`, `tinympy dut --runner-files`",
        )


def _energy(where: str, text: str) -> Iterator[Finding]:
    if found(ENERGY, text) is None:
        yield Finding("rejected", where, "has no median energy", "repeat the session")
    trials = [float(each) for each in _TRIAL.findall(text)]
    if trials and len(trials) != WINDOWS:
        yield Finding("missing", where, f"has {len(trials)} windows", "the rules ask for five")
    if trials and min(trials) < WINDOW_S:
        yield Finding("missing", where, f"has a window of {min(trials):.1f} s", "the rules ask for 10 s each")


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
