"""`mpremote mip install`, MicroPython's own installer, with the package files at the repository's root."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinympy.boards.unix import UnixBoard
from tinympy.compiler import compile_model

sys.path.insert(0, str(Path(__file__).parents[2] / "native_modules"))
import build

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "datasets/digits/digits_int8.tflite"


@pytest.fixture
def address() -> Iterator[str]:
    """The repository on a web server."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(ROOT))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def mpremote(port: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "mpremote", "connect", port, "resume", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_the_package_files_are_those_that_a_build_writes() -> None:
    manifest = json.loads((ROOT / "native_modules/prebuilt/manifest.json").read_text())
    packages = build.mip_packages(manifest)
    assert len(packages) == len(manifest) == len(list(ROOT.glob("package-*.json")))
    for path, content in packages.items():
        assert path.read_text() == content, f"{path.name}: run `make native`"
        assert all((ROOT / source).is_file() for _, source in json.loads(content)["urls"])


def test_mip_installs_what_runs_a_model(address: str) -> None:
    program = compile_model(DIGITS.read_bytes(), "digits").program
    with UnixBoard() as board:
        mpremote(board.port, "mip", "install", "--target", "/lib", f"{address}/package-x64.json")
        (board.root / "lib/tinympy/digits.tmpy").write_bytes(program)
        code = "import tinympy; print(len(tinympy.load('digits').predict([0] * 64)))"
        assert mpremote(board.port, "exec", code).split()[-1] == "10"
