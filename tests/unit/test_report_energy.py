"""Energy in reports: two uncertainties that are never merged, what it is of, and an emulated meter that says so."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from example_records import KWS01, UNIX, record
from tinympy import statistics
from tinympy.comparison import Entry, Ratio, energy_ratio
from tinympy.records import Energy, Envelope, Meter, Record, WindowEnergy
from tinympy.report import console, figures, plots
from tinympy.report.collection import chapters
from tinympy.report.comparison import energy_verdict
from tinympy.statistics import Latency

WATTS = (0.0890, 0.0891, 0.0892, 0.0891, 0.0890)


def measured(emulated: bool = False, limit: float | None = 0.134) -> Record:
    """Five windows of 1000 inferences of 2 ms at 89.1 mW: 178.2 µJ each; 33 mW between them."""
    made = record(KWS01, UNIX, latencies_us=[2000.0] * 5, window_s=2.0)
    meter = Meter("ppk2", "ppk2:/dev/ttyACM1", emulated, "C0FFEE", 100_000.0, 3.3, "set", "3v3")
    windows = [WindowEnergy(2 * watts, 2 * (watts - 0.033), watts, 1.0) for watts in WATTS]
    seen = [0.033, None, 0.0891, 0.0891, 0.033, 0.033]
    envelope = Envelope(2.0, seen, seen, seen, [[2.0 * k, 2.0 * k + 2.0] for k in range(5)])
    made.energy = Energy(meter, windows, "pin", [3], limit, 18.0, 0.033, envelope=envelope)
    return made


def printed(made: Record) -> str:
    output = io.StringIO()
    console.render([made], Console(file=output, width=200, color_system=None))
    return output.getvalue()


def drawn(made: Record) -> plots.Plot:
    [chapter] = chapters([made])
    return plots.of_chapter(chapter, [], figures.available())[-1]


def test_figures_of_a_record() -> None:
    made = measured()
    assert statistics.energy_uj(made) == pytest.approx(178.2)
    assert statistics.net_uj(made) == pytest.approx(178.2 - 66.0)
    assert statistics.power_mw(made) == pytest.approx(89.1)
    summary = json.loads(json.dumps(statistics.summary(made)))["energy"]
    assert summary["meter_limit"] == 0.134 and 0 < summary["repeatability"] < 0.01 and summary["rail"] == "3v3"


def test_net_energy_needs_every_window() -> None:
    made = measured()
    assert made.energy is not None
    made.energy.windows[2].net_j = None
    assert statistics.net_uj(made) is None


def test_the_console_states_both_uncertainties_and_what_the_energy_is_of() -> None:
    [line] = [line for line in printed(measured()).splitlines() if line.startswith("energy")]
    assert "178 µJ/inference, ±0.1" in line and "% repeatability (95 %, n=5), ±13.4 % meter (limit)" in line
    assert "gross, 3v3 rail, 3.30 V set, ppk2, 89.1 mW; net of idling 112 µJ" in line
    assert "emulated" not in line


def test_a_limit_that_nobody_knows_is_not_made_up() -> None:
    assert "meter's limit not known" in printed(measured(limit=None))


def test_an_emulated_meter_says_so_everywhere() -> None:
    made = measured(emulated=True)
    assert "emulated ppk2" in printed(made)
    assert "emulated meter" in plots.note(made)
    assert "emulated ppk2" in drawn(made).caption


@pytest.mark.parametrize(
    ("serial", "limit", "decided", "reason"),
    [
        ("C0FFEE", 0.134, True, "the same meter, C0FFEE, in the same ranges"),
        ("DECAF", 0.134, False, "two meters"),
        ("DECAF", 0.001, True, "two meters"),
        ("DECAF", None, None, "two meters"),
    ],
)
def test_the_same_meter_decides_by_chance_alone(
    serial: str, limit: float | None, decided: bool | None, reason: str
) -> None:
    one, other = measured(limit=limit), measured(limit=limit)
    assert one.energy is not None and other.energy is not None
    for window in one.energy.windows:
        window.gross_j *= 1.05
    one.energy.meter.serial = serial
    found = energy_ratio(one, other)
    assert found is not None and found.value == pytest.approx(1.05)
    assert found.decided is decided and reason in found.reason
    entries = [Entry("b", other, Latency((2.0,)), None), Entry("a", one, Latency((2.0,)), Ratio(1.0, 0.0))]
    assert energy_verdict(entries)[0].startswith("a takes 1.05" if decided else "a shows 1.05")


def test_energies_of_two_rails_are_not_compared() -> None:
    one, other = measured(), measured()
    assert one.energy is not None
    one.energy.meter.rail = "5V"
    assert energy_ratio(one, other) is None


def test_the_recording_is_drawn_with_its_table() -> None:
    pytest.importorskip("matplotlib")
    plot = drawn(measured())
    assert plot.title == "Power of kws01 on unix" and plot.svg is not None and plot.svg.startswith("<svg")
    assert plot.rows[0] == ("1", "0.000", "2.000", "178", "89", "100.00")
    assert "89.1 mW" in plot.alternative and "33 mW between them" in plot.alternative
