"""Several boards at once, a thread for each: what one does, or that it dies, is nothing to the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from tinympy import session
from tinympy.boards import Board
from tinympy.errors import BoardError, TinympyError
from tinympy.plan import Job
from tinympy.records import Record

Begun = Callable[[Job, Record], None]
Observer = Callable[[Job, str, int, int], None]
"""Told which job does what, how much of it, of how much."""


def run(jobs: Sequence[Job], begun: Begun, observe: Observer) -> None:
    """Run the jobs of each board in their order, those of different boards (by label) at the same time.

    begun and observe are called from several threads. Ctrl-C stops all boards; each is left at its prompt.

    Raises:
        TinympyError: boards failed; which, and why, and of one kind if they all failed in the same way.
        KeyboardInterrupt: after all boards were stopped.
    """
    stop = threading.Event()
    prepared = _Prepared()
    lanes: dict[str, _Lane] = {}
    for job in jobs:
        lanes.setdefault(job.label, _Lane(job.label, prepared, begun, observe, stop)).jobs.append(job)
    if len(lanes) == 1:
        for lane in lanes.values():
            lane.work()
        return
    for lane in lanes.values():
        lane.start()
    try:
        for lane in lanes.values():
            lane.join()
    except KeyboardInterrupt:
        stop.set()
        for lane in lanes.values():
            lane.join()
        raise
    _require_success(list(lanes.values()))


class _Prepared:
    """What boards share that differ in their port only, computed by the first that needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[Board, int, int | None], session.Prepared] = {}

    def of(self, job: Job) -> session.Prepared:
        with self._lock:
            key = replace(job.board, port=None), id(job.task), job.samples
            if key not in self._known:
                self._known[key] = session.prepare(job)
            return self._known[key]


class _Lane(threading.Thread):
    """One board and its jobs; `error` is what ended it before its time."""

    def __init__(self, label: str, prepared: _Prepared, begun: Begun, observe: Observer, stop: threading.Event) -> None:
        super().__init__(name=label, daemon=True)
        self.jobs: list[Job] = []
        self.error: BaseException | None = None
        self._prepared = prepared
        self._begun = begun
        self._observe = observe
        self._stop_asked = stop

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.error = error

    def work(self) -> None:
        for job in self.jobs:
            self._run(job)

    def _run(self, job: Job) -> None:
        session.run(
            job,
            lambda record: self._begun(job, record),
            lambda what, done, total: self._observe(job, what, done, total),
            self._prepared.of(job),
            self._check,
        )

    def _check(self) -> None:
        if self._stop_asked.is_set():
            raise KeyboardInterrupt


def _require_success(lanes: list[_Lane]) -> None:
    failed: list[tuple[str, TinympyError]] = []
    for lane in lanes:
        if isinstance(lane.error, TinympyError):
            failed.append((lane.name, lane.error))
        elif lane.error is not None:
            raise lane.error
    if not failed:
        return
    first = failed[0][1]
    alike = {error.message for _, error in failed} == {first.message}
    if alike and len(failed) == len(lanes):
        raise first
    kinds = {type(error) for _, error in failed}
    which = "; ".join(f"{label}: {error.message}" for label, error in failed)
    kind = type(first) if len(kinds) == 1 else BoardError
    raise kind(f"{len(failed)} of {len(lanes)} boards failed: {which}", first.hint) from first
