"""How fast samples of a Power Profiler Kit II are decoded, and what 60 s of them take: samples lost, share of a core.

The emulator keeps 0.25 s of samples while nobody reads, as an instrument with little memory does: a reader that is late
loses some. --seconds N measures for another time.
"""

from __future__ import annotations

import argparse
import threading
import time

import numpy as np

from tinympy.energy.emulated import launch
from tinympy.energy.meters import open_meter, ppk2_decode
from tinympy.energy.meters.ppk2_timeline import timeline


def decode_rate(samples: int = 6_000_000) -> float:
    """Samples a second of one core: from bytes as they were read to currents, ranges, inputs and places in time."""
    random = np.random.default_rng(1)
    index = np.arange(samples)
    words = (random.integers(7000, 9000, samples) | 3 << 14 | (index & 63) << 18).astype("<u4").tobytes()
    piece = 2000
    chunks = [(at / 400_000, words[at : at + piece]) for at in range(0, len(words), piece)]
    constants = {"R": (1e3, 1e2, 10.0, 1.0, 0.05), "GI": (1.0,) * 5, "UG": (1.0,) * 5}
    zero = dict.fromkeys(("GS", "O", "S", "I"), (0.0,) * 5)
    calibration = ppk2_decode.Calibration({**constants, **zero})
    start = time.thread_time()
    placed = timeline(chunks)
    ppk2_decode.currents(placed.words, calibration.table(3.3))
    ppk2_decode.ranges(placed.words)
    ppk2_decode.inputs(placed.words)
    return samples / (time.thread_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    rates = sorted(decode_rate() / 1e6 for _ in range(5))
    print(f"decoding: median {rates[2]:.0f} M samples/s (n = 5, {rates[0]:.0f} to {rates[-1]:.0f}), one core")
    with (
        launch("ppk2", {"buffer_s": "0.25"}) as emulator,
        open_meter(f"ppk2:{emulator.address}?mode=source&v=3.3") as meter,
    ):
        meter.start()
        [reader] = [thread for thread in threading.enumerate() if emulator.address in thread.name]
        clock = time.pthread_getcpuclockid(reader.ident)
        before, start = time.clock_gettime(clock), time.monotonic()
        time.sleep(seconds)
        used, took = time.clock_gettime(clock) - before, time.monotonic() - start
        start = time.monotonic()
        trace = meter.stop()
        stopped_s = time.monotonic() - start
    lost = int(np.isnan(trace.i).sum())
    print(f"recording: {trace.t.size} samples in {took:.1f} s, {lost} lost, notes: {trace.notes}")
    print(f"reader: {used / took:.1%} of a core; stop and decode: {stopped_s:.2f} s")


if __name__ == "__main__":
    main()
