"""The figures that reports show of a record, with their units: a quantity that is added here is in every report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinympy import statistics
from tinympy.records import Record

NONE = "–"
EMULATED_METER = "emulated meter"
GENERATED = "generated weights: no accuracy"


@dataclass(frozen=True)
class Quantity:
    """One figure of a record.

    key: its name in CSV files, with its unit. unit: what stands below the header; None where the text has it.
    value: None where not measured. text: the value for people; the best one, in columns that can be sorted, is the
    lowest unless `more_is_better`.
    """

    key: str
    title: str
    unit: str | None
    value: Callable[[Record], float | None]
    text: Callable[[float], str]
    more_is_better: bool = False

    @property
    def header(self) -> str:
        return f"{self.title}, {self.unit}" if self.unit else self.title

    def shown(self, record: Record) -> str:
        """The figure of a record, or a dash."""
        value = self.value(record)
        return NONE if value is None else self.text(value)


def significant(value: float) -> str:
    """Three significant digits of a positive value: its whole digits at least, four decimals at the most."""
    decimals = next((decimals for decimals, limit in enumerate((100, 10, 1, 0.1)) if value >= limit), 4)
    return f"{value:.{decimals}f}"


def ram_bytes(record: Record) -> int | None:
    """What of a board's RAM the model takes: arena, native module, and the part of the program that is not in flash."""
    memory = record.memory
    if memory.arena_bytes is None or memory.program_bytes is None:
        return None
    return memory.arena_bytes + memory.program_bytes - (memory.flash_bytes or 0) + (memory.module_bytes or 0)


def _kilobytes(size_bytes: float) -> str:
    return f"{size_bytes / 1000:.1f}"


def _latency_ms(record: Record) -> float | None:
    latency = statistics.latency_ms(record)
    return None if latency is None else latency.median


LATENCY = Quantity("latency_ms", "latency", "ms", _latency_ms, significant)
RAM = Quantity("ram_bytes", "RAM", "kB", ram_bytes, _kilobytes)
THROUGHPUT = Quantity(
    "throughput_ips", "throughput", "inf/s", statistics.throughput_ips, significant, more_is_better=True
)
MEMORY = (
    Quantity("arena_bytes", "arena", "kB", lambda record: record.memory.arena_bytes, _kilobytes),
    Quantity("program_bytes", "program", "kB", lambda record: record.memory.program_bytes, _kilobytes),
    Quantity("flash_bytes", "of it in flash", "kB", lambda record: record.memory.flash_bytes, _kilobytes),
    Quantity("module_bytes", "module", "kB", lambda record: record.memory.module_bytes, _kilobytes),
    Quantity(
        "heap_free_bytes",
        "heap left",
        "kB",
        lambda record: record.memory.heap_free_bytes,
        _kilobytes,
        more_is_better=True,
    ),
)

ENERGY = Quantity("energy_uj", "energy", "µJ/inf", statistics.energy_uj, significant)
NET = Quantity("net_energy_uj", "net energy", "µJ/inf", statistics.net_uj, significant)
POWER = Quantity("power_mw", "power", "mW", statistics.power_mw, significant)

# The columns of every table, in their order; one that no record has a value for is left out.
COLUMNS = (LATENCY, THROUGHPUT, ENERGY, NET, POWER, RAM, *MEMORY)

# What latency is drawn against: each one that records have.
TRADE_OFFS = (RAM, ENERGY)

# Those of them that a table of everything has room for.
LEADING = (LATENCY, THROUGHPUT, ENERGY, RAM)


def columns(records: Sequence[Record], of: Sequence[Quantity] = COLUMNS) -> list[Quantity]:
    """Those columns that at least one record has a value for; zero bytes in flash are none."""
    return [each for each in of if any(each.value(record) for record in records)]


def accuracy(record: Record) -> str:
    """The score with its metric and what it is over, or why there is none."""
    score = record.accuracy
    if score is None:
        return GENERATED if record.model.weights == "generated" else NONE
    return f"{statistics.figure(score.metric, score.value)} {metric(score.metric)}, {counted(record)}"


def counted(record: Record) -> str:
    """What a score is over: n 360, or n 5 of 360 where the data set has more."""
    score, data_set = record.accuracy, record.data_set
    if score is None:
        return "n 0"
    whole = data_set is None or score.n >= data_set.full_n
    return f"n {score.n}" if whole or data_set is None else f"n {score.n} of {data_set.full_n}"


def place(record: Record) -> str:
    """The board, with its port where several were measured at once, which may be of one kind."""
    board = record.board
    return f"{board.name} {board.port.removeprefix('/dev/')}" if record.parallel > 1 else board.name


def metric(name: str) -> str:
    """A metric as people call it."""
    return {"top1": "top-1", "auc": "AUC", "mean_score": "mean score", "detections": "words found"}.get(name, name)


def latency_range(record: Record) -> str:
    """Fastest and slowest window in milliseconds, with as many decimals as the median has."""
    latency = statistics.latency_ms(record)
    if latency is None:
        return NONE
    decimals = len(significant(latency.median).partition(".")[2])
    return f"{latency.min:.{decimals}f}…{latency.max:.{decimals}f}"


def own_model(record: Record) -> str:
    """What a model that stands in place of an official one is called."""
    return f"model {record.model.file}"


def marks(record: Record) -> list[str]:
    """What must stand beside every figure of a record, in a word or a sentence each."""
    found = []
    if record.board.emulated:
        found.append("emulated")
    if record.energy is not None and record.energy.meter.emulated:
        found.append(EMULATED_METER)
    if statistics.invalid_reason(record) is not None:
        found.append("invalid")
    if record.program is not None and record.program.input_reused:
        found.append("input reused")
    if record.model.weights == "generated":
        found.append(GENERATED)
    if record.model.weights == "own":
        found.append(own_model(record))
    return found
