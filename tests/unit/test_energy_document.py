"""docs/energy.md: its Python runs, its formats and options are those that there are, its numbers those of the code."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

import energy_example as example
from tinympy.energy import align, integrate, marks, preamble
from tinympy.energy.importers import _IMPORTERS, otii, ppk2_values, source
from tinympy.energy.uncertainty import repeatability

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/energy.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    board = example.windows([1.0, 1.1])
    trace = example.trace(board, rate_hz=1e3)
    rows = (f"{t * 1e3:.2f},{i * 1e6:.3f},{bit}0000000" for t, i, bit in zip(trace.t, trace.i, trace.bits, strict=True))
    (tmp_path / "run.csv").write_text("\n".join(["Timestamp(ms),Current(uA),D0-D7", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    exec(code, {})
    printed = capsys.readouterr().out
    assert float(printed.split()[0]) == pytest.approx(1.05 * example.ACTIVE_A * example.VOLTS / 100, rel=2e-3)
    assert printed.endswith("() ()\n")


def test_formats_and_options_are_listed() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| .* \| (.*) ?\|$", DOCUMENT.split("## Files")[1], re.MULTILINE)
    listed = {kind: set(re.findall(r"`(\w+)`", options)) for kind, options in rows}
    common = {field.name for field in dataclasses.fields(source.Options)}
    there = {
        kind: {field.name for field in dataclasses.fields(importer.Options)} - common
        for kind, importer in _IMPORTERS.items()
    }
    assert listed == there
    assert common == set(re.findall(r"`(\w+)`", DOCUMENT.split("Each format has ")[1].split("\n")[0]))


def test_modules_that_are_listed_exist() -> None:
    rows = re.findall(r"^\| (`.*) \| .* \|$", DOCUMENT.split("```")[0], re.MULTILINE)
    names = re.findall(r"`([\w/]+)`", " ".join(rows))
    assert len(names) >= 9
    for name in names:
        path = ROOT / "host/tinympy/energy" / name
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


def test_numbers_are_those_of_the_code() -> None:
    assert f"Levels shorter than {marks.MIN_HOLD_S * 1e6:.0f} µs" in DOCUMENT
    assert f"a drift above {align.MAX_DRIFT * 1e6:.0f} ppm" in DOCUMENT
    assert f"by more than {align.SLACK_S * 1e3:.0f} ms" in DOCUMENT
    assert f"Below {integrate.FULL_COVERAGE:.1%}".replace("%", " %") in DOCUMENT
    assert f"below {integrate.MIN_COVERAGE:.0%}".replace("%", " %") in DOCUMENT
    words = ["busy" if busy else "asleep" for busy in preamble.BARKER_7]
    assert f"seven slots of {preamble.SLOT_S * 1e3:.0f} ms, {', '.join(words)}" in DOCUMENT
    half = repeatability(list(np.arange(5.0))).half_width
    assert f"*q*(5) = {half / np.sqrt(2.5) * np.sqrt(5):.3f}" in DOCUMENT
    assert f"| {ppk2_values.OFFSET_A * 1e6:.1f} µA |" in DOCUMENT
    small, large = (ppk2_values.gain_limits(np.array([amps])) for amps in (0.049, 0.051))
    assert f"| PPK2, up to 50 mA | {small[0]:.0%} |".replace("%", " %") in DOCUMENT
    assert f"| PPK2, above | {large[0]:.0%} |".replace("%", " %") in DOCUMENT
    assert (
        f"up to {otii._LOW_RANGE_A * 1e3:.0f} mA | {otii._GAIN:.1%} | {otii._OFFSET_A * 1e9:.0f} nA |".replace(
            "%", " %"
        )
        in DOCUMENT
    )
