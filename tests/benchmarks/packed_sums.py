"""The kernels' packed sums and short products against plain sums and exact rescaling, on random cases.

The plain C on this computer and, with qemu-arm, the assembly for armv6m; the same for the kernels with two products an
instruction, armv7emsp's. What is known of the channels comes from the compiler, for random ranges of sums and scales.
Exits with 1 if a single case differs.
"""

from __future__ import annotations

import argparse
import re
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinympy.compiler.scaling import DROPS, short_product

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "native_modules/kernels"
TESTS = ROOT / "tests/native"
FLAGS = ("-std=c99", "-O2", f"-I{KERNELS}", f"-I{TESTS}")
ARM = ("-mthumb", "-ffreestanding", "-fno-tree-loop-distribute-patterns", "-nostdlib", "-static", "-Wl,-Ttext=0x100000")


@dataclass(frozen=True)
class Build:
    """A check with the kernels that it looks at; for `architecture` under qemu-arm."""

    sources: tuple[str, ...]
    flags: tuple[str, ...]
    architecture: str | None = None


PACKED = ("tests/native/packed_main.c", "native_modules/kernels/packed.c")
DSP = ("tests/native/dsp_check.c", "native_modules/kernels/dsp.c")
BUILDS = {
    "plain C": Build(PACKED, ("-DTK_PACKED=1", "-DTK_NARROW_MULTIPLY=1")),
    "assembly": Build(PACKED, ("-mcpu=cortex-m0plus",), "armv6m"),
    "DSP plain C": Build(DSP, ("-DTK_DSP=1",)),
    "DSP assembly": Build(DSP, ("-mcpu=cortex-m4",), "armv7emsp"),
}
CHANNELS = 4096


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10**8, help="of the plain C")
    parser.add_argument("--assembly-cases", type=int, default=10**6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    known = channels(options.seed)
    mismatches = 0
    for name, build in BUILDS.items():
        cases = options.assembly_cases if build.architecture else options.cases
        begin = time.perf_counter()
        output = run(name, cases, options.seed, known)
        print(f"{name}: {output.strip()} ({time.perf_counter() - begin:.0f} s)", flush=True)
        mismatches += sum(map(int, re.findall(r"(?:rescaled|pairs|rows|fours) (\d+)", output)))
    return 1 if mismatches else 0


def channels(seed: int) -> bytes:
    """`struct channel` of packed_check.c for channels with a short product."""
    random = np.random.default_rng(seed)
    found = b""
    while len(found) < 16 * CHANNELS:
        width = random.integers(6, 27, CHANNELS)
        ends = np.sort(random.integers(-(1 << width)[:, None], (1 << width)[:, None], (CHANNELS, 2)), axis=1)
        multiplier = random.integers(1 << 30, 1 << 31, CHANNELS)
        near = random.integers(0, 8, CHANNELS) == 0
        multiplier[near] = (1 << 31) - 1 - random.integers(0, 1 << 16, CHANNELS)[near]
        shift = -random.integers(1, 24, CHANNELS)
        drop, fraction, edge = short_product(ends[:, 0], ends[:, 1], multiplier, shift, DROPS)
        for index in np.nonzero(fraction)[0]:
            numbers = (*ends[index], multiplier[index], shift[index], 0x20 + drop[index], fraction[index], edge[index])
            found += struct.pack("<3ib3B", *map(int, numbers))
    return found[: 16 * CHANNELS]


def run(name: str, cases: int, seed: int, known: bytes) -> str:
    """What the check of `cases` cases prints."""
    build = BUILDS[name]
    sources = [ROOT / source for source in build.sources]
    flags = [*FLAGS, *build.flags, f"-DCOUNT={cases}u", f"-DSEED={seed}u"]
    compiler, libraries, runner = ["gcc"], [], []
    if build.architecture:
        compiler, libraries, runner = ["arm-none-eabi-gcc", *ARM], ["-lgcc"], ["qemu-arm"]
        sources += sorted((KERNELS / build.architecture).glob("*.S"))
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "check"
        subprocess.run([*compiler, *flags, *map(str, sources), "-o", str(program), *libraries], check=True)
        # It exits with 1 if there are mismatches.
        finished = subprocess.run([*runner, str(program)], input=known, capture_output=True)
    if finished.returncode not in (0, 1) or not finished.stdout:
        sys.exit(f"error: {program.name} exited with {finished.returncode}\n{finished.stderr.decode()}")
    return finished.stdout.decode()


if __name__ == "__main__":
    sys.exit(main())
