"""The figures of HTML reports: drawn by matplotlib as SVG that takes its colours and its font from the page.

Every figure is 360 units wide, which is a phone's screen, with text to be read there; pages enlarge it on wider ones.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 360.0
# Colours that no page has: each is replaced by the style sheet's variable.
_INK, _MUTED, _RULE, _ACCENT, _PAPER = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04", "#0a0b05"
_SECOND, _THIRD = "#0a0b06", "#0a0b07"
_VARIABLES = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _RULE: "var(--rule)",
    _ACCENT: "var(--accent)",
    _PAPER: "var(--paper)",
    _SECOND: "var(--second)",
    _THIRD: "var(--third)",
}
_TEXT, _SMALL = 12.0, 11.0
_LOG_FROM = 8.0
_NEAR = 30.0
# Characters that there is room for.
_SERIES, _ROW = 16, 44
# So that the recordings of two hundred runs make no page too large.
_POWER_STEPS = 200
# Stands between a text and its note, which gets a colour of its own.
_NOTE = "\u00a0\u2009"


@dataclass(frozen=True)
class Value:
    """One row of a figure: a name, what is to be known about it, the figure as text, and where it lies.

    `low` and `high` are its range; a row of an emulated board is drawn hollow, apart from the others.
    """

    name: str
    note: str
    text: str
    value: float
    low: float
    high: float
    emulated: bool


@dataclass(frozen=True)
class Stack:
    """One row of a figure of sizes: a name, what is to be known about it, the whole as text, and its parts."""

    name: str
    note: str
    text: str
    parts: tuple[float, ...]


@dataclass(frozen=True)
class Point:
    """One mark of a figure of two quantities; those of one series are joined, with the series' name at the right."""

    series: str
    name: str
    x: float
    y: float
    emulated: bool


@dataclass(frozen=True)
class Recording:
    """Mean, lowest and highest watts of equal steps, None where there are none; begin and end of each window, s."""

    step_s: float
    mean_w: Sequence[float | None]
    low_w: Sequence[float | None]
    high_w: Sequence[float | None]
    windows: Sequence[Sequence[float]]


def available() -> bool:
    """Whether figures can be drawn: matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def values(rows: Sequence[Value], unit: str) -> str:
    """A line for each row with its name, its text, and a mark on an axis that all share."""
    step, head = 36.0, 6.0
    emulated = [row.emulated for row in rows]
    gap = 24.0 if any(emulated) else 0.0
    height = head + step * len(rows) + gap + 40.0
    figure, axes = _axes(height, left=6.0, right=6.0, top=head, bottom=40.0)
    drawn = height - head - 40.0
    axes.set_ylim(drawn, 0)
    _scale(axes, "x", [limit for row in rows for limit in (row.low, row.high)])
    for index, row in enumerate(rows):
        shift = gap if row.emulated else 0.0
        y = index * step + shift + 26.0
        if row.emulated and not any(emulated[:index]):
            _say(axes, y - 34.0, "emulated: not to be ranked with the others", _MUTED)
        _row(axes, y - 10.0, row.name, row.note, row.text)
        axes.axhline(y, color=_RULE, linewidth=1, zorder=1)
        axes.plot([row.low, row.high], [y, y], color=_SECOND, linewidth=4, solid_capstyle="round", zorder=2)
        _mark(axes, row.value, y, "o", row.emulated)
    axes.set_xlabel(unit, fontsize=_SMALL, color=_MUTED, labelpad=3)
    return _svg(figure)


def stacks(rows: Sequence[Stack], names: Sequence[str], unit: str) -> str:
    """A bar for each row, its parts in the order of `names`, which are explained above."""
    step, head = 36.0, 28.0
    height = head + step * len(rows) + 40.0
    figure, axes = _axes(height, left=6.0, right=6.0, top=head, bottom=40.0)
    axes.set_ylim(height - head - 40.0, 0)
    axes.set_xlim(0, 1.05 * max(sum(row.parts) for row in rows) or 1)
    # The last part is hollow: it takes none of what the others are parts of.
    shades = [(_ACCENT, _PAPER), (_SECOND, _PAPER), (_THIRD, _PAPER), (_PAPER, _MUTED)]
    for index, row in enumerate(rows):
        y = index * step + 26.0
        _row(axes, y - 10.0, row.name, row.note, row.text)
        begin = 0.0
        for part, (colour, edge) in zip(row.parts, shades, strict=True):
            if part:
                axes.barh(y, part, 7.0, left=begin, color=colour, edgecolor=edge, linewidth=0.8)
                begin += part
    x = 10.0
    for name, (colour, edge) in zip(names, shades, strict=False):
        look: dict[str, Any] = {"transform": figure.transFigure, "clip_on": False, "markersize": 9, "color": colour}
        axes.plot([x / WIDTH], [1 - 10 / height], "s", markeredgecolor=edge, markeredgewidth=0.8, **look)
        _write(figure, x + 8, height - 14, height, name, _MUTED)
        x += 24.0 + 6.2 * len(name)
    axes.set_xlabel(unit, fontsize=_SMALL, color=_MUTED, labelpad=3)
    axes.xaxis.set_major_locator(_locator())
    return _svg(figure)


def trade_off(points: Sequence[Point], x_title: str, y_title: str) -> str:
    """Both axes from better (left, below) to worse; a mark for each point, a line for each series."""
    height = 380.0
    longest = max(len(_cut(point.series, _SERIES)) for point in points)
    edge = WIDTH - 22.0 - 6.4 * longest
    figure, axes = _axes(height, left=46.0, right=WIDTH - edge + 14.0, top=24.0, bottom=40.0)
    xs, ys = [point.x for point in points], [point.y for point in points]
    _scale(axes, "x", xs)
    _scale(axes, "y", ys)
    axes.spines["left"].set_visible(True)
    axes.spines["left"].set_color(_RULE)
    axes.grid(color=_RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    series: dict[str, list[Point]] = {}
    for point in points:
        series.setdefault(point.series, []).append(point)
    markers = "os^DvP*Xd<>p"
    ends = []
    for index, (name, those) in enumerate(sorted(series.items())):
        those.sort(key=lambda point: (point.x, point.y))
        style = (0, (2, 2)) if those[0].emulated else "-"
        line: dict[str, Any] = {"color": _ACCENT, "alpha": 0.3, "linewidth": 0.9, "linestyle": style}
        axes.plot([point.x for point in those], [point.y for point in those], zorder=2, **line)
        for point in those:
            _mark(axes, point.x, point.y, markers[index % len(markers)], point.emulated)
        ends.append((name, those[-1], markers[index % len(markers)]))
    _series_names(figure, axes, ends, edge, height)
    _point_names(figure, axes, points, height)
    axes.set_xlabel(x_title, fontsize=_SMALL, color=_MUTED, labelpad=3)
    _write(figure, 6, height - 12, height, y_title, _MUTED)
    return _svg(figure)


def layers(rows: Sequence[Value], unit: str) -> str:
    """A bar for each layer from zero on, in the order in which they run."""
    step, head = 30.0, 4.0
    height = head + step * len(rows) + 40.0
    figure, axes = _axes(height, left=6.0, right=6.0, top=head, bottom=40.0)
    axes.set_ylim(height - head - 40.0, 0)
    axes.set_xlim(0, 1.05 * max(row.high for row in rows) or 1)
    for index, row in enumerate(rows):
        y = index * step + 22.0
        _row(axes, y - 8.0, row.name, row.note, row.text)
        axes.barh(y, row.value, 6.0, color=_ACCENT, linewidth=0)
        axes.plot([row.low, row.high], [y, y], color=_INK, linewidth=1, alpha=0.6)
    axes.set_xlabel(unit, fontsize=_SMALL, color=_MUTED, labelpad=3)
    axes.xaxis.set_major_locator(_locator())
    return _svg(figure)


def power(found: Recording) -> str:
    """Power over time: its mean in a range from lowest to highest, and the windows shaded."""
    height = 200.0
    figure, axes = _axes(height, left=44.0, right=10.0, top=28.0, bottom=40.0)
    together = -(-len(found.mean_w) // _POWER_STEPS)
    steps = range(0, len(found.mean_w), together)
    t = [step * found.step_s for step in steps]
    mean, low, high = (
        [_over(function, values[step : step + together]) for step in steps]
        for function, values in ((fmean, found.mean_w), (min, found.low_w), (max, found.high_w))
    )
    for begin, end in found.windows:
        axes.axvspan(begin, end, color=_RULE, linewidth=0, zorder=0)
    axes.fill_between(t, low, high, color=_SECOND, linewidth=0, step="post", zorder=1)
    axes.plot(t, mean, color=_ACCENT, linewidth=1.2, drawstyle="steps-post", zorder=2)
    axes.set_xlim(0, t[-1] + together * found.step_s)
    _scale(axes, "y", [0.0, *(value for value in high if not math.isnan(value))])
    axes.set_xlabel("s", fontsize=_SMALL, color=_MUTED, labelpad=3)
    axes.xaxis.set_major_locator(_locator())
    _write(figure, 6, height - 14, height, "power, mW; windows shaded", _MUTED)
    return _svg(figure)


def _over(function: Callable[[list[float]], float], values: Sequence[float | None]) -> float:
    """Of those that there are, in milliwatts; NaN where there is none."""
    there = [1000 * value for value in values if value is not None]
    return function(there) if there else math.nan


def _axes(height: float, left: float, right: float, top: float, bottom: float) -> tuple[Figure, Axes]:
    """A figure of one plot with margins in units, and only a bottom line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    figure.patch.set_visible(False)
    axes = figure.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    )
    axes.patch.set_visible(False)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(_RULE)
    if left <= 6.0:
        axes.set_yticks([])
    axes.tick_params(colors=_MUTED, labelsize=_SMALL, length=3, width=0.8, color=_RULE)
    return figure, axes


def _scale(axes: Axes, which: str, found: Sequence[float]) -> None:
    """Logarithmic where values differ much, else from zero on; ticks as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = min(found), max(found)
    axis = getattr(axes, f"{which}axis")
    if low > 0 and high / low >= _LOG_FROM:
        getattr(axes, f"set_{which}scale")("log")
        room = (high / low) ** 0.06
        getattr(axes, f"set_{which}lim")(low / room, high * room)
        wide = high / low >= 40
        axis.set_major_locator(LogLocator(10, subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=8))
        axis.set_minor_locator(NullLocator())
    else:
        getattr(axes, f"set_{which}lim")(0, 1.08 * high or 1)
        axis.set_major_locator(_locator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1e5 else f"{value:.0f}"))


def _locator() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5)


def _mark(axes: Axes, x: float, y: float, marker: str, emulated: bool) -> None:
    size = 8.0 if marker in "*PX" else 6.5
    fill = _PAPER if emulated else _ACCENT
    axes.plot([x], [y], marker, markersize=size, color=_ACCENT, markerfacecolor=fill, markeredgewidth=1.4, zorder=3)


def _row(axes: Axes, y: float, name: str, note: str, text: str) -> None:
    """The line above a mark or a bar: a name and a muted note at the left, the figure at the right."""
    room = _ROW - len(text)
    shown = f"{_cut(name, room - len(note) - 1)}{_NOTE}{note}" if note else _cut(name, room)
    _say(axes, y, shown, _INK)
    _say(axes, y, text, _INK, "right")


def _say(axes: Axes, y: float, text: str, colour: str, align: str = "left") -> None:
    """Text at an edge of the axes and a height in their units; a figure, at the right, is bold."""
    from matplotlib.transforms import blended_transform_factory

    place = blended_transform_factory(axes.transAxes, axes.transData)
    look: dict[str, Any] = {"ha": align, "va": "baseline", "fontsize": _TEXT, "color": colour, "parse_math": False}
    weight = "bold" if align == "right" else "normal"
    axes.text(float(align == "right"), y, text, transform=place, weight=weight, **look)


def _series_names(figure: Figure, axes: Axes, ends: list[tuple[str, Point, str]], edge: float, height: float) -> None:
    """The names of the series to the right of `edge`, in the order of their last points, none over another."""
    placed = sorted(
        ((float(axes.transData.transform((point.x, point.y))[1]), name, point, marker) for name, point, marker in ends),
        key=lambda place: place[:2],
    )
    heights = _apart([place[0] for place in placed], 15.0, 46.0, height - 26.0)
    for y, (_, name, point, marker) in zip(heights, placed, strict=True):
        x = (edge + 6) / WIDTH
        fill = _PAPER if point.emulated else _ACCENT
        look: dict[str, Any] = {"markersize": 6, "color": _ACCENT, "markerfacecolor": fill, "markeredgewidth": 1.2}
        axes.plot([x], [y / height], marker, transform=figure.transFigure, clip_on=False, **look)
        _write(figure, edge + 14, y - 4, height, _cut(name, _SERIES), _INK)


def _cut(text: str, room: int) -> str:
    """The text, or its beginning with an ellipsis; the table behind a figure has it whole."""
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _apart(wanted: Sequence[float], step: float, bottom: float, top: float) -> list[float]:
    """Rising positions near the wanted ones, at least a step apart, between bottom and top as far as there is room."""
    found: list[float] = []
    for each in wanted:
        found.append(max(each, found[-1] + step if found else bottom))
    limit = max(top, bottom + step * (len(found) - 1))
    for index in reversed(range(len(found))):
        found[index] = min(found[index], limit)
        limit = found[index] - step
    return found


def _point_names(figure: Figure, axes: Axes, points: Sequence[Point], height: float) -> None:
    """The names of points, once for those of a name that lie together: above the highest of them.

    Each stands a little above its mark, higher where it would cover another.
    """
    groups: list[list[tuple[float, float, Point]]] = []
    for point in sorted(points, key=lambda point: (point.name, point.x, point.y)):
        x, y = map(float, axes.transData.transform((point.x, point.y)))
        near = (
            group
            for group in groups
            if group[0][2].name == point.name
            and any(abs(x - other_x) < _NEAR and abs(y - other_y) < 3 * _NEAR for other_x, other_y, _ in group)
        )
        group = next(near, None)
        if group is None:
            groups.append([(x, y, point)])
        else:
            group.append((x, y, point))
    highest = [max(group, key=lambda mark: mark[1]) for group in groups]
    taken: list[tuple[float, float, float]] = []
    for x, top, point in sorted(highest, key=lambda mark: mark[:2]):
        name = point.name
        half, y = 3.6 * len(name), top + 9
        while any(abs(x - other) < half + others and abs(y - level) < 13 for other, others, level in taken):
            y += 13
        taken.append((x, half, y))
        _write(figure, x, y, height, name, _INK, "center")


def _write(figure: Figure, x: float, y: float, height: float, text: str, colour: str, align: str = "left") -> None:
    """Small text at a position in units from the lower left corner."""
    place: dict[str, Any] = {"ha": align, "va": "baseline", "parse_math": False}
    figure.text(x / WIDTH, y / height, text, color=colour, fontsize=_SMALL, **place)


def _svg(figure: Figure) -> str:
    """The figure as an <svg> element for HTML: no size, no names, the page's colours and font."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tinympy"}):
        figure.savefig(text, format="svg", dpi=72, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    box = f'class="figure" viewBox="0 0 {WIDTH:g} {72 * figure.get_figheight():g}" aria-hidden="true"'
    svg = re.sub(r"<svg[^>]*>", f"<svg {box}>", svg, count=1)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r"; font-family: [^;\"]*", "", svg)
    svg = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", svg)
    svg = re.sub(rf"{_NOTE}([^<]*)</text>", r' <tspan class="note">\1</tspan></text>', svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", tag[0]), svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return re.sub(r"\s*\n\s*", " ", svg).strip()
