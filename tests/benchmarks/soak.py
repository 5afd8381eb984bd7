"""A thousand benches of `digits` over lines with random faults, and fifty deployments that are killed.

Prints one line for every hundred runs, then the summary; the exit code is 1 if anything ended as it must not. Each run
can be repeated by its seed: --first SEED --runs 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

import disturbed
import killed_deployment
from tinympy import records, session


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=8, help="how many at once; they mostly wait")
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wrong = _disturb(folder, options.first, options.runs, options.jobs) if options.runs else []
    if options.kills:
        wrong += _kill(options.kills)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def _disturb(folder: Path, first: int, runs: int, jobs: int) -> list[str]:
    expected = session.run(disturbed.job(folder), lambda _: None, lambda *_: None)
    assert expected.path is not None
    outcomes: list[disturbed.Outcome] = []
    started_s = time.monotonic()
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_one, seed, folder, expected.path) for seed in range(first, first + runs)]
        for done in as_completed(waiting):
            outcomes.append(done.result())
            if len(outcomes) % 100 == 0:
                print(f"{len(outcomes)} runs, {time.monotonic() - started_s:.0f} s", file=sys.stderr)
    kinds = Counter(each.kind for each in outcomes)
    right = kinds.pop("right", 0)
    survived = sum(bool(each.faults) for each in outcomes if each.error is None)
    silences_s = [each.silence_s for each in outcomes]
    print(
        f"{len(outcomes)} runs: {right} right records ({survived} of them with faults), "
        f"{sum(kinds.values())} clear errors, {sum(bool(each.wrong) for each in outcomes)} wrong; "
        f"longest silence {max(silences_s):.1f} s (median {statistics.median(silences_s):.1f}); "
        f"{sum(each.at_prompt for each in outcomes)} boards left at their prompt, "
        f"{sum(each.ended for each in outcomes)} reset by a disturbed byte"
    )
    for kind, count in kinds.most_common():
        print(f"  {count:4} {kind}")
    return [f"seed {each.seed}: {'; '.join(each.wrong)}" for each in outcomes if each.wrong]


def _one(seed: int, folder: Path, expected: Path) -> disturbed.Outcome:
    return disturbed.run(seed, folder, records.read(expected))


def _kill(count: int) -> list[str]:
    done = killed_deployment.run(count, seed=1, command=True)
    print(
        f"{count} runs of `tinympy deploy` killed after {min(done.moments_s):.2f} … {max(done.moments_s):.2f} s: "
        f"{done.unfinished} left something unfinished, {len(done.wrong)} wrong"
    )
    return done.wrong


if __name__ == "__main__":
    sys.exit(main())
