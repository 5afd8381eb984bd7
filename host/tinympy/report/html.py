"""Pages: a report in one HTML file that needs nothing else, and the site of a folder of records.

The templates and the style sheet lie in `templates/`; `quantities` has the figures, `plots` the pictures.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tinympy import statistics
from tinympy.records import Record
from tinympy.report import figures, plots, quantities
from tinympy.report.collection import Chapter, Collection, Runs, chapters
from tinympy.report.console import UNVERIFIED, board_line

NO_FIGURES = "matplotlib is not installed: the pages have tables, but no figures (pip install 'tinympy[charts]')"


@dataclass(frozen=True)
class _Group:
    """Records that may be sorted together, each with the name of its page."""

    title: str
    note: str
    records: list[tuple[Record, str]]


def report(found: Collection) -> str:
    """The whole report as one HTML document."""
    parts = chapters(found.records)
    drawn = figures.available()

    def chapter_figures(chapter: Chapter) -> list[plots.Plot]:
        return plots.of_chapter(chapter, found.profiles, drawn)

    return _render(
        "report.html",
        found.records,
        chapters=parts,
        summary=_summary(found.records),
        unread=found.unread,
        drawn=drawn,
        overview=plots.overview(parts, drawn),
        glance=_glance(parts),
        chapter_caption=_chapter_caption,
        chapter_figures=chapter_figures,
    )


def site(found: Collection) -> dict[str, str]:
    """Every file of the site by its path: pages, and beside each record's page its document as it is stored."""
    every = [runs for chapter in chapters(found.records) for runs in chapter.runs]
    ordered = [record for runs in every for record in runs.records]
    names = pages(ordered)
    files = {"index.html": _index(found, every, names), "report.html": report(found)}
    drawn = figures.available()
    drawings = [(profile, plots.profile(profile, drawn)) for profile in found.profiles]
    for record, name in zip(ordered, names, strict=True):
        files[f"records/{name}.html"] = _render(
            "record.html",
            [record],
            record=record,
            stem=name,
            columns=quantities.columns([record]),
            profiles=[plot for profile, plot in drawings if profile.belongs_to(record)],
        )
        if record.path is not None:
            files[f"records/{name}.json"] = record.path.read_text(encoding="utf-8")
    return files


def pages(records: Sequence[Record]) -> list[str]:
    """A name for each record's page: that of its file, as far as addresses allow, with a number where it is taken."""
    names: list[str] = []
    for record in records:
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", record.path.stem) if record.path else "record"
        numbered = (f"{stem}-{number}" for number in itertools.count(2))
        names.append(next(name for name in itertools.chain([stem], numbered) if name not in names))
    return names


def _index(found: Collection, every: list[Runs], names: list[str]) -> str:
    ordered = [record for runs in every for record in runs.records]
    first = [rank == 0 for runs in every for rank in range(len(runs.records))]
    columns = quantities.columns(ordered, quantities.LEADING)
    script = _text("index.js").replace(
        "MORE_IS_BETTER", json.dumps(["accuracy", "date", *(each.key for each in columns if each.more_is_better)]), 1
    )
    named = [("task", "task"), ("board", "board"), ("engine", "engine"), ("accuracy", "accuracy")]
    figured = [(each.key, each.header) for each in columns]
    return _render(
        "index.html",
        ordered,
        summary=_summary(ordered),
        unread=found.unread,
        groups=_groups(list(zip(ordered, names, strict=True))),
        others={name for name, newest in zip(names, first, strict=True) if not newest},
        columns=columns,
        sortable=[*named, *figured, ("date", "date")],
        numbers={key for key, _ in figured} | {"date"},
        filters={
            "task": list(dict.fromkeys(record.task.name for record in ordered)),
            "board": sorted({record.board.name for record in ordered}),
            "engine": sorted({record.engine.name for record in ordered}),
        },
        script=Markup(script),
    )


def _groups(named: list[tuple[Record, str]]) -> list[_Group]:
    """What may be ranked with each other; an emulated board never beside a real one, and what is invalid not at all."""

    def those(valid: bool, emulated: bool | None) -> list[tuple[Record, str]]:
        found = [pair for pair in named if (statistics.invalid_reason(pair[0]) is None) == valid]
        return [pair for pair in found if emulated is None or pair[0].board.emulated == emulated]

    groups = [
        _Group("Measured", "The board's own clock; every record here is valid.", those(True, False)),
        _Group("Emulated", "Computed by an emulator: not to be ranked with what was measured.", those(True, True)),
        _Group("Not valid", "Each breaks a rule, which stands beside it: not to be used.", those(False, None)),
    ]
    return [group for group in groups if group.records]


def _glance(parts: Sequence[Chapter]) -> list[dict[str, Any]]:
    """A row for each board and engine, real ones first, with its latency for each task: of the first valid record."""
    rows: dict[tuple[bool, str, str], dict[str, dict[str, str]]] = {}
    for chapter in parts:
        for record in chapter.records:
            if statistics.invalid_reason(record) is not None or quantities.LATENCY.value(record) is None:
                continue
            row = rows.setdefault((record.board.emulated, quantities.place(record), record.engine.name), {})
            row.setdefault(chapter.name, {"figure": quantities.LATENCY.shown(record), "note": plots.note(record)})
    nothing = {"figure": quantities.NONE, "note": ""}
    return [
        {
            "board": board,
            "engine": engine,
            "emulated": emulated,
            "texts": [row.get(chapter.name, nothing) for chapter in parts],
        }
        for (emulated, board, engine), row in sorted(rows.items())
    ]


def _chapter_caption(chapter: Chapter) -> str:
    """What the table of a task says about itself."""
    count = sum(len(runs.records) for runs in chapter.runs)
    newest = "; of each board, engine and model the newest valid record" if count > len(chapter.runs) else ""
    targets = dict.fromkeys(
        statistics.figure(record.accuracy.metric, record.task.target)
        for record in chapter.records
        if record.accuracy is not None and record.task.target is not None and record.accuracy.metric != "mean_score"
    )
    target = f"; quality target {' or '.join(targets)}" if targets else ""
    return f"{_count(count, 'record')}{newest}{target}"


def _summary(records: Sequence[Record]) -> str:
    boards = {quantities.place(record) for record in records}
    tasks = {record.task.name for record in records}
    return f"{_count(len(records), 'record')} of {_count(len(tasks), 'task')} on {_count(len(boards), 'board')}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _text(name: str) -> str:
    return (resources.files("tinympy.report") / "templates" / name).read_text(encoding="utf-8")


def _render(template: str, records: Sequence[Record], **context: Any) -> str:
    environment = Environment(
        loader=PackageLoader("tinympy.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    text = environment.get_template(template).render(
        q=quantities,
        statistics=statistics,
        board_line=board_line,
        unverified=UNVERIFIED,
        official=any(record.task.official for record in records),
        style=Markup(_text("style.css")),
        **context,
    )
    numbers = itertools.count(1)
    return re.sub(r"<svg.*?</svg>", lambda svg: _with_own_names(svg[0], next(numbers)), text, flags=re.DOTALL)


def _with_own_names(svg: str, number: int) -> str:
    """Names of parts of a figure are its own: those of several figures on a page are told apart by its number."""
    names = dict.fromkeys(re.findall(r' id="([^"]*)"', svg))
    for index, name in enumerate(names):
        svg = re.sub(rf'(["#]){name}(["\)])', rf"\g<1>f{number}-{index}\g<2>", svg)
    return svg
