"""A record in the format of the public runner's logs. Each file says of itself that it is a transcription."""

from __future__ import annotations

import json
from datetime import datetime
from statistics import median
from typing import Any

from tinympy import __version__
from tinympy.records import Record
from tinympy.rules.performance import WINDOW_S
from tinympy.submission.benchmarks import Benchmark, Mode

MARK = "Transcribed by tinympy"
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
