"""ulab on the computer takes what ulab documents and refuses the rest; the ulab engine asks for nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy
import pytest

from tinympy.engines import ENGINES
from tinympy.ulab_on_numpy import DTYPES, METHODS, TABLE, module

DEVICE = Path(__file__).parents[2] / "device/tinympy"
OWN = [name for name in ENGINES["ulab"].files if name.startswith("ulab")]
np = module().numpy


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
    assert {name for name, _, _ in calls(ast.parse(source))} == {"frombuffer", "dot", "array", "sum"}


@pytest.mark.parametrize("name", ["int32", "int64", "float64", "einsum", "matmul", "tensordot", "pad", "stack", "int_"])
def test_what_ulab_lacks_is_refused(name: str) -> None:
    assert hasattr(numpy, name)
    with pytest.raises(AttributeError, match=f"ulab has no {name}"):
        getattr(np, name)


@pytest.mark.parametrize("name", ["convolve", "clip", "where"])
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
        np.sum(np.array(array, dtype=np.float), axis=0, keepdims=True)
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


def test_sums_are_as_inexact_as_ulabs() -> None:
    ones = np.array([4096.0] * 2 + [1.0] * 3, dtype=np.float)
    squares = np.array([4096.0, 0.0, 1.0, 1.0, 1.0], dtype=np.float)
    # 2^24 + 1 is no float of 32 bits: each of the three is lost.
    assert np.dot(ones, squares) == 1 << 24
    assert np.sum(np.array([float(1 << 24), 1.0, 1.0], dtype=np.float)) == 1 << 24


def test_products_wrap_in_their_own_kind_as_ulabs_do() -> None:
    small = np.array([100, 100], dtype=np.int8)
    assert list(small * small) == [16, 16]
    assert list(small * np.array([100, 2], dtype=np.float)) == [10000.0, 200.0]
    assert list(small * np.array([100, 2], dtype=np.uint8)) == [10000, 200]
