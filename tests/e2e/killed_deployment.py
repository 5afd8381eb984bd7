"""Deployments whose process is killed at random moments, each followed by one that must succeed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable

from disturbed import OWN_FILES
from tinympy import deploy, tasks, transport
from tinympy.boards.unix import UnixBoard
from tinympy.compiler import compile_model
from tinympy.errors import TinympyError


def run(kills: int, seed: int) -> tuple[list[str], list[float]]:
    """What went wrong, and after how many seconds each deployment was killed."""
    random_ = random.Random(seed)
    module = deploy.native_module(deploy.Mpy(deploy.MPY_VERSION, "x64"))
    files = deploy.package_files("/lib", module, {"digits": compile_model(tasks.get("digits").model()).program})
    wrong, moments_s = [], []
    with UnixBoard() as board:
        for name, content in OWN_FILES.items():
            (board.root / name).parent.mkdir(exist_ok=True)
            (board.root / name).write_bytes(content)
        expected = OWN_FILES | {path.lstrip("/"): content for path, content in files.items()}

        def deployment() -> None:
            with transport.open(board.port, board.interrupt) as line:
                line.copy_files(files)

        started_s = time.monotonic()
        deployment()
        whole_s = time.monotonic() - started_s
        for index in range(kills):
            shutil.rmtree(board.root / "lib/tinympy")
            moments_s.append(random_.uniform(0, 1.1 * whole_s))
            _killed_after(moments_s[-1], deployment)
            try:
                deployment()
            except TinympyError as error:
                wrong.append(f"kill {index}, after {moments_s[-1]:.3f} s: {error.message}")
            there = {str(p.relative_to(board.root)): p.read_bytes() for p in board.root.rglob("*") if p.is_file()}
            if there != expected:
                different = sorted(name for name in there | expected if there.get(name) != expected.get(name))
                wrong.append(f"kill {index}, after {moments_s[-1]:.3f} s: {', '.join(different)}")
    return wrong, moments_s


def _killed_after(moment_s: float, work: Callable[[], None]) -> None:
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(moment_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
