"""The committed armv6m module and the device package on official RP2040 firmware, emulated.

`pytest -s` prints what was measured. Milliseconds are of the emulated clock: cycles at 125 MHz, flash without latency.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tinympy.device import quantisation

from tinympy import boards, deploy, tasks, transport
from tinympy import firmware as images
from tinympy.boards.rp2040_emu import Rp2040Emulator
from tinympy.compiler import compile_model
from tinympy.deploy import Mpy
from tinympy.dut import Dut

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
pytest.importorskip("littlefs", reason="littlefs is missing: pip install littlefs-python")
runtime = pytest.importorskip("tflite_micro", reason="tflite_micro is missing: pip install tflite-micro").runtime

NO_FIRMWARE = pytest.mark.skip(
    reason=f"no RPI_PICO-*.uf2 in {images.folder()}: put MicroPython there or set TINYMPY_FIRMWARE_DIR"
)
MODEL_INPUTS = {"digits": 5, "kws01": 3}
LOAD_MS = 100
PATIENCE = boards.known("rp2040-emu").patience

FRESH = """
import gc
from time import ticks_diff, ticks_us
gc.collect()
fresh = gc.mem_free()
start = ticks_us()
import tinympy.model, tinympy.native, tinympy.dut
import_us = ticks_diff(ticks_us(), start)
gc.collect()
print(fresh, gc.mem_free(), import_us)
"""

LOAD = """
from tinympy import load
model = None
gc.collect()
before = gc.mem_free()
start = ticks_us()
model = load({0!r})
load_us = ticks_diff(ticks_us(), start)
gc.collect()
print(load_us, before - gc.mem_free(), gc.mem_free())
"""

INFER = """
from binascii import hexlify, unhexlify
model.input[:] = unhexlify({0!r})
start = ticks_us()
model.run()
run_us = ticks_diff(ticks_us(), start)
print(hexlify(model.output).decode(), run_us)
"""

FILL_HEAP = """
gc.collect()
kept = None
for size in (8192, 1024, 128, 16):
    try:
        while True:
            kept = (bytearray(size), kept)
    except MemoryError:
        pass
left = gc.mem_free()
kept = None
gc.collect()
print(left)
"""


@pytest.fixture(
    scope="module",
    params=[pytest.param(image, id=image.stem) for image in images.present()]
    or [pytest.param(None, id="no firmware", marks=NO_FIRMWARE)],
)
def firmware(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(scope="module")
def programs() -> dict[str, bytes]:
    present = [task for task in map(tasks.get, MODEL_INPUTS) if not task.missing()]
    return {task.name: compile_model(task.model(), task.name).program for task in present}


@pytest.fixture(scope="module")
def line(firmware: Path, programs: dict[str, bytes]) -> Iterator[transport.Transport]:
    module = deploy.build("native", Mpy(deploy.MPY_VERSION, "armv6m"))
    files = deploy.package_files("/lib", module, programs)
    with Rp2040Emulator(firmware, files) as board, transport.open(board.port, patience=PATIENCE) as line:
        yield line


@pytest.fixture(scope="module")
def imported(line: transport.Transport) -> dict[str, int]:
    """What importing the package costs an interpreter that just started; afterwards it is imported."""
    fresh, free, import_us = numbers(line.exec(FRESH))
    print(f"\nheap free {fresh} bytes, {free} after importing tinympy, which took {import_us / 1000:.1f} ms (emulated)")
    return {"package_bytes": fresh - free, "free_bytes": free}


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def samples(name: str) -> list[np.ndarray]:
    return [sample.inputs[0] for sample in tasks.get(name).samples(MODEL_INPUTS[name])]


def expected_outputs(name: str) -> list[list[int]]:
    reference = runtime.Interpreter.from_bytes(tasks.get(name).model())
    shape = reference.get_input_details(0)["shape"]
    outputs = []
    for values in samples(name):
        reference.set_input(values.reshape(shape), 0)
        reference.invoke()
        outputs.append(reference.get_output(0).reshape(-1).tolist())
    return outputs


def signed(data: bytes) -> list[int]:
    return np.frombuffer(data, np.int8).tolist()


def test_firmware_asks_for_the_module_that_was_committed(line: transport.Transport) -> None:
    mpy = Mpy.from_firmware(int(line.exec("import sys\nprint(sys.implementation._mpy)")))
    assert mpy == Mpy("6.3", "armv6m")


def test_the_package_leaves_the_heap_to_models(imported: dict[str, int]) -> None:
    module = deploy.build("native", Mpy(deploy.MPY_VERSION, "armv6m"))
    assert imported["package_bytes"] <= module.ram_bytes + deploy.PACKAGE_BYTES


@pytest.mark.parametrize("name", MODEL_INPUTS)
def test_a_model_loads_fast_and_computes_what_tflite_micro_computes(
    line: transport.Transport, imported: dict[str, int], programs: dict[str, bytes], name: str
) -> None:
    if missing := tasks.get(name).missing():
        pytest.skip(f"{missing[0]} is missing: set TINYMPY_ASSETS")
    load_us, model_bytes, free = numbers(line.exec(LOAD.format(name)))
    outputs, times_us = [], []
    for values in samples(name):
        output, run_us = line.exec(INFER.format(values.tobytes().hex())).split()
        outputs.append(signed(unhexlify(output)))
        times_us.append(int(run_us))
    print(
        f"\n{name}: {min(times_us) / 1000:.2f} … {max(times_us) / 1000:.2f} ms an inference (n = {len(times_us)}), "
        f"loaded in {load_us / 1000:.1f} ms (emulated), "
        f"{model_bytes} bytes of heap for {len(programs[name])} bytes of program, {free} bytes left"
    )
    assert outputs == expected_outputs(name)
    assert load_us < LOAD_MS * 1000


def test_predict_takes_and_returns_signed_numbers(line: transport.Transport, imported: dict[str, int]) -> None:
    line.exec(LOAD.format("digits"))
    printed = line.exec(f"print(*model.predict({samples('digits')[0].tolist()}))")
    assert numbers(printed) == expected_outputs("digits")[0]


def test_the_module_survives_a_heap_that_was_full(line: transport.Transport, imported: dict[str, int]) -> None:
    line.exec(LOAD.format("digits"))
    left = int(line.exec(FILL_HEAP))
    assert left < 4096
    output, _ = line.exec(INFER.format(samples("digits")[1].tobytes().hex())).split()
    assert signed(unhexlify(output)) == expected_outputs("digits")[1]


def test_the_command_loop_answers_text_and_frames(line: transport.Transport, imported: dict[str, int]) -> None:
    digits = tasks.get("digits")
    values, expected = samples("digits")[2].tobytes(), expected_outputs("digits")[2]
    serve = (digits.name, digits.wire_input, digits.wire_results, digits.wire_bytes)
    line.start(f"from tinympy import dut\ndut.serve(load('digits'), *{serve!r})")
    dut = Dut(line, patience=PATIENCE)
    dut.wait_ready()
    assert dut.command("name") == ["m-name-dut-[tinympy]"]
    assert dut.command("profile") == ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[digits]"]
    assert dut.command("db load 64") == ["m-[Expecting 64 bytes]"]
    assert dut.command("db " + values[:32].hex()) == []
    assert dut.command("db " + values[32:].hex()) == ["m-load-done"]
    answer = dut.command("infer 1 0")
    output = np.array(expected, np.int8).tobytes()
    info = dut.info()
    results = quantisation.results("truncated", expected, 1 / 256, -128, None)
    first_us, last_us = (int(lap.removeprefix("m-lap-us-")) for lap in answer[3:5])
    assert last_us - first_us > 1000
    assert [*answer[:3], *answer[5:]] == [
        "m-warmup-start-0",
        "m-warmup-done",
        "m-infer-start-1",
        "m-infer-done",
        f"m-results-[{results}]",
    ]
    assert dut.infer_sample(values)[0] == output
    assert (info.model, info.platform, info.clock_hz) == ("digits", "rp2", 125_000_000)
    dut.close()
    line.leave()
    assert line.exec("print(6 * 7)") == "42\n"
