"""The bar chart of `tinympy profile`: a picture with one bar for each layer."""

from __future__ import annotations

from pathlib import Path

from tinympy.errors import UsageError
from tinympy.profiling import Profile
from tinympy.report.profile import shape
from tinympy.subject import Subject

_SUFFIXES = (".svg", ".png")
_WIDTH_INCHES = 9.0
_BAR_INCHES = 0.27
_MARGIN_INCHES = 1.6


def check(file: Path) -> None:
    """UsageError when no chart can be written to `file`: to be asked before anything is measured."""
    if file.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"no chart can be written to {file}", f"the name ends in {' or '.join(_SUFFIXES)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError("charts need matplotlib, which is not installed", "pip install 'tinympy[charts]'") from error


def write(subject: Subject, result: Profile, file: Path) -> None:
    """Draw the profile into `file`, an SVG or PNG picture by its name. UsageError when that cannot be done."""
    check(file)
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(layer.name for layer in result.layers))
    colours = {name: colormaps["tab10"](index % 10) for index, name in enumerate(names)}
    height_inches = _MARGIN_INCHES + _BAR_INCHES * len(result.layers)
    figure = Figure(figsize=(_WIDTH_INCHES, height_inches), layout="constrained")
    axes = figure.subplots()
    places = range(len(result.layers))
    bars = axes.barh(
        places,
        [layer.timing.median_us for layer in result.layers],
        color=[colours[layer.name] for layer in result.layers],
        xerr=[
            [layer.timing.median_us - min(layer.timing.windows_us) for layer in result.layers],
            [max(layer.timing.windows_us) - layer.timing.median_us for layer in result.layers],
        ],
        error_kw={"ecolor": "0.35", "elinewidth": 0.8},
    )
    axes.bar_label(bars, [f"{100 * result.share(layer):.1f} %" for layer in result.layers], padding=4, fontsize=8)
    labels = [f"{layer.operator}  {layer.name}  {shape(layer)}" for layer in result.layers]
    axes.set_yticks(places, labels, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("microseconds: median of the windows, with their range")
    caveat = "" if subject.caveat is None else f"\n{subject.caveat}"
    figure.suptitle(f"{subject.heading}: {result.whole.median_us / 1000:.3g} ms for one inference{caveat}", fontsize=11)
    try:
        figure.savefig(file, dpi=150)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", "name a file in a folder that exists") from error
