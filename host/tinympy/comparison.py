"""Which record is faster, by how much, and how sure that is: pure functions of records.

The uncertainty follows the Guide to the Expression of Uncertainty in Measurement (JCGM 100:2008), with a confidence of
95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinympy import statistics
from tinympy.energy import uncertainty
from tinympy.energy.trace import MeterSpec
from tinympy.errors import InvalidResultError, UsageError
from tinympy.records import Energy, Record


@dataclass(frozen=True)
class Ratio:
    """How many times faster one record is than another; `uncertainty` is None where windows are too few to tell."""

    value: float
    uncertainty: float | None

    @property
    def decided(self) -> bool:
        """Whether 1, which is no difference, lies outside of value ± uncertainty."""
        return self.uncertainty is not None and abs(self.value - 1) > self.uncertainty


@dataclass(frozen=True)
class Entry:
    """A record in a comparison: what tells it from the others, its latency, and how many times the fastest is faster.

    `ratio` is None for the fastest itself.
    """

    name: str
    record: Record
    latency: statistics.Latency
    ratio: Ratio | None


def compare(records: Sequence[Record]) -> list[Entry]:
    """The records from the fastest to the slowest, by the median of their windows.

    Raises:
        UsageError: fewer than two, or they must not be ranked beside each other.
        InvalidResultError: a record is not valid, or has no window.
    """
    if len(records) < 2:
        raise UsageError("one record cannot be compared", "name two records or more")
    names = labels(records)
    _refuse_unlike(records, names)
    latencies = [_latency(record, name) for record, name in zip(records, names, strict=True)]
    order = sorted(range(len(records)), key=lambda index: latencies[index].median)
    fastest = latencies[order[0]]
    return [
        Entry(
            names[index],
            records[index],
            latencies[index],
            None if rank == 0 else ratio(latencies[index], fastest),
        )
        for rank, index in enumerate(order)
    ]


def ratio(slower: statistics.Latency, faster: statistics.Latency) -> Ratio:
    """slower / faster, of the medians of the windows, with the propagated uncertainty.

    Each median has a 95 % interval, made as that of energies is (`uncertainty.repeatability`). For a quotient the
    relative ones add in quadrature (JCGM 100:2008, 5.1.6, equation 12). That holds the truth in at least 95 % of cases:
    95 % where one record scatters much more, 97 % with five windows each that scatter alike, 99 % with two.
    """
    value = slower.median / faster.median
    found = [uncertainty.repeatability(each.windows) for each in (slower, faster)]
    relative = [each.relative for each in found if each is not None and each.relative is not None]
    return Ratio(value, math.hypot(*relative) * value if len(relative) == len(found) else None)


@dataclass(frozen=True)
class EnergyRatio:
    """How many times the energy of an inference of one record is that of another.

    decided -- whether they differ; None where too little is known to say. reason -- what decides that
    """

    value: float
    decided: bool | None
    reason: str


def energy_ratio(one: Record, other: Record) -> EnergyRatio | None:
    """one / other; None where one of them was not measured, or at another rail: what a regulator takes is between them.

    The same meter in the same ranges is wrong by the same factor both times: chance alone decides then.
    """
    if one.energy is None or other.energy is None or one.energy.meter.rail != other.energy.meter.rail:
        return None
    energies = [statistics.energy_uj(record) for record in (one, other)]
    first, second = energies
    assert first is not None and second is not None
    specs, shares = zip(*(_spec(each.energy) for each in (one, other) if each.energy), strict=True)
    cancelling = uncertainty.same_meter(*specs, *shares)
    decided = uncertainty.differ(
        first,
        second,
        (statistics.energy_repeatability(one), statistics.energy_repeatability(other)),
        (one.energy.limit, other.energy.limit),
        cancelling,
    )
    return EnergyRatio(first / second, decided, cancelling.reason)


def _spec(energy: Energy) -> tuple[MeterSpec, list[float]]:
    """What a record says of its meter, and which of its ranges were used."""
    meter, ranges = energy.meter, energy.ranges
    shares = [float(number in ranges) for number in range(max(ranges, default=-1) + 1)]
    several = (0.0, 0.0) if ranges else ()
    return MeterSpec(meter.name, meter.serial, gain_limits=several, voltage_basis=meter.voltage_basis), shares


def labels(records: Sequence[Record]) -> list[str]:
    """A name for each record, as short as tells them apart: board, engine, port, file or number."""
    boards = [record.board.name for record in records]
    engines = [f"{record.board.name} ({record.engine.name})" for record in records]
    ports = [f"{record.board.name} on {record.board.port}" for record in records if record.parallel > 1]
    for names in (boards, engines, ports):
        if len(set(names)) == len(records):
            return names
    files = [record.path.stem if record.path else "" for record in records]
    if len(set(files)) == len(files):
        return files
    return [f"{board} #{index + 1}" for index, board in enumerate(boards)]


def _latency(record: Record, name: str) -> statistics.Latency:
    reason = statistics.invalid_reason(record)
    if reason is not None:
        raise InvalidResultError(
            f"{name} is not valid: {reason}", "compare valid records, or run `tinympy bench` again"
        )
    latency = statistics.latency_ms(record)
    if latency is None:
        raise InvalidResultError(
            f"{name} has no timed window: its mode is {record.mode}", "run `tinympy bench --mode performance`"
        )
    return latency


def _timed_mode(record: Record) -> str:
    """`all` is an accuracy and a performance run: its windows are those of `performance`."""
    return "performance" if record.mode == "all" else record.mode


def _weights(record: Record) -> str:
    return "generated" if record.model.weights == "generated" else "the model's own"


def _reused(record: Record) -> str:
    return "overwritten" if record.program is not None and record.program.input_reused else "kept"


# What must be the same in all records, in words, and why a difference forbids the comparison.
_ALIKE: tuple[tuple[str, Callable[[Record], str], str], ...] = (
    ("task", lambda record: record.task.name, "compare records of one task"),
    (
        "kind of board",
        lambda record: "emulated" if record.board.emulated else "real",
        "an emulator's clock counts cycles, not time: rank emulated boards beside emulated ones only",
    ),
    ("weights", _weights, "a model with generated weights is compared with the same one only: bench --weights"),
    ("model", lambda record: record.model.sha256[:12], "another model is other work: compare records of one model"),
    ("mode", _timed_mode, "records of one mode have windows of the same kind: bench --mode"),
    ("input", _reused, "an inference on what the one before left is other work: bench with or without --reuse-input"),
)


def _refuse_unlike(records: Sequence[Record], names: Sequence[str]) -> None:
    for what, read, hint in _ALIKE:
        values = [read(record) for record in records]
        for value, name in zip(values, names, strict=True):
            if value != values[0]:
                message = f"{names[0]} and {name} cannot be ranked: {what} {values[0]} and {value}"
                raise UsageError(message, hint)
