"""The table that `tinympy bench` prints: one row per record, then what holds for all of them, said once."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy import statistics
from tinympy.records import Board, Record
from tinympy.report.quantities import latency_range, significant

UNVERIFIED = statistics.LABEL

_NONE = Text("–", style="dim")
_ROOMY_COLUMNS = 100
_WIDEST = 1000
_MOST_NAMES = 3
_FIGURE = re.compile(r"\d+(?:\.\d+)?")

_COARSE_US = 10
"""Of clocks whose steps are shorter, they are not worth a word."""


def render(records: Sequence[Record], console: Console) -> None:
    """Prints the table and the notes below it; nothing for no records. Made for 80 columns and more."""
    if not records:
        return
    table = _table(records, 2 if console.width >= _ROOMY_COLUMNS else 0)
    needed = console.measure(table, options=console.options.update(max_width=_WIDEST)).maximum
    if needed > console.width:
        # A figure is never cut to fit: on a terminal that is too narrow the lines run over its edge.
        table.width = needed
    console.print(table, crop=False)
    console.print()
    console.print(_notes(records))


def text(records: Sequence[Record]) -> str:
    """The same for a file: in 120 columns, without colours."""
    console = Console(file=io.StringIO(), width=120, color_system=None)
    render(records, console)
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def _table(records: Sequence[Record], gap: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0), collapse_padding=True)
    for header in ("task", "board\nengine", "accuracy"):
        table.add_column(header, no_wrap=True)
    for header in ("latency\nms", "inf/s", "arena\nkB", "program\nkB", "module\nkB", "heap\nkB"):
        table.add_column(header, justify="right", no_wrap=True)
    for record in records:
        table.add_row(*_row(record, records))
    return table


def _row(record: Record, records: Sequence[Record]) -> list[Text]:
    memory, throughput_ips = record.memory, statistics.throughput_ips(record)
    sizes = (memory.arena_bytes, memory.program_bytes, memory.module_bytes, memory.heap_free_bytes)
    invalid = statistics.invalid_reason(record) is not None
    emulated = [("emulated", "yellow")] if record.board.emulated else []
    own = [("own model", "yellow")] if record.model.weights == "own" else []
    return [
        _lines((record.task.name, "bold"), *own, *([("invalid", "bold red")] if invalid else [])),
        _lines((_board(record, records), ""), (record.engine.name, "dim"), *emulated),
        _accuracy(record),
        _latency(record, emulated),
        _NONE if throughput_ips is None else Text(significant(throughput_ips)),
        *(_NONE if size is None else Text(f"{size / 1000:.1f}") for size in sizes),
    ]


def _accuracy(record: Record) -> Text:
    accuracy = record.accuracy
    if accuracy is None:
        return _lines(("–", "dim"), ("generated", "yellow")) if record.model.weights == "generated" else _NONE
    names = {"top1": "top-1", "auc": "AUC", "mean_score": "score", "detections": "words"}
    name = names.get(accuracy.metric, accuracy.metric)
    value = statistics.figure(accuracy.metric, accuracy.value)
    return _lines((value, "bold"), (f"{name} n {accuracy.n}", "dim"))


def _latency(record: Record, emulated: list[tuple[str, str]]) -> Text:
    latency = statistics.latency_ms(record)
    if latency is None:
        return _NONE
    return _lines((significant(latency.median), "bold"), (latency_range(record), "dim"), *emulated)


def _lines(*lines: tuple[str, str]) -> Text:
    return Text("\n").join(Text(text, style=style) for text, style in lines)


def _notes(records: Sequence[Record]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, text, style in _facts(records):
        table.add_row(key, Text(text, style=style))
    return table


def _facts(records: Sequence[Record]) -> Iterable[tuple[str, str, str]]:
    """Key, text and style of each line below the table."""
    counts = sorted({len(record.windows) for record in records if record.windows})
    windows = f"; latency: median and range of {' or '.join(map(str, counts))} windows" if counts else ""
    yield "units", f"kB = 1000 bytes; heap: left free{windows}", "dim"
    for text in _boards(records):
        yield "board", text, ""
    for text in _once(f"{r.host.platform}, Python {r.host.python}, {r.host.cpu}" for r in records):
        yield "host", text, ""
    for text in _grouped(records, _own):
        yield "model", text, ""
    for text in _grouped(records, _flash):
        yield "weights", text, ""
    for text in _grouped(records, _rate):
        yield "rate", text, ""
    for text in _grouped(records, _cycles):
        yield "cycles", text, ""
    for text in _grouped(records, _unplugged):
        yield "run", text, ""
    for text in _grouped(records, _energy):
        yield "energy", text, ""
    for text in _grouped(records, _detail):
        yield "detail", text, ""
    for text in _grouped(records, lambda record: [str(notice) for notice in statistics.warnings(record)]):
        yield "note", text, "yellow"
    for text in _grouped(records, lambda record: [reason] if (reason := statistics.invalid_reason(record)) else []):
        yield "invalid", text, "bold red"
    official = _once(record.task.name for record in records if record.task.official)
    if official:
        yield "label", f"{', '.join(official)}: {UNVERIFIED}", ""
    for record in records:
        if record.path is not None:
            yield "record", str(record.path), ""


def _own(record: Record) -> list[str]:
    model = record.model
    if model.weights != "own":
        return []
    made = f", {model.quantisation.method}" if model.quantisation else ""
    return [f"sha256 {model.sha256[:12]}{made}"]


def _cycles(record: Record) -> list[str]:
    cycles, macs = statistics.cycles(record), record.model.macs
    if cycles is None:
        return []
    each = f", {cycles / macs:.2f} a MAC ({macs} MACs)" if macs else ""
    return [f"{cycles / 1e6:.4g} million an inference{each}{', emulated' if record.board.emulated else ''}"]


def _energy(record: Record) -> list[str]:
    """Gross energy with its two uncertainties, which are never merged, and what it is of."""
    energy, gross_uj = record.energy, statistics.energy_uj(record)
    if energy is None or gross_uj is None:
        return []
    chance, meter = statistics.energy_repeatability(record), energy.meter
    figures = [f"{significant(gross_uj)} µJ/inference"]
    if chance is not None and chance.relative is not None:
        figures.append(f"±{100 * chance.relative:.2g} % repeatability (95 %, n={chance.n})")
    figures.append("meter's limit not known" if energy.limit is None else f"±{100 * energy.limit:.3g} % meter (limit)")
    net_uj, power_mw = statistics.net_uj(record), statistics.power_mw(record)
    rail = f"{meter.rail} rail, " if meter.rail else ""
    volts = "" if meter.voltage_v is None else f"{meter.voltage_v:.2f} V {meter.voltage_basis}, "
    name = f"{'emulated ' if meter.emulated else ''}{meter.name}"
    net = "" if net_uj is None else f"; net of idling {significant(net_uj)} µJ"
    power = "" if power_mw is None else f", {significant(power_mw)} mW"
    return [f"{', '.join(figures)}, gross, {rail}{volts}{name}{power}{net}"]


def _unplugged(record: Record) -> list[str]:
    ran = record.options is not None and record.options.unplugged
    return ["ran from its own main.py, on stored inputs, with no computer on its line"] if ran else []


def _flash(record: Record) -> list[str]:
    in_flash = record.memory.flash_bytes
    return [f"{in_flash / 1000:.1f} kB of the program stay in flash"] if in_flash else []


def _rate(record: Record) -> list[str]:
    accuracy = record.accuracy
    if accuracy is None:
        return []
    rate = f"{significant(accuracy.samples_per_s)} samples/s in {accuracy.wall_s:.2f} s"
    return [f"{rate}, with deployment and transfer"]


def _detail(record: Record) -> list[str]:
    if record.accuracy is None or not record.accuracy.detail:
        return []
    return [", ".join(f"{name.replace('_', ' ')} {n}" for name, n in record.accuracy.detail.items())]


def _boards(records: Sequence[Record]) -> list[str]:
    """A line for each kind of board, with all its ports."""
    ports: dict[str, list[str]] = {}
    for record in records:
        ports.setdefault(board_line(replace(record.board, port="{}")), []).append(record.board.port)
    return [line.replace("{}", ", ".join(dict.fromkeys(those)), 1) for line, those in ports.items()]


def board_line(board: Board | None) -> str:
    """What a board is and where, its firmware, its processor's clock, and the steps of a coarse clock for times."""
    if board is None:
        return "none: computed on this computer"
    clock = "" if board.clock_hz is None else f", {board.clock_hz / 1e6:g} MHz"
    if board.ticks_step_us is not None and board.ticks_step_us >= _COARSE_US:
        clock += f", times in steps of {board.ticks_step_us} us"
    emulated = ", emulated" if board.emulated else ""
    return f"{board.name} on {board.port}: {board.firmware} ({board.arch}, mpy {board.mpy}{clock}{emulated})"


def _board(record: Record, records: Sequence[Record]) -> str:
    """The board, with its port where there are several of the kind."""
    name = record.board.name
    ports = {each.board.port for each in records if name == each.board.name and each.parallel > 1}
    return f"{name} {record.board.port.removeprefix('/dev/')}" if len(ports) > 1 else name


def _name(record: Record, records: Sequence[Record]) -> str:
    """The task, with board and engine only where they tell records apart."""
    boards = len({_board(each, records) for each in records}) > 1
    engines = len({each.engine.name for each in records}) > 1
    board = f" on {_board(record, records)}" if boards else ""
    model = f" with {record.model.file}" if record.model.weights == "own" else ""
    return f"{record.task.name}{model}{board}{f' ({record.engine.name})' if engines else ''}"


def _grouped(records: Sequence[Record], texts: Callable[[Record], Sequence[str]]) -> list[str]:
    """Each text once, after the names of all records that have it.

    Of boards measured together, texts that differ in their figures only are one, with the range of each figure.
    """
    together = any(each.parallel > 1 for each in records)
    alike: dict[str, list[tuple[str, Record]]] = {}
    for record in records:
        for text in texts(record):
            alike.setdefault(_FIGURE.sub("#", text) if together else text, []).append((text, record))
    return [f"{_names(those, records)}: {_ranged([text for text, _ in those])}" for those in alike.values()]


def _names(those: Sequence[tuple[str, Record]], records: Sequence[Record]) -> str:
    found = _once(_name(record, records) for _, record in those)
    of_tasks = _once(record.task.name for _, record in those)
    tasks = [each for each in records if each.task.name in of_tasks]
    if len(found) > _MOST_NAMES and len(found) == len(_once(_name(each, records) for each in tasks)):
        boards = len({_board(record, records) for _, record in those})
        return ", ".join(of_tasks) + (f" on {boards} boards" if boards > 1 else "")
    return ", ".join(found)


def _ranged(texts: Sequence[str]) -> str:
    """One text for several that have the same words."""
    columns = zip(*(_FIGURE.findall(text) for text in texts), strict=True)
    ends = [(min(column, key=float), max(column, key=float)) for column in columns]
    ranges = iter(low if low == high else f"{low}…{high}" for low, high in ends)
    return _FIGURE.sub(lambda _: next(ranges), texts[0])


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
