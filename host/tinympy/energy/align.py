"""Where the board's windows are on the meter's clock: its list of durations, matched to the edges of the trigger.

The windows have to fit the edges in exactly one way. What does not fit is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinympy.energy import marks
from tinympy.energy.trace import Trace
from tinympy.errors import MeterError

MAX_DRIFT = 5000e-6
"""Crystals are within 50 ppm, an RC oscillator within 0.5 %; more than this is a wrong match."""

SLACK_S = 1e-3
"""How far a window's length may be from the board's after the drift is taken out, or two samples where that is more."""

SLACK_LOST_S = 4e-3
"""The same where samples were lost: how many is known modulo a counter, the rest is told by when bytes arrived."""

_MOST_MATCHES = 1000

Method = Literal["trigger", "marks", "preamble"]


@dataclass(frozen=True)
class BoardWindow:
    """What the board says of one window.

    n -- inferences in it; for the preamble's tests and recordings without inferences, 1
    elapsed_us -- its length on the board's clock, µs
    start_us -- when it began on the board's clock, µs from any origin (the same one for all); None: not known
    """

    n: int
    elapsed_us: float
    start_us: float | None = None


@dataclass(frozen=True)
class Alignment:
    """The windows on the meter's clock.

    spans -- s: begin and end of each
    drift -- the meter's second is so much longer than the board's: its clock shows (1 + drift) times the board's time
    residual_s -- the largest difference of a window's length from (1 + drift) times the board's
    edge_s -- how far an end may be from where it is put
    method -- trigger: edges matched to the board's list; marks: edges alone; preamble: by the current's shape
    lengths_s -- how long the windows were, where lost samples leave the length of their spans in doubt; else None
    """

    spans: tuple[tuple[float, float], ...]
    drift: float
    residual_s: float
    edge_s: float
    method: Method
    notes: tuple[str, ...] = ()
    lengths_s: tuple[float, ...] | None = None


def by_trigger(trace: Trace, windows: Sequence[BoardWindow], trigger: int | None = 0) -> Alignment:
    """Matches the board's windows, in their order, to edges of the trigger.

    Raises:
        MeterError: no edges, too few, or the windows fit them nowhere, or in more than one way.
    """
    found = marks.find(trace, trigger)
    _enough(found, len(windows), trace, trigger)
    slack = max(SLACK_S, 2 * marks.sample_period(trace))
    lost = not np.isfinite(trace.i).all()
    if lost:
        slack = max(slack, SLACK_LOST_S)
    matches = _distinct(list(_matches(found, windows, slack)), found, slack)
    if len(matches) > 1:
        raise MeterError(
            f"the board's {len(windows)} windows fit the trigger's {len(found.at)} edges in more than one way",
            "start recording before the first window, and record nothing else; or let windows have different lengths",
        )
    if not matches:
        raise MeterError(
            f"the board's windows ({_seconds([window.elapsed_us / 1e6 for window in windows])}) do not fit the "
            f"trigger, whose edges are {_seconds(list(np.diff(found.at)))} apart"
            + (f"; samples were lost, and where they were is not known to {slack * 1e3:g} ms" if lost else ""),
            "record again, with nothing else running on this computer"
            if lost
            else "check the trigger's wire and input, and that the recording is of this run",
        )
    edges = matches[0]
    spans = [(float(found.at[first]), float(found.at[last])) for first, last in edges]
    drift, residual = _fit(spans, windows)
    lengths = None
    if lost:
        drift, residual, lengths = _by_board(spans, windows)
    used = [edge for pair in edges for edge in pair]
    stray = len(found.at) - len(used)
    notes = (_stray(stray),) if stray else ()
    edge = float(found.uncertainty_s[used].max())
    return Alignment(tuple(spans), drift, residual, edge, "trigger", notes, lengths)


def by_marks(trace: Trace, count: int | None = None, trigger: int | None = 0) -> Alignment:
    """Windows between each two edges, for recordings whose board's own times are not known; the drift is not either.

    Raises:
        MeterError: fewer windows than `count`, or more.
    """
    found = marks.find(trace, trigger)
    at = [float(edge) for edge in found.at]
    if found.rising and not found.rising[0]:
        at = at[1:]
    spans = marks.in_pairs(at)
    if not spans or (count is not None and len(spans) != count):
        raise MeterError(
            f"the trigger marks {len(spans)} windows, not {count or 'any'}", "give what is known of them with the file"
        )
    left = len(found.at) - 2 * len(spans)
    notes = (_stray(left),) if left else ()
    return Alignment(tuple(spans), 0.0, 0.0, float(found.uncertainty_s.max()), "marks", notes)


def _enough(found: marks.Marks, count: int, trace: Trace, trigger: int | None) -> None:
    if not count:
        raise MeterError("the board reports no window", "there is nothing to measure")
    if len(found.at) >= 2 * count:
        return
    source = "the meter stamped" if trace.bits is None else f"logic input {trigger} of the meter has"
    raise MeterError(
        f"{source} {len(found.at)} edges, the board's {count} windows need {2 * count}",
        "check the trigger's wire, its input (trig=) and the level that the meter expects; "
        "where none is wired, trig=none lets the board play a preamble instead",
    )


def _matches(found: marks.Marks, windows: Sequence[BoardWindow], slack: float) -> Iterator[tuple[tuple[int, int], ...]]:
    """Every way to give each window a pair of edges: in order, as long as the board says, as far apart as it says.

    The whole match has one drift; up to `_MOST_MATCHES` partial ones are followed, in order.
    """
    at = found.at
    lengths = [window.elapsed_us / 1e6 for window in windows]
    candidates = []
    for length in lengths:
        near = length * MAX_DRIFT + slack
        pairs = []
        for first in range(len(at)):
            if found.rising is not None and not found.rising[first]:
                continue
            begin, end = np.searchsorted(at, (at[first] + length - near, at[first] + length + near))
            pairs += [
                (first, last) for last in range(max(begin, first + 1), end) if not (found.rising and found.rising[last])
            ]
        candidates.append(pairs)
    partial: list[tuple[tuple[int, int], ...]] = [()]
    for window in range(len(windows)):
        grown = []
        for match in partial:
            for pair in candidates[window]:
                if match and (pair[0] <= match[-1][1] or not _gap_fits(at, match[-1], pair, windows, window, slack)):
                    continue
                grown.append((*match, pair))
        partial = grown[:_MOST_MATCHES]
    for match in partial:
        spans = [(float(at[first]), float(at[last])) for first, last in match]
        drift, residual = _fit(spans, windows)
        if abs(drift) <= MAX_DRIFT and residual <= slack:
            yield match


def _gap_fits(
    at: np.ndarray,
    before: tuple[int, int],
    pair: tuple[int, int],
    windows: Sequence[BoardWindow],
    window: int,
    slack: float,
) -> bool:
    """Where the board says when windows began: whether the beginnings are as far apart on the meter's clock."""
    start, previous = windows[window].start_us, windows[window - 1].start_us
    if start is None or previous is None:
        return True
    gap = (start - previous) / 1e6
    return abs(float(at[pair[0]] - at[before[0]]) - gap) <= gap * MAX_DRIFT + slack


def _distinct(
    matches: list[tuple[tuple[int, int], ...]], found: marks.Marks, slack: float
) -> list[tuple[tuple[int, int], ...]]:
    """Matches that differ by more than bounces of the same edges; of those that do not, the first."""
    distinct: list[tuple[tuple[int, int], ...]] = []
    for match in matches:
        at = found.at[np.array(match)]
        if all(np.abs(found.at[np.array(other)] - at).max() > slack for other in distinct):
            distinct.append(match)
    return distinct


def _fit(spans: Sequence[tuple[float, float]], windows: Sequence[BoardWindow]) -> tuple[float, float]:
    """Drift by least squares, and the largest residual of a window's length, s.

    Over all edges where the board says when each window began, else over the lengths.
    """
    lengths = np.array([window.elapsed_us / 1e6 for window in windows])
    measured = np.array([end - begin for begin, end in spans])
    starts = [window.start_us for window in windows]
    if len(windows) > 1 and None not in starts:
        board = np.array([start / 1e6 for start in starts if start is not None])
        board = np.concatenate((board, board + lengths))
        meter = np.array([begin for begin, _ in spans] + [end for _, end in spans])
        board = board - board.mean()
        slope = float(board @ (meter - meter.mean()) / (board @ board))
    else:
        slope = float(lengths @ measured / (lengths @ lengths))
    return slope - 1, float(np.abs(measured - slope * lengths).max())


def _by_board(
    spans: Sequence[tuple[float, float]], windows: Sequence[BoardWindow]
) -> tuple[float, float, tuple[float, ...]]:
    """Drift, largest residual, and lengths (s) of windows of which some spans are too long or too short.

    Losses of whole turns of a meter's counter put a span's end off, and do not change which samples are in it. The
    board knows how long the windows were; its clock's drift is that of the window in the middle.
    """
    lengths = np.array([window.elapsed_us / 1e6 for window in windows])
    measured = np.array([end - begin for begin, end in spans])
    slope = float(np.median(measured / lengths))
    residual = float(np.abs(measured - slope * lengths).max())
    return slope - 1, residual, tuple(float(each) for each in slope * lengths)


def _stray(count: int) -> str:
    return f"{count} edge{'s' if count > 1 else ''} of the trigger not part of any window"


def _seconds(values: Sequence[float]) -> str:
    shown = [f"{value:.3f}" for value in values[:8]] + (["…"] if len(values) > 8 else [])
    return ", ".join(shown) + " s"
