"""The wheel holds what a user needs, and works where nothing of the repository is."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tinympy import __version__, device

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


def test_the_wheel_carries_device_files_modules_and_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    device = {f"tinympy/device/{path.name}" for path in (ROOT / "device/tinympy").glob("*.py")}
    assert device and device <= names
    assert {"tinympy/recorder/ina.py", "tinympy/recorder/stand_in.py"} <= names
    assert "tinympy/prebuilt/manifest.json" in names
    built = {str(path.relative_to(ROOT / "native_modules")) for path in ROOT.glob("native_modules/prebuilt/*/*.mpy")}
    assert len(built) == 6 and {f"tinympy/{module}" for module in built} <= names
    assert {f"tinympy/datasets/digits/{name}" for name in ("digits_int8.tflite", "inputs.npy", "y_labels.csv")} <= names
    tables = {f"tinympy/generated/{path.name}" for path in (ROOT / "host/tinympy/generated").glob("*.txt")}
    assert tables and tables <= names
    templates = {f"tinympy/report/templates/{path.name}" for path in (ROOT / "host/tinympy/report/templates").iterdir()}
    assert templates and templates <= names
    sources = {path.relative_to(ROOT / "host") for path in (ROOT / "host").rglob("*.py")}
    assert {str(path) for path in sources} <= names


def test_the_installed_wheel_runs_the_benchmark(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True)
    # -I and an explicit path: nothing of the repository or of an editable install can be found instead.
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); sys.meta_path[:] = [finder for finder in sys.meta_path "
        "if 'editable' not in getattr(finder, '__module__', '')]; import tinympy; "
        f"assert tinympy.__file__.startswith({str(site)!r}); from tinympy.cli import main; main()"
    )
    command = [sys.executable, "-I", "-c", code, "bench", "--task", "digits", "--json", "--window", "0.1"]
    finished = subprocess.run([*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)[0]["accuracy"]["value"] >= 0.95


def test_board_and_computer_have_the_same_version() -> None:
    assert device.__version__ == __version__
