"""Rules of performance mode: windows, inputs, warm-up, clock."""

from __future__ import annotations

from tinympy.measures import WINDOWS, duration, shortest_s
from tinympy.rules.rule import Breach, Case, Rule

WINDOW_S = 10.0
RUNNER_LINE_S = 30.0
CLOCK_STEP_US = 1000
WARMUP = {"ad01": 10, "ic01": 5, "ic02": 5, "kws01": 10, "vww01": 5}
"""The second number of `infer N W` in the public runner's tests_performance.yaml."""

_WINDOW_HINT = f"the MLPerf Tiny rules ask for {WINDOW_S:.0f} s: --window {WINDOW_S:.0f}"


def _five_windows(case: Case) -> Breach | None:
    count = len(case.record.windows)
    # A run that was cut off is another matter: run-ended.
    if count in (0, WINDOWS) or case.record.status != "complete":
        return None
    return Breach("only one window" if count == 1 else f"{count} windows", f"the median is over {WINDOWS}")


def _five_inputs(case: Case) -> Breach | None:
    record = case.record
    inputs = len({window.input_index for window in record.windows})
    if len(record.windows) != WINDOWS or inputs == WINDOWS:
        return None
    asked = record.options.samples if record.options else None
    few = asked is not None and asked < WINDOWS
    hint = f"--samples {WINDOWS} or more" if few else "the data set here has no more"
    return Breach(f"the windows ran on {inputs} input{'s' * (inputs > 1)} where {WINDOWS} are asked for", hint)


def _one_setting(case: Case) -> Breach | None:
    if len({(window.n, window.warmup) for window in case.record.windows}) <= 1:
        return None
    return Breach("the windows have different numbers of inferences", "all five are to be one setting: run again")


def _warm_up(case: Case) -> Breach | None:
    record = case.record
    needed = WARMUP.get(record.task.name, 0)
    least = min((window.warmup for window in record.windows), default=needed)
    if least >= needed:
        return None
    done = f"{least} warm-up inference{'s' * (least != 1)} before a window"
    if record.board.emulated and not (record.options and record.options.window_s):
        return Breach(done, f"the public runner has {needed}; --window gives an emulated board a warm-up")
    return Breach(done, f"the public runner has {needed}: --warmup {needed}")


def _window_length(case: Case) -> Breach | None:
    record, shortest = case.record, shortest_s(case.record)
    enough = case.version.inferences
    if shortest is None or shortest >= WINDOW_S or _total_length(case):
        return None
    if enough is not None and all(window.n >= enough for window in record.windows):
        return None
    if record.options and record.options.window_s >= WINDOW_S:
        return Breach(f"windows of {duration(shortest)}", "the board got faster after the calibration: run again")
    return Breach(f"windows of {duration(shortest)}", _WINDOW_HINT)


def _total_length(case: Case) -> Breach | None:
    windows, shortest = case.record.windows, shortest_s(case.record)
    total_s = sum(window.elapsed_us for window in windows) / 1e6
    if shortest is None or len(windows) < WINDOWS or total_s >= WINDOW_S:
        return None
    return Breach(f"windows of {duration(shortest)}", _WINDOW_HINT)


def _runner_waits(case: Case) -> Breach | None:
    longest_s = max((window.elapsed_us for window in case.record.windows), default=0) / 1e6
    if longest_s < RUNNER_LINE_S:
        return None
    more = any(window.n > 1 for window in case.record.windows)
    hint = f"--window {WINDOW_S:.0f}" if more else "one inference alone takes that long"
    return Breach(f"windows of {duration(longest_s)}, where the public runner gives up after {RUNNER_LINE_S:.0f}", hint)


def _clock(case: Case) -> Breach | None:
    step_us = case.record.board.ticks_step_us
    if step_us is None or step_us <= CLOCK_STEP_US or not case.record.windows:
        return None
    return Breach(f"the board's clock has steps of {duration(step_us / 1e6)}", "times need a clock of 1 kHz or more")


RULES = (
    Rule(
        "five-windows",
        "Performance, and energy, is the median of exactly five windows.",
        "runner/script.py l.159-168, ERROR 1; tests_performance.yaml, `loop 5`; runner/main.py l.224",
        "invalid",
        _five_windows,
    ),
    Rule(
        "one-setting",
        "All windows have the same number of inferences and of warm-ups, found by a short calibration before them.",
        "runner/tests_performance.yaml, `infer N W`",
        "warning",
        _one_setting,
    ),
    Rule(
        "five-inputs",
        "Each window runs on another input file.",
        "runner/script.py (each loop takes the next file of y_labels.csv); energyrunner README l.177-181",
        "warning",
        _five_inputs,
    ),
    Rule(
        "warm-up",
        "Before each window: 10 inferences of ad01 and kws01, 5 of ic01, ic02 and vww01.",
        "runner/tests_performance.yaml, `infer N W`",
        "warning",
        _warm_up,
    ),
    Rule(
        "window-length",
        "Each window lasts at least 10 s; until v1.3, which the EEMBC runner could measure, 10 inferences are enough.",
        "energyrunner README l.177-181; for energy runner/main.py l.222",
        "warning",
        _window_length,
    ),
    Rule(
        "total-length",
        "The five windows together last at least 10 s.",
        "runner/script.py l.159-168, ERROR 2",
        "warning",
        _total_length,
    ),
    Rule(
        "runner-waits",
        "A window ends within 30 s.",
        "runner/device_under_test.py l.104 (30 s a line of `infer`)",
        "warning",
        _runner_waits,
    ),
    Rule(
        "clock",
        "The board's clock has steps of at most 1 ms.",
        "energyrunner README, Performance Mode vs. Energy Mode",
        "warning",
        _clock,
    ),
)
