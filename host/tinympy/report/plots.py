"""Which figures a report has: titles, words for those who do not see them, and the table behind each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinympy import statistics
from tinympy.records import Record
from tinympy.report import engines, figures, quantities
from tinympy.report.collection import Chapter
from tinympy.report.layers import Layers
from tinympy.report.quantities import EMULATED_METER, ENERGY, LATENCY, POWER, RAM, Quantity, significant
from tinympy.speed_ups import SpeedUps, speed_ups


@dataclass(frozen=True)
class Plot:
    """A figure: the SVG (None where none can be drawn), what it says in a sentence, and its data as a table.

    numbers: those of `headers` whose columns are figures.
    """

    title: str
    caption: str
    alternative: str
    svg: str | None
    headers: tuple[str, ...]
    numbers: frozenset[str]
    rows: list[tuple[str, ...]]


def overview(chapters: Sequence[Chapter], drawn: bool) -> list[Plot]:
    """Latency against memory, and whatever else `TRADE_OFFS` has that at least two valid records have."""
    named = [(chapter.name, record) for chapter in chapters for record in _usable(chapter.records)]
    found = []
    for quantity in quantities.TRADE_OFFS:
        pairs = [(name, record) for name, record in named if quantity.value(record) and LATENCY.value(record)]
        if len(pairs) >= 2:
            found.append(_trade_off(pairs, quantity, drawn))
    return found


def of_chapter(chapter: Chapter, profiles: Sequence[Layers], drawn: bool) -> list[Plot]:
    """The figures of one task: latency and memory of its boards, and the profiles that belong to its records."""
    usable = _usable(chapter.records)
    found = []
    timed = [record for record in usable if LATENCY.value(record)]
    if timed:
        found.append(_latencies(chapter.name, timed, drawn))
    found += [_engines(each, drawn) for each in speed_ups(timed)]
    sized = [record for record in usable if RAM.value(record)]
    if sized:
        found.append(_memory(chapter.name, sized, drawn))
    found += [_power(chapter.name, record, drawn) for record in usable if record.energy and record.energy.envelope]
    own = [each for each in profiles if any(each.belongs_to(record) for record in chapter.records)]
    return found + [profile(each, drawn) for each in own]


def profile(found: Layers, drawn: bool) -> Plot:
    """The layers of one model on one board."""
    rows = [
        figures.Value(
            f"{layer.operator} {layer.name}",
            layer.output_shape,
            f"{_us(layer.time_us)} µs, {100 * layer.share:.1f} %",
            layer.time_us,
            layer.min_us,
            layer.max_us,
            found.emulated,
        )
        for layer in found.layers
    ]
    emulated = ", emulated" if found.emulated else ""
    longest = max(found.layers, key=lambda layer: layer.time_us, default=None)
    most = "" if longest is None else f"; most of it in {longest.name}, operator {longest.operator}"
    caveat = f" {found.caveat}." if found.caveat else ""
    return Plot(
        title=f"Layers of {found.task} on {found.board} ({found.engine}{emulated})",
        caption=f"Time of each layer, median and range of {found.windows} windows. The whole inference takes "
        f"{_us(found.whole_us)} µs, the layers together {_us(found.sum_us)} µs.{caveat}",
        alternative=f"Time of each of the {len(found.layers)} layers of {found.task} on {found.board}{emulated}{most}.",
        svg=figures.layers(rows, "µs") if drawn and rows else None,
        headers=("operator", "output", "time, µs", "min…max, µs", "share, %", "MACs", "read, bytes"),
        numbers=frozenset(("time, µs", "min…max, µs", "share, %", "MACs", "read, bytes")),
        rows=[
            (
                f"{layer.operator} {layer.name}",
                layer.output_shape,
                _us(layer.time_us),
                f"{_us(layer.min_us)}…{_us(layer.max_us)}",
                f"{100 * layer.share:.1f}",
                str(layer.macs or quantities.NONE),
                str(layer.bytes_read),
            )
            for layer in found.layers
        ],
    )


def _usable(records: Sequence[Record]) -> list[Record]:
    """What may be drawn: valid records, and what they say about the model's own work."""
    return [record for record in records if statistics.invalid_reason(record) is None]


def note(record: Record) -> str:
    """What tells records of one board from each other, and must stand beside their figures, but for `emulated`."""
    engine = "" if record.engine.name == "native" else record.engine.name
    own = quantities.own_model(record)
    marks = {
        EMULATED_METER: EMULATED_METER,
        "input reused": "input reused",
        quantities.GENERATED: "generated weights",
        own: own,
    }
    return ", ".join(filter(None, (engine, *(marks[mark] for mark in quantities.marks(record) if mark in marks))))


def _latencies(task: str, records: list[Record], drawn: bool) -> Plot:
    rows = []
    for record in records:
        latency = statistics.latency_ms(record)
        assert latency is not None
        text = significant(latency.median)
        emulated = record.board.emulated
        rows.append(
            figures.Value(
                quantities.place(record), note(record), text, latency.median, latency.min, latency.max, emulated
            )
        )
    said = [f"{row.name}{' (emulated)' if row.emulated else ''} {row.text} ms" for row in rows]
    return Plot(
        title=f"Latency of {task}",
        caption="Milliseconds for one inference: median of the windows, and their range. Left is better.",
        alternative=f"Latency of {task}: {', '.join(said)}.",
        svg=figures.values(rows, "ms") if drawn else None,
        headers=("board", "latency, ms", "min…max, ms", "windows", "notes"),
        numbers=frozenset(("latency, ms", "min…max, ms", "windows")),
        rows=[
            (
                quantities.place(record),
                LATENCY.shown(record),
                quantities.latency_range(record),
                str(len(record.windows)),
                _marks(record),
            )
            for record in records
        ],
    )


def _power(task: str, record: Record, drawn: bool) -> Plot:
    energy = record.energy
    assert energy is not None and energy.envelope is not None
    seen = energy.envelope
    meter = f"{'emulated ' if energy.meter.emulated else ''}{energy.meter.name}"
    where = quantities.place(record)
    mean, idle = POWER.shown(record), "" if energy.idle_w is None else f", {1000 * energy.idle_w:.3g} mW between them"
    return Plot(
        title=f"Power of {task} on {where}",
        caption=f"As the {meter} recorded it: mean, and range from lowest to highest.",
        alternative=f"Power of {where} over time: {mean} mW in the windows of {task}{idle}.",
        svg=figures.power(figures.Recording(seen.step_s, seen.mean_w, seen.low_w, seen.high_w, seen.windows))
        if drawn
        else None,
        headers=("window", "begin, s", "length, s", "energy, µJ/inf", "power, mW", "recorded, %"),
        numbers=frozenset(("window", "begin, s", "length, s", "energy, µJ/inf", "power, mW", "recorded, %")),
        rows=[
            (
                str(index),
                f"{begin:.3f}",
                f"{end - begin:.3f}",
                significant(gross_uj),
                f"{1000 * window.mean_w:.4g}",
                f"{100 * window.coverage:.2f}",
            )
            for index, (window, gross_uj, (begin, end)) in enumerate(
                zip(energy.windows, statistics.energies_uj(record), seen.windows, strict=True), start=1
            )
        ],
    )


def _marks(record: Record) -> str:
    return ", ".join(quantities.marks(record))


def _engines(compared: SpeedUps, drawn: bool) -> Plot:
    rows = [
        figures.Value(
            row.engine,
            "",
            f"{significant(row.speed_up)} times",
            row.speed_up,
            row.speed_up,
            row.speed_up,
            compared.emulated,
        )
        for row in compared.rows
    ]
    emulated = " (emulated)" if compared.emulated else ""
    said = [f"{row.name} {row.text}" for row in rows]
    return Plot(
        title=f"Engines: {compared.task} on {compared.board}{emulated}",
        caption="How many times as fast as the slowest engine, by medians of the windows. Right is better.",
        alternative=f"Engines of {compared.task} on {compared.board}{emulated}: {', '.join(said)}.",
        svg=figures.values(rows, "times as fast") if drawn else None,
        headers=engines.HEADERS,
        numbers=frozenset(engines.HEADERS[1:]),
        rows=[engines.cells(row) for row in compared.rows],
    )


def _memory(task: str, records: list[Record], drawn: bool) -> Plot:
    names = ("arena", "program in RAM", "module", "program in flash")
    rows, sizes = [], []
    for record in records:
        memory = record.memory
        arena, program = memory.arena_bytes or 0, memory.program_bytes or 0
        flash = memory.flash_bytes or 0
        parts = (arena, program - flash, memory.module_bytes or 0, flash)
        shown = tuple(f"{size / 1000:.1f}" for size in parts)
        rows.append(
            figures.Stack(
                quantities.place(record),
                ", ".join(filter(None, ("emulated" * record.board.emulated, note(record)))),
                RAM.shown(record),
                tuple(size / 1000 for size in parts),
            )
        )
        sizes.append((quantities.place(record), RAM.shown(record), *shown, _marks(record)))
    used = names if any(row.parts[-1] for row in rows) else names[:-1]
    said = [f"{row.name}{f' ({row.note})' if row.note else ''} {row.text} kB" for row in rows]
    headers = ("board", "RAM, kB", *(f"{name}, kB" for name in names), "notes")
    return Plot(
        title=f"Memory of {task}",
        caption="RAM that the model takes, in kB; its sum at the right. Left is better.",
        alternative=f"RAM for {task}: {', '.join(said)}.",
        svg=figures.stacks(rows, used, "kB") if drawn else None,
        headers=headers,
        numbers=frozenset(headers[1:-1]),
        rows=sizes,
    )


def _trade_off(pairs: list[tuple[str, Record]], quantity: Quantity, drawn: bool) -> Plot:
    """Latency against one more quantity; memory is drawn in kB."""
    scale = 1000 if quantity.unit == "kB" else 1
    points = []
    for task, record in pairs:
        x, y = quantity.value(record), LATENCY.value(record)
        assert x is not None and y is not None
        meter = quantity is ENERGY and EMULATED_METER in quantities.marks(record)
        points.append(figures.Point(_series(record), task, x / scale, y, record.board.emulated or meter))
    boards = len({point.series for point in points})
    made = dict.fromkeys(task for task, record in pairs if record.model.weights == "generated")
    generated = f" Generated weights: {', '.join(made)}." if made else ""
    return Plot(
        title=f"Latency against {quantity.title}",
        caption="A mark for each task and board, hollow where emulated; lines join a board's tasks. "
        f"Left and below is better.{generated}",
        alternative=f"Latency against {quantity.title} of {len(points)} tasks on {boards} boards; "
        "the table below has every point.",
        svg=figures.trade_off(points, quantity.header, LATENCY.header) if drawn else None,
        headers=("task", "board", quantity.header, LATENCY.header, "notes"),
        numbers=frozenset((quantity.header, LATENCY.header)),
        rows=[
            (
                task,
                quantities.place(record),
                quantity.shown(record),
                LATENCY.shown(record),
                _marks(record),
            )
            for task, record in pairs
        ],
    )


def _series(record: Record) -> str:
    return (
        quantities.place(record)
        if record.engine.name == "native"
        else f"{quantities.place(record)} {record.engine.name}"
    )


def _us(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else significant(value)
