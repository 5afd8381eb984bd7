"""The ulab engine's requantisation in floats against exact integers, on random sums, scales and outputs.

ulab is ulab_on_numpy, whose floats are those of CircuitPython. Exits with 1 if a single case differs.
"""

from __future__ import annotations

import argparse
import sys
import time
import types
from array import array
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy import ulab_on_numpy

ulab_on_numpy.install()
CHANNELS, ROWS = 64, 1 << 13
SUMS = 1 << 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10**8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begin = time.perf_counter()
    mismatches = check(options.cases, options.seed)
    print(f"{options.cases} cases in {time.perf_counter() - begin:.1f} s; mismatches: {mismatches}")
    return 1 if mismatches else 0


def check(cases: int, seed: int) -> int:
    """How many of at least `cases` outputs differ."""
    random = np.random.default_rng(seed)
    return sum(_block(random) for _ in range(-(-cases // (CHANNELS * ROWS))))


def _block(random: np.random.Generator) -> int:
    """Mismatches of one operation: channels of every scale, sums around where outputs change and anywhere else."""
    from tinympy.device.ulab_requantise import WHOLE, Outputs

    shift = random.integers(-16, 1, CHANNELS)
    multiplier = random.integers(1 << 30, 1 << 31, CHANNELS)
    multiplier[:4] = random.integers(0, 1 << 31, 4)
    bias = random.integers(-SUMS, SUMS, CHANNELS)
    zero_point = int(random.integers(-128, 128))
    low, high = sorted(int(each) for each in random.integers(-128, 128, 2))
    anywhere = random.integers(SUMS - WHOLE, WHOLE - SUMS, (ROWS, CHANNELS))
    # Sums whose outputs are within reach, and those right beside where TFLM rounds up or down.
    scale = np.maximum(multiplier * 2.0 ** (shift - 31), 1e-9)
    outputs = random.integers(-300, 300, (ROWS, CHANNELS)) + 0.5
    near = np.clip(np.rint(outputs / scale) + random.integers(-2, 3, (ROWS, CHANNELS)), -WHOLE, WHOLE).astype(np.int64)
    within = np.clip(random.uniform(-300, 300, (ROWS, CHANNELS)) / scale, -WHOLE, WHOLE).astype(np.int64)
    sums = np.choose(random.choice(3, (ROWS, CHANNELS), p=(0.45, 0.1, 0.45)), [anywhere, near, within])
    sums = np.clip(sums, 2 * SUMS - WHOLE, WHOLE - 2 * SUMS)

    channels = types.SimpleNamespace(bias=array("i", bias), multiplier=array("i", multiplier), shift=shift.tolist())
    made = Outputs(channels, zero_point, low, high, WHOLE - SUMS)
    assert made.in_floats
    target = bytearray(sums.size)
    part: Any = ulab_on_numpy.Array((sums - bias).astype(np.float32))
    made.write(target, range(0, sums.size, CHANNELS), [part])
    expected = np.clip(rounded(sums, multiplier, -shift) + zero_point, low, high)
    return int(np.count_nonzero(np.frombuffer(target, np.int8).reshape(sums.shape) != expected))


def rounded(
    sums: npt.NDArray[np.int64], multiplier: npt.NDArray[np.int64], exponent: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """TFLM's MultiplyByQuantizedMultiplier, double rounding, shifts to the right: in 64-bit integers."""
    high: npt.NDArray[np.int64] = (sums * multiplier + (1 << 30)) >> 31
    mask = (1 << exponent) - 1
    more: npt.NDArray[np.int64] = (high >> exponent) + ((high & mask) > (mask >> 1) + (high < 0))
    return more


if __name__ == "__main__":
    sys.exit(main())
