"""A run without a computer: started by main.py, it times windows and writes them to a file for `tinympy collect`.

The file has one JSON object a line, written and closed window by window: what ends the power leaves whole lines.
"""

import json
import os
import time

from . import compat, load, marks
from .dut import DeviceUnderTest

INPUTS = "alone.bin"
RESULTS = "alone.txt"
IDLE_S = 1.2
PAUSE_S = 0.5
CALIBRATION_SHARE = 0.05
MARGIN = 1.05
MOST_ATTEMPTS = 20


def run(name, key, window_us, warmup, windows, wait_s, pin=None, pulses=False, preamble=True):
    """Time `windows` windows of at least `window_us` of the program `name`, unless that was done before.

    key -- names the run in what is written
    warmup -- inferences before each window
    wait_s -- idle time before everything else, in which switching off and on again starts anew
    pin -- compat.output's, high in windows, or with `pulses` with a falling edge at both ends
    preamble -- draw the pattern of `marks` before them
    """
    folder = __file__.rsplit("/", 1)[0] + "/"
    try:
        os.stat(folder + RESULTS)
        return
    except OSError:
        pass
    mark = None if pin is None else (compat.trigger if pulses else compat.output)(pin)
    time.sleep(wait_s)
    try:
        _run(name, folder, key, window_us, warmup, windows, mark, preamble)
    except Exception as error:
        _write(folder, {"error": "%s: %s" % (type(error).__name__, error)})
    print("tinympy: the run has ended")


def _run(name, folder, key, window_us, warmup, windows, mark, preamble):
    model = load(name)
    # Nothing comes in, and nobody hears what it says.
    dut = DeviceUnderTest(model, name, "int8", "truncated", 0, None, len)
    _load(model, folder, 0)
    n = _calibrated(dut, window_us)
    _write(folder, {"run": key, "n": n})
    dut.mark = mark
    time.sleep(IDLE_S)
    if preamble:
        _write(folder, {"preamble_us": dut.at(marks.preamble(mark))})
    done = attempts = 0
    while done < windows:
        _load(model, folder, done)
        time.sleep(PAUSE_S)
        dut.time_window(n, warmup)
        took_us = dut.window[3] - dut.window[2]
        attempts += 1
        # All windows have the same n, so only the first one can still show that it is too low.
        done += done > 0 or took_us >= window_us or attempts >= MOST_ATTEMPTS
        _write(folder, {"window": list(dut.window), "counts": bool(done), "input": max(0, done - 1)})
        if not done:
            n = _filling(n, took_us, window_us)
    time.sleep(IDLE_S)
    _write(folder, {"end": done})


def _calibrated(dut, window_us):
    # Inferences that fill a window: more and more until they take a part of one.
    n = 1
    dut.time_window(n, 1)
    while dut.window[3] - dut.window[2] < CALIBRATION_SHARE * window_us:
        n *= 4
        dut.time_window(n, 0)
    return _filling(n, dut.window[3] - dut.window[2], window_us)


def _filling(n, took_us, window_us):
    return max(1, int(MARGIN * window_us * n / max(1, took_us)) + 1) if window_us else 1


def _load(model, folder, index):
    # The inputs of one inference after another, as raw as in the arena; after the last the first again.
    with open(folder + INPUTS, "rb") as file:
        size = sum([len(view) for view in model.inputs])
        file.seek(index * size % file.seek(0, 2))
        for view in model.inputs:
            file.readinto(view)
    model.check()


def _write(folder, line):
    with open(folder + RESULTS, "a") as file:
        file.write(json.dumps(line) + "\n")
