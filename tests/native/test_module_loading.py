"""The committed modules, loaded as MicroPython loads them, compute what the package `tflite-micro` does.

The real loader is tried elsewhere: on x64 by all of tests/e2e, on armv6m by tests/board. For the others module_run.c
takes its place, with the function table of MicroPython's header.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tinympy.device.program import Head

import emulated
from bit_exact import reference_of
from tinympy.compiler import compile_model

DIGITS = Path(__file__).parents[2] / "datasets/digits"
INPUTS = 40
FAILED_LOAD = 4  # of module_run.c


@pytest.fixture(scope="module", params=list(emulated.EMULATED))
def architecture(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if program := emulated.missing(name):
        pytest.skip(f"{program} is missing")
    return name


@pytest.fixture(scope="module")
def loader(architecture: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program for QEMU that loads a module."""
    folder = tmp_path_factory.mktemp(architecture)
    script = emulated.build_script()
    micropython = script.micropython_sources()
    config, _ = script.configuration(micropython, folder)
    include = [*script.includes(config, micropython), f"-I{emulated.HERE}"]
    objects = script.compile_sources(architecture, [emulated.HERE / "module_run.c"], include, folder)
    linked: Path = emulated.image(architecture, objects, folder / "load", "-T", str(emulated.HERE / "emulated.ld"))
    return linked


@pytest.fixture(scope="module")
def module(architecture: str) -> bytes:
    return (emulated.NATIVE_MODULES / f"prebuilt/{architecture}-mpy6.3/_native.mpy").read_bytes()


def run(
    architecture: str, loader: Path, module: bytes, program: bytes, arenas: list[bytes]
) -> subprocess.CompletedProcess[bytes]:
    head = Head(program)
    request = struct.pack("<5I", len(module), len(program), head.arena_bytes, len(arenas), head.operation_count)
    command = emulated.command(architecture, loader)
    return subprocess.run(command, input=request + module + program + b"".join(arenas), capture_output=True)


def test_a_loaded_module_is_bit_exact(architecture: str, loader: Path, module: bytes) -> None:
    model = (DIGITS / "digits_int8.tflite").read_bytes()
    program = compile_model(model).program
    head = Head(program)
    [source], [target] = head.inputs, head.outputs
    inputs = np.load(DIGITS / "inputs.npy")[:INPUTS].reshape(INPUTS, *source.shape)
    arenas = []
    for values in inputs:
        arena = bytearray(head.arena_bytes)
        arena[source.offset : source.offset + source.bytes] = values.tobytes()
        arenas.append(bytes(arena))
    finished = run(architecture, loader, module, program, arenas)
    assert (finished.returncode, len(finished.stdout)) == (0, head.arena_bytes * INPUTS), finished.stderr
    reference = reference_of(model)
    assert reference is not None
    found = []
    for values, at in zip(inputs, range(target.offset, len(finished.stdout), head.arena_bytes), strict=True):
        output = np.frombuffer(finished.stdout[at : at + target.bytes], np.int8).reshape(target.shape)
        reference.set_input(values.reshape(source.shape), 0)
        reference.invoke()
        np.testing.assert_array_equal(output, reference.get_output(0))
        found.append(int(output.argmax()))
    assert len(set(found)) > 5


def test_a_module_refuses_a_truncated_program(architecture: str, loader: Path, module: bytes) -> None:
    program = compile_model((DIGITS / "digits_int8.tflite").read_bytes()).program
    finished = run(architecture, loader, module, program[:-1], [])
    assert finished.returncode == FAILED_LOAD


def test_a_module_without_its_relocations_does_not_run(architecture: str, loader: Path, module: bytes) -> None:
    """The relocations are what makes it run, not luck with addresses."""
    code = emulated.build_script().inspect(module).code
    no_relocations = b"\x10\xff"
    unrelocated = module[: module.index(code)] + code + no_relocations
    program = compile_model((DIGITS / "digits_int8.tflite").read_bytes()).program
    finished = run(architecture, loader, unrelocated, program, [])
    assert finished.returncode != 0
