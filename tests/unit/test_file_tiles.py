"""Constants that stay in the program's file, read for each operation by the engines in Python."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tinympy.device import python
from tinympy.device.file_tiles import FileTiles
from tinympy.device.model import Model
from tinympy.device.program import HEAD_BYTES_AT, Head, read

from tinympy import tasks
from tinympy.compiler import compile_model


@pytest.fixture(scope="module")
def program() -> bytes:
    return compile_model(tasks.get("digits").model(), "digits", block_bytes=4096).program


def load(path: Path) -> Model:
    whole, tiles = read(str(path), interpreted=True)
    return Model(whole, tiles, python.PythonEngine)


def test_outputs_are_those_of_constants_in_memory(program: bytes, tmp_path: Path) -> None:
    path = tmp_path / "digits.tmpy"
    path.write_bytes(program)
    stored, held = load(path), Model(bytearray(program), engine=python.PythonEngine)
    task = tasks.get("digits")
    for sample in task.samples(3):
        values = sample.inputs[0].reshape(-1).tolist()
        assert stored.predict(values) == held.predict(values)
    head_bytes = struct.unpack_from("<I", program, HEAD_BYTES_AT)[0]
    assert stored.flash_bytes > 0 and stored.program_bytes - stored.flash_bytes <= head_bytes + 4096


def test_only_engines_in_python_leave_them_there(program: bytes, tmp_path: Path) -> None:
    path = tmp_path / "digits.tmpy"
    path.write_bytes(program)
    whole, tiles = read(str(path))
    assert bytes(whole) == program and tiles is None


def test_damaged_constants_are_an_error(program: bytes, tmp_path: Path) -> None:
    path = tmp_path / "digits.tmpy"
    path.write_bytes(program[:-5] + bytes((program[-5] ^ 1,)) + program[-4:])
    with pytest.raises(ValueError, match="is damaged"):
        load(path)


def test_a_file_that_was_overwritten_is_noticed(program: bytes, tmp_path: Path) -> None:
    path = tmp_path / "digits.tmpy"
    path.write_bytes(program)
    whole, tiles = read(str(path), interpreted=True)
    assert isinstance(tiles, FileTiles)
    head = Head(whole)
    with path.open("r+b") as file:
        file.seek(head.head_bytes)
        file.write(np.zeros(len(program) - head.head_bytes, np.uint8).tobytes())
    # A tile that is held is not read again, so ask for all of them.
    with pytest.raises(ValueError, match="changed or removed"):
        [tiles[index] for index in (*range(len(tiles)), 0)]
