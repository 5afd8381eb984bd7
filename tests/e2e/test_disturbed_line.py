"""Fifty runs of `bench` with random faults on the line; `tests/benchmarks/soak.py` does a thousand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import disturbed
from random_faults import RandomFaults, Rates
from tinympy import session

RUNS = 50
AT_ONCE = 4


def test_every_run_ends_in_a_right_record_or_one_clear_error(tmp_path: Path) -> None:
    expected = session.run(disturbed.job(tmp_path), lambda _: None, lambda *_: None)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda seed: disturbed.run(seed, tmp_path, expected), range(RUNS)))
    assert [(each.seed, each.wrong) for each in outcomes if each.wrong] == []
    kinds = [each.kind for each in outcomes]
    assert kinds.count("right") >= RUNS // 10 and len(set(kinds)) >= 3
    assert any(each.error is None and each.faults for each in outcomes), "no run survived a fault"


def test_the_same_seed_gives_the_same_faults() -> None:
    data = bytes(range(256)) * 40
    rates = Rates(drop=0.001, duplicate=0.001, corrupt=0.002)
    once, again, other = (RandomFaults(seed, rates) for seed in (5, 5, 6))
    damaged = once.to_board(data)
    assert damaged == again.to_board(data[:999]) + again.to_board(data[999:])
    assert damaged != data and damaged != other.to_board(data)
    assert once.counts == again.counts and set(once.counts) == {"drop", "duplicate", "corrupt"}
