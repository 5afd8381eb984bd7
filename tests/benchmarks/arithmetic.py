"""The kernels' fixed-point arithmetic against exact integers on random cases, with a wide multiply and without.

Exits with 1 if a single case differs.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "tests/native/arithmetic_check.c"
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
VARIANTS = {"wide multiply": (), "narrow multiply": ("-DTK_NARROW_MULTIPLY=1",)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10**8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kernels", type=Path, default=ROOT / "native_modules/kernels", help="where arithmetic.h is")
    options = parser.parse_args()
    total = 0
    for name, flags in VARIANTS.items():
        mismatches, elapsed_s = check(options.kernels, flags, options.cases, options.seed)
        found = ", ".join(f"{operation} {count}" for operation, count in mismatches.items())
        print(f"{name}: {options.cases} cases in {elapsed_s:.1f} s; mismatches: {found}", flush=True)
        total += sum(mismatches.values())
    return 1 if total else 0


def check(kernels: Path, flags: tuple[str, ...], cases: int, seed: int) -> tuple[dict[str, int], float]:
    """Mismatches of each operation, and seconds, of one variant."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "arithmetic_check"
        subprocess.run(["gcc", *FLAGS, *flags, f"-I{kernels}", str(CHECK), "-o", str(program)], check=True)
        begin = time.perf_counter()
        # It exits with 1 if there are mismatches.
        finished = subprocess.run([program, str(cases), str(seed)], capture_output=True, text=True)
        elapsed_s = time.perf_counter() - begin
    counts = re.findall(r"(\w+) (\d+)(?:,|$)", finished.stdout.strip())
    if not counts:
        sys.exit(f"error: {program.name} exited with {finished.returncode}\n{finished.stderr}")
    return {operation: int(count) for operation, count in counts}, elapsed_s


if __name__ == "__main__":
    sys.exit(main())
