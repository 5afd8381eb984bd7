"""What MLPerf Tiny's public runner (mlcommons/tiny, benchmark/runner) is configured with to drive a board of ours.

It finds devices by `devices.yaml`, and by the model that a board names what to do with it, in a test file. Its own test
files fit the reference board; a faster one needs more inferences in a window (docs/submission.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinympy.device.dut import VENDOR
from tinympy.errors import UsageError

# A window of ours, with a margin over the 10 s that the rules ask for; the runner waits 30 s for a line.
WINDOW_S = 11.0
LONGEST_S = 28.0
BAUD = 115200
ENERGY_BAUD = 9600
# The identity of MicroPython's own boards, for a port that has none.
NO_IDENTITY = "f055:9800"

_CALIBRATION_S = 0.5
_REPEATS = 2
# Of the tasks that it runs over a serial line: the name of the test, the folder of the data, and the warm-ups that its
# own test files have in performance and in energy mode.
_TESTS = {
    "ad01": ("anomoly_detection", "ad01", 10, 0),
    "ic01": ("image_classification", "ic01", 5, 0),
    "ic02": ("image_classification", "ic01", 5, 0),
    "kws01": ("keyword_spotting", "kws01", 10, 10),
    "vww01": ("person_detection", "vww01", 5, 5),
}
_DEVICES_DIRECT = """\
# The board at {port}, as the public runner finds it: by its USB identity and the name it answers with.
- name: tinympy
  type: dut
  check_name: {vendor}
  baud: {{energy: {energy_baud}, performance: {baud}, accuracy: {baud}}}
  usb: {{0x{vid}: [0x{pid}]}}
"""
_DEVICES_ENERGY = """\
# Energy mode: the runner talks to the board through the interface board, at {energy_baud} baud.
- name: tinympy
  type: dut
  check_name: {vendor}
  baud: {{energy: {energy_baud}, performance: {baud}, accuracy: {baud}}}
- name: stm32h573i-dk
  type: interface
  baud: 115200
  usb: {{0x0483: [0x374E]}}
- name: lpm01a
  type: power
  preference: 2
  baud: 3686400
  echo: False
  voltage: 3.3
  usb: {{0x0483: [0x5740]}}
- name: js220
  type: power
  interface: direct_usb
  preference: 1
  raw_sampling_rate: 1000000
  virtual_sampling_rate: 1000
  usb: {{0x16D0: [0x10BA]}}
"""
_TEST = """\
{task}:
  name: {title}
  model: {model}
  truth_file: y_labels.csv
  script:
    - loop 5:
      - download
      - infer {n} {warmup}
"""


@dataclass(frozen=True)
class Windows:
    """`n` inferences after `warmup` untimed ones, five times; each inference takes `latency_s`."""

    n: int
    warmup: int
    latency_s: float


DRIVEN = tuple(_TESTS)
"""The tasks for which the runner has a test over a serial line."""


def devices_yaml(port: str, usb: str, energy: bool = False) -> str:
    """The runner's devices.yaml for a board at `port` with the identity `usb` (vid:pid; empty: it has none)."""
    vid, pid = (usb or NO_IDENTITY).upper().split(":")
    text = _DEVICES_ENERGY if energy else _DEVICES_DIRECT
    return text.format(port=port, vendor=VENDOR, baud=BAUD, energy_baud=ENERGY_BAUD, vid=vid, pid=pid)


def tests_yaml(task_name: str, windows: Windows) -> str:
    """A test file of the runner's with the five windows of one task, for performance or energy mode."""
    title, model, _, _ = _TESTS[task_name]
    return _TEST.format(task=task_name, title=title, model=model, n=windows.n, warmup=windows.warmup)


def calibrate(task_name: str, window: Callable[[int, int], int], energy: bool = False) -> Windows:
    """How many inferences make a window; `window(n, warmup)` runs some and gives their microseconds.

    Raises:
        UsageError: an inference takes longer than the runner waits.
    """
    n = 1
    elapsed_s = window(1, 1) / 1e6
    while elapsed_s < _CALIBRATION_S:
        n *= 4
        elapsed_s = window(n, 0) / 1e6
    # A computer that is busy makes some of them slow, and a window that comes out too short does not count.
    latency_s = min(elapsed_s, *(window(n, 0) / 1e6 for _ in range(_REPEATS))) / n
    if latency_s > LONGEST_S:
        raise UsageError(
            f"an inference takes {latency_s:.0f} s, and the public runner waits {LONGEST_S + 2:.0f} s for an answer",
            f"{task_name} on this board can be measured with `tinympy bench` only",
        )
    most = max(1, math.floor(LONGEST_S / latency_s))
    _, _, warmup, energy_warmup = _TESTS[task_name]
    return Windows(
        min(most, math.ceil(WINDOW_S / latency_s)), min(most, energy_warmup if energy else warmup), latency_s
    )


def test_file(energy: bool) -> str:
    """The name of the test file, as the runner's own are called."""
    return "tests_energy.yaml" if energy else "tests_performance.yaml"


def write(folder: Path, files: dict[str, str]) -> None:
    """Write configuration files into `folder`, which is made where it does not exist. UsageError if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror or error}", "name another folder") from error
