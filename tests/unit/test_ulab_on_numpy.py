"""ulab on the computer takes what ulab documents and refuses the rest; the ulab engine asks for nothing else."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path
from typing import Any

import numpy
import pytest

from tinympy import ulab_on_numpy
from tinympy.engines import ENGINES
from tinympy.firmware import folder
from tinympy.ulab_on_numpy import DTYPES, METHODS, TABLE, module

DEVICE = Path(__file__).parents[2] / "device/tinympy"
OWN = [name for name in ENGINES["ulab"].files if name.startswith("ulab")]
np = module().numpy
WITH_ULAB = folder() / "micropython-ulab"


def calls(tree: ast.AST) -> list[tuple[str, int, list[str]]]:
    """Each call of a function of `np`: its name, how many arguments by position, and which by keyword."""
    return [
        (node.func.attr, len(node.args), [keyword.arg or "**" for keyword in node.keywords])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "np"
    ]


@pytest.mark.parametrize("name", OWN)
def test_the_engine_asks_for_what_ulab_has(name: str) -> None:
    tree = ast.parse((DEVICE / f"{name}.py").read_text(encoding="utf-8"))
    for function, positional, keywords in calls(tree):
        takes = TABLE[function]
        assert takes.least <= positional <= takes.most and set(keywords) <= set(takes.keywords), function
    names = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np"
    }
    assert names <= set(TABLE) | set(DTYPES)
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
        for alias in node.names
        if node.module == "ulab"
    }
    assert imported <= {"ulab.numpy"}


def test_the_walk_sees_the_calls() -> None:
    source = (DEVICE / "ulab_convolution.py").read_text(encoding="utf-8")
    assert ("frombuffer", 1, ["dtype"]) in calls(ast.parse(source))
    assert {name for name, _, _ in calls(ast.parse(source))} == {"frombuffer", "dot", "array"}


@pytest.mark.parametrize("name", ["int32", "int64", "float64", "einsum", "matmul", "tensordot", "pad", "stack", "int_"])
def test_what_ulab_lacks_is_refused(name: str) -> None:
    assert hasattr(numpy, name)
    with pytest.raises(AttributeError, match=f"ulab has no {name}"):
        getattr(np, name)


@pytest.mark.parametrize("name", ["convolve", "where", "sum"])
def test_what_ulab_has_and_the_engine_does_not_use_is_not_here(name: str) -> None:
    with pytest.raises(AttributeError, match="but it is not here"):
        getattr(np, name)


@pytest.mark.parametrize("name", ["astype", "view", "ravel", "dot", "sum", "swapaxes"])
def test_methods_that_ulab_lacks_are_refused(name: str) -> None:
    assert hasattr(numpy.ndarray, name) and name not in METHODS
    with pytest.raises(AttributeError, match="ulab has no ndarray"):
        getattr(np.array([1.0]), name)


def test_keywords_dimensions_and_indices_that_ulab_lacks_are_refused() -> None:
    array = np.frombuffer(bytes(8), dtype=np.int8)
    with pytest.raises(TypeError, match="takes no keepdims"):
        np.array(array, keepdims=True)
    with pytest.raises(TypeError, match="takes no copy"):
        np.array([1], copy=False)
    with pytest.raises(TypeError, match="by position"):
        np.frombuffer(bytes(8), np.int8)
    with pytest.raises(ValueError, match="2 dimensions at most"):
        array.reshape((2, 2, 2))
    with pytest.raises(ValueError, match="no dtype 'int32'"):
        np.array([1], dtype="int32")
    with pytest.raises(ValueError, match="no dtype"):
        np.array([1], dtype=numpy.int8)
    for index in ([0, 1], None, ..., (0, 0)):
        with pytest.raises(IndexError, match="integers and slices"):
            array[index]


def test_floats_come_out_of_an_array_with_22_bits_as_on_circuitpython() -> None:
    ulab_on_numpy.install()
    from tinympy.device.ulab_requantise import integers

    # What CircuitPython 8.2.9 and 10.0.0 printed, on the emulated RP2040.
    for exact, out in ((2097155, 2097155), (4194307, 4194306), (8388611, 8388608)):
        row = np.dot(np.array([[4096.0, 1.0]]), np.array([[(exact - 3) / 4096], [3.0]]))[0]
        assert int(row[0]) == out and [int(each) for each in row] == [out]
        assert integers(row) == [exact]


def test_sums_are_as_inexact_as_ulabs() -> None:
    ones = np.array([4096.0] * 2 + [1.0] * 3, dtype=np.float)
    squares = np.array([4096.0, 0.0, 1.0, 1.0, 1.0], dtype=np.float)
    # 2^24 + 1 is no float of 32 bits: each of the three is lost.
    assert np.dot(ones, squares) == 1 << 24


SESSION = """
values = bytes(range(120, 180))
signed = np.frombuffer(values, dtype=np.int8, count=24).reshape((4, 6))
unsigned = np.frombuffer(values, dtype=np.uint8, count=18, offset=40).reshape((6, 3))
floats = np.array([[0.5, -3.0, 1024.0], [1, 2, 3], [7, 8, 9], [1, 0, 1], [0, 0, 1], [5, 5, 5]])
said += [np.dot(signed, unsigned), np.dot(signed[:, 2:5], unsigned[1:4, :]), np.dot(unsigned.transpose(), floats)]
said += [np.dot(signed, np.array([1, 2, 3, 4, 5, 6], dtype=np.int8)), np.dot(np.array([[1] * 6]), floats)]
said += [signed * signed, signed[:, 0:3] * unsigned[0:4, :], unsigned * floats, signed[2] * signed[1]]
said += [np.array(signed[:, 1:3], dtype=np.float), signed.transpose(), unsigned[1:3, 0:2]]
said += [floats + floats[1], floats - 0.5, floats * 3, np.floor(floats * 0.75), np.clip(floats, -2, 7)]
said += [np.array(np.floor(np.array([-3.5, 126.9])), dtype=np.int8), list((floats > floats[2]).tobytes())]
rest = floats - 4
rest += np.array([0.5, 0.25, -1])
rest *= rest
far = floats - 4
far -= 70000
said += [rest, far, list(signed.tobytes()), list(np.array(unsigned[:, 0:1], dtype=np.float)[2])]
"""
SHOW = """
def listed(array):
    return [list(row) if isinstance(row, np.ndarray) else row for row in array]
shown = [listed(each) for each in said]
"""


@pytest.mark.skipif(not WITH_ULAB.is_file(), reason=f"no MicroPython with ulab is at {WITH_ULAB}")
def test_it_computes_what_ulab_does_and_its_table_is_ulabs() -> None:
    program = f"from ulab import numpy as np\nsaid = []\n{SESSION}{SHOW}\nprint(shown)\nprint(dir(np))"
    ran = subprocess.run([WITH_ULAB, "-c", program], capture_output=True, text=True, check=True)
    on_board, names = map(ast.literal_eval, ran.stdout.splitlines())
    here: dict[str, Any] = {"np": np, "said": []}
    exec(SESSION + SHOW, here)
    assert on_board == here["shown"]
    assert set(TABLE) <= set(names)


def test_products_wrap_in_their_own_kind_as_ulabs_do() -> None:
    small = np.array([100, 100], dtype=np.int8)
    assert list(small * small) == [16, 16]
    assert list(small * np.array([100, 2], dtype=np.float)) == [10000.0, 200.0]
    assert list(small * np.array([100, 2], dtype=np.uint8)) == [10000, 200]
