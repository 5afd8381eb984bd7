"""A trace and the board's windows become energies for one inference, with what is known of their errors.

trace = load_trace("run.csv")
result = measure(trace, [BoardWindow(n=100, elapsed_us=10_003_412.0), …])
json.dumps(result.as_json())
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tinympy.energy import align, flags, integrate, marks, preamble
from tinympy.energy.align import Alignment, BoardWindow
from tinympy.energy.integrate import FULL_COVERAGE, Idle, WindowEnergy
from tinympy.energy.trace import MeterSpec, Trace
from tinympy.energy.uncertainty import MeterLimit, Repeatability, meter_limit, repeatability


@dataclass(frozen=True)
class PerInference:
    """Energy of one inference, J: of each window, the median, and its two uncertainties, which are not to be merged.

    limit -- the meter's, in J for one inference; None where the meter's accuracy is not known
    """

    windows_j: tuple[float, ...]
    median_j: float
    repeatability: Repeatability | None
    limit: MeterLimit | None


@dataclass(frozen=True)
class Measurement:
    """Energies of a run. Gross and net are two figures.

    gross, net -- of one inference; net None without a second of idle next to the windows
    power_w -- median of the windows' mean power, gross
    volts -- of the windows, mean; see `spec.voltage_basis`
    notes -- warnings; refused -- why the result is invalid, one sentence for each reason
    """

    windows: tuple[WindowEnergy, ...]
    inferences: tuple[int, ...]
    gross: PerInference
    net: PerInference | None
    power_w: float
    volts: float
    idle: Idle | None
    alignment: Alignment
    spec: MeterSpec
    notes: tuple[str, ...]
    refused: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for a record."""
        return asdict(self)


def measure(
    trace: Trace,
    windows: Sequence[BoardWindow],
    *,
    count: int | None = None,
    trigger: int | None = 0,
    preamble_us: float | None = None,
) -> Measurement:
    """The energies of the board's windows.

    count -- only the last so many are measured; those before them are looked for, since they are in the trace as well
    trigger -- the meter's logic input with the board's pin; ignored where the meter stamps edges
    preamble_us -- when the preamble began, on the clock of the windows' `start_us`: used where the trigger is None or
        has too few edges for the windows

    Raises:
        MeterError: the windows cannot be found in the trace (`align`, `preamble`).
    """
    if preamble_us is not None and len(marks.find(trace, trigger).at) < 2 * len(windows):
        alignment = preamble.align(trace, windows, preamble_us)
    else:
        alignment = align.by_trigger(trace, windows, trigger)
    idle = integrate.idle(trace, alignment.spans, _preamble_span(alignment, windows, preamble_us))
    counted = -(len(windows) if count is None else count)
    alignment = replace(
        alignment, spans=alignment.spans[counted:], lengths_s=alignment.lengths_s and alignment.lengths_s[counted:]
    )
    return _measure(trace, [window.n for window in windows[counted:]], alignment, idle)


def measure_marked(trace: Trace, inferences: Sequence[int], *, trigger: int | None = 0) -> Measurement:
    """The energies of the windows that the trigger alone marks, where the board's own times are not known.

    inferences -- in each window, in order

    Raises:
        MeterError: the trigger does not mark as many windows.
    """
    alignment = align.by_marks(trace, len(inferences), trigger)
    return _measure(trace, inferences, alignment, integrate.idle(trace, alignment.spans))


def _measure(trace: Trace, inferences: Sequence[int], alignment: Alignment, idle: Idle | None) -> Measurement:
    spans = alignment.spans
    energies = integrate.windows(trace, spans, idle, alignment.lengths_s)
    volts = _volts(trace, spans)
    notes = [*trace.notes, *alignment.notes, *_coverage_notes(energies), *flags.of(trace, spans, energies, idle)]
    if not trace.spec.gain_limits:
        notes.append(f"the accuracy of this meter ({trace.spec.name}) is not known: its limit is not stated")
    if idle is None:
        notes.append("no second of idle next to the windows: no net energy")
    refused = tuple(
        f"window {at}: {window.refused}" for at, window in enumerate(energies, start=1) if window.refused is not None
    )
    return Measurement(
        windows=energies,
        inferences=tuple(int(n) for n in inferences),
        gross=_per_inference(trace.spec, energies, inferences, volts, alignment, idle, net=False),
        net=None
        if idle is None
        else _per_inference(trace.spec, energies, inferences, volts, alignment, idle, net=True),
        power_w=float(np.median([window.power_w for window in energies])),
        volts=volts,
        idle=idle,
        alignment=alignment,
        spec=trace.spec,
        notes=tuple(notes),
        refused=refused,
    )


def _per_inference(
    spec: MeterSpec,
    energies: Sequence[WindowEnergy],
    inferences: Sequence[int],
    volts: float,
    alignment: Alignment,
    idle: Idle | None,
    *,
    net: bool,
) -> PerInference:
    total = [(window.net_j or 0.0) if net else window.energy_j for window in energies]
    values = [energy / n for energy, n in zip(total, inferences, strict=True)]
    median = float(np.median(values))
    # The limit of the window that is next to the median.
    at = int(np.argmin(np.abs(np.array(values) - median)))
    window = energies[at]
    limit = meter_limit(
        spec,
        energy_j=window.energy_j,
        duration_s=window.duration_s,
        volts=volts,
        shares=window.shares,
        edge_s=alignment.edge_s,
        step_w=window.power_w - idle.power_w if idle else window.power_w,
        idle_j=idle.power_w * window.duration_s if net and idle else None,
    )
    return PerInference(tuple(values), median, repeatability(values), _divided(limit, inferences[at]))


def _divided(limit: MeterLimit | None, n: int) -> MeterLimit | None:
    if limit is None:
        return None
    parts = {name: value / n for name, value in asdict(limit).items() if name != "relative"}
    return replace(limit, **parts)


def _coverage_notes(energies: Sequence[WindowEnergy]) -> list[str]:
    worst = min(window.coverage for window in energies)
    if worst >= FULL_COVERAGE:
        return []
    return [f"up to {1 - worst:.2%} of a window's samples were lost; its energy is scaled by what is there"]


def _preamble_span(
    alignment: Alignment, windows: Sequence[BoardWindow], preamble_us: float | None
) -> list[tuple[float, float]]:
    """Where the preamble was: no idle time."""
    if preamble_us is None or not windows or windows[0].start_us is None:
        return []
    begin = alignment.spans[0][0] - (1 + alignment.drift) * (windows[0].start_us - preamble_us) / 1e6
    return [(begin, begin + preamble.LENGTH_S)]


def _volts(trace: Trace, spans: Sequence[tuple[float, float]]) -> float:
    if isinstance(trace.v, float | int):
        return float(trace.v)
    parts = [trace.v[slice(*np.searchsorted(trace.t, span))] for span in spans]
    values = np.concatenate(parts)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
