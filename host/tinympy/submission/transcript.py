"""A record in the format of the public runner's logs. Each file says of itself that it is a transcription."""

from __future__ import annotations

import json
from datetime import datetime
from statistics import median
from typing import Any

from tinympy import __version__
from tinympy.measures import energies_uj, energy_uj
from tinympy.records import Energy, Record
from tinympy.rules.performance import WINDOW_S
from tinympy.submission.benchmarks import Benchmark, Mode

MARK = "Transcribed by tinympy"
RECORDING, STAMPS = "trace1-energy.bin", "trace1-timestamps.json"
"""How submissions up to v1.3 call the recording of their energy."""
_RULER = "-" * 57


def files(record: Record, source: str, benchmark: Benchmark, mode: Mode) -> dict[str, str] | None:
    """log.txt, results.txt and results.json of one mode, by name; None where the record has no such measurement.

    source -- how the record is called in the files
    """
    head = f"{MARK} {__version__} from the record {source}; not written by the public runner."
    if mode == "accuracy" and record.accuracy is not None:
        return _accuracy(record, benchmark, head)
    if mode == "performance" and record.windows:
        return _performance(record, head)
    if mode == "energy" and record.energy is not None:
        return _energy(record, record.energy, head)
    return None


def _accuracy(record: Record, benchmark: Benchmark, head: str) -> dict[str, str]:
    accuracy = record.accuracy
    assert accuracy is not None
    said = f"AUC = {accuracy.value:.3f}" if accuracy.metric == "auc" else f"Top 1% = {100 * accuracy.value:2.1f}"
    line = f"{_stamp(record.created)} ulp-mlperf: {said}"
    log = [
        head,
        *_devices(record),
        f"{accuracy.n} of {record.data_set.full_n if record.data_set else accuracy.n} samples in label-file order, "
        f"one inference each",
        f"sha256 of all raw outputs: {accuracy.outputs_sha256}",
        line,
    ]
    rows: list[dict[str, Any]] = [
        {
            "metric": accuracy.metric,
            "value": accuracy.value,
            "samples": accuracy.n,
            "outputs_sha256": accuracy.outputs_sha256,
            "mode": "a",
            "transcribed": head,
        }
    ]
    return _texts(log, [head, line], rows)


def _performance(record: Record, head: str) -> dict[str, str]:
    log, results = [head, *_devices(record)], [head]
    rows: list[dict[str, Any]] = []
    for number, window in enumerate(record.windows, 1):
        elapsed_s = window.elapsed_us / 1e6
        throughput = window.n / elapsed_s
        stamp = f"{_stamp(window.started)} ulp-mlperf:"
        log += [
            f"{stamp} Loading input {window.input_index}",
            f"Running inference with {window.warmup}/{window.n} (warmup/measured) iterations ...",
            f"{stamp} Performance results for window {number}:",
            f"{stamp}   # Inferences : {window.n:>13}",
            f"{stamp}   Runtime      : {elapsed_s:>10.3f} sec.",
            f"{stamp}   Throughput   : {throughput:>10.3f} inf./sec.",
        ]
        results += [
            f"Performance results for window {number}",
            f"    # Inferences : {window.n}",
            f"    Runtime: {elapsed_s} sec.",
            f"    Throughput: {throughput} inf./sec.",
        ]
        if elapsed_s > WINDOW_S:
            results.append("    Runtime requirements have been met.")
        rows.append(
            {
                "input": window.input_index,
                "infer": {
                    "elapsed_time": window.elapsed_us,
                    "iterations": window.n,
                    "warmups": window.warmup,
                    "throughput": throughput,
                },
                "mode": "p",
                "transcribed": head,
            }
        )
    middle = median(row["infer"]["throughput"] for row in rows)
    stamp = f"{_stamp(record.windows[-1].started)} ulp-mlperf:"
    end = [f"{stamp} {_RULER}", f"{stamp} Median throughput is {middle:>10.3f} inf./sec.", f"{stamp} {_RULER}"]
    return _texts(log + end, results + end, rows)


def _energy(record: Record, energy: Energy, head: str) -> dict[str, str]:
    """The figures are the record's, whose windows end between samples; the recording has whole milliseconds."""
    assert energy.envelope is not None
    meter = energy.meter
    voltage = "" if meter.voltage_v is None else f", {meter.voltage_v:.3f} V {meter.voltage_basis}"
    log = [
        head,
        *_devices(record),
        f"Meter: {meter.name}, serial number {meter.serial or 'unknown'}{voltage}, rail {meter.rail or 'unknown'}",
        "The submitter states that what was measured is the board's only supply.",
    ]
    results = [head]
    rows: list[dict[str, Any]] = []
    trials = zip(record.windows, energy.windows, energy.envelope.windows, energies_uj(record), strict=True)
    for number, (window, measured, (begin_s, end_s), each_uj) in enumerate(trials):
        lines = [
            f"Energy data for trial {number}",
            f"  Elapsed time  : {end_s - begin_s}",
            f"  Inferences    : {window.n}",
            f"  Power         : {1e3 * measured.mean_w:5.4f} mW.",
            f"  Total Energy  : {1e6 * measured.gross_j:.3f} uJ",
            f"  Energy/Inf    : {each_uj:.3f} uJ/inf",
        ]
        log += [f"{_stamp(window.started)} ulp-mlperf: Loading input {window.input_index}", *lines]
        results += lines
        rows.append(
            {
                "input": window.input_index,
                "infer": {"iterations": window.n, "warmups": window.warmup},
                "power": {"energy_j": measured.gross_j, "begin_s": begin_s, "end_s": end_s},
                "mode": "e",
                "transcribed": head,
            }
        )
    end = [_RULER, f"Median energy cost is {energy_uj(record):5.4f} uJ/inf.", _RULER]
    return _texts(log + end, results + end, rows)


def _devices(record: Record) -> list[str]:
    return [
        f"Board: {record.board.name}, {record.board.firmware}",
        f"Device model: {record.task.name}, {record.model.file}, sha256 {record.model.sha256}",
    ]


def _stamp(utc: str) -> str:
    return datetime.strptime(utc, "%Y-%m-%dT%H:%M:%SZ").strftime("%m%d.%H%M%S")


def _texts(log: list[str], results: list[str], rows: list[dict[str, Any]]) -> dict[str, str]:
    return {
        "log.txt": "\n".join(log) + "\n",
        "results.txt": "\n".join(results) + "\n",
        "results.json": json.dumps(rows, indent=1) + "\n",
    }
