"""Rules of energy mode: supply, trigger, meter, lost samples. Windows have the rules of performance mode."""

from __future__ import annotations

from tinympy.records import Energy
from tinympy.rules.rule import Breach, Case, Rule

COVERAGE = 0.999
METERS = ("lpm01a", "joulescope", "eembc")
"""Those of the public runners, by the names that records have for them; eembc is what a runner recorded itself."""


def _measured(case: Case) -> Energy | None:
    """What an instrument measured; an emulated meter has no supply, and is labelled wherever it is shown."""
    energy = case.record.energy
    return None if energy is None or energy.meter.emulated else energy


def _supply(case: Case) -> Breach | None:
    energy = _measured(case)
    if energy is None or energy.meter.only_supply:
        return None
    return Breach(
        "the board may be powered through USB as well, which the meter does not see",
        "feed it through the meter alone, cut the USB cable's 5 V, and say --only-supply",
    )


def _trigger(case: Case) -> Breach | None:
    energy = _measured(case)
    if energy is None or energy.marks == "pin":
        return None
    return Breach("windows were found by the preamble", "wire a pin to the meter's trigger input: --trigger PIN")


def _samples(case: Case) -> Breach | None:
    energy = _measured(case)
    least = min((window.coverage for window in energy.windows), default=1.0) if energy else 1.0
    if least >= COVERAGE:
        return None
    return Breach(f"{100 * (1 - least):.2g} % of a window's samples were lost", "close other programs and run again")


def _meter(case: Case) -> Breach | None:
    energy = _measured(case)
    if energy is None or energy.meter.name in METERS:
        return None
    return Breach(
        f"{energy.meter.name} is not known to be a meter of the public runner",
        "submissions have an LPM01A, a Joulescope or an N6705",
    )


RULES = (
    Rule(
        "energy-supply",
        "While energy is measured, the board has one supply, the one that is measured; the user states that.",
        "energyrunner README, Energy Mode Hardware (IMPORTANT NOTE)",
        "warning",
        _supply,
        everywhere=True,
    ),
    Rule(
        "energy-trigger",
        "The board marks the ends of energy windows by a pin.",
        "energyrunner README, Performance Mode vs. Energy Mode",
        "warning",
        _trigger,
    ),
    Rule(
        "energy-samples",
        "At most 0.1 % of the meter's samples are lost in a window.",
        "energyrunner README, Custom Configuration (emon-drop-thresh-pct=0.1)",
        "warning",
        _samples,
    ),
    Rule(
        "energy-meter",
        "Energy is measured by an LPM01A, a Joulescope or a Keysight N6705.",
        "energyrunner README, Energy Mode Hardware; runner/power_manager",
        "warning",
        _meter,
    ),
)
