"""ulab on the computer: the part of it that the ulab engine uses, made of numpy and no wider than ulab is.

ulab (github.com/v923z/micropython-ulab, manual and code of 2026-04) is a small numpy for boards: arrays of two
dimensions at most, no integers of 32 bits, floats of 32 bits on most boards, few keyword arguments. What it lacks, this
refuses, so that code which runs here runs there. TABLE is all of `ulab.numpy`; what the engine does not use is in it,
and is refused with another reason. Python's own floats are as CircuitPython's where they go into an array or come out
of one: of 30 bits.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import numpy.typing as npt

MOST_DIMENSIONS = 2
DTYPES = {
    "bool": numpy.bool_,
    "uint8": numpy.uint8,
    "int8": numpy.int8,
    "uint16": numpy.uint16,
    "int16": numpy.int16,
    "float": numpy.float32,
}
_NAMES: dict[Any, str] = {numpy.dtype(dtype): name for name, dtype in DTYPES.items()}
# The product or sum of arrays of two kinds; of one kind it is of that kind, with a float it is a float.
_UPCAST = {
    frozenset(("uint8", "int8")): "int16",
    frozenset(("uint8", "int16")): "int16",
    frozenset(("uint8", "uint16")): "uint16",
    frozenset(("int8", "int16")): "int16",
    frozenset(("int8", "uint16")): "uint16",
    frozenset(("uint16", "int16")): "float",
}


@dataclass(frozen=True)
class Function:
    """What a function takes: at least and at most so many arguments by position, and these by keyword."""

    least: int
    most: int
    keywords: tuple[str, ...] = ()


def _elementwise(*names: str) -> dict[str, Function]:
    return {name: Function(1, 1) for name in names}


TABLE: dict[str, Function] = {
    "array": Function(1, 1, ("dtype",)),
    "frombuffer": Function(1, 1, ("dtype", "count", "offset")),
    "arange": Function(1, 3, ("dtype",)),
    "concatenate": Function(1, 1, ("axis",)),
    "diag": Function(1, 1, ("k",)),
    "empty": Function(1, 1, ("dtype",)),
    "eye": Function(1, 1, ("M", "k", "dtype")),
    "full": Function(2, 2, ("dtype",)),
    "linspace": Function(2, 2, ("num", "endpoint", "retstep", "dtype")),
    "logspace": Function(2, 2, ("num", "endpoint", "base", "dtype")),
    "ones": Function(1, 1, ("dtype",)),
    "zeros": Function(1, 1, ("dtype",)),
    "all": Function(1, 1, ("axis",)),
    "any": Function(1, 1, ("axis",)),
    "argmax": Function(1, 1, ("axis",)),
    "argmin": Function(1, 1, ("axis",)),
    "argsort": Function(1, 1, ("axis",)),
    "clip": Function(3, 3),
    "convolve": Function(2, 2),
    "cross": Function(2, 2),
    "diff": Function(1, 1, ("n", "axis")),
    "dot": Function(2, 2),
    "equal": Function(2, 2),
    "flip": Function(1, 1, ("axis",)),
    "interp": Function(3, 3, ("left", "right")),
    "isfinite": Function(1, 1),
    "isinf": Function(1, 1),
    "max": Function(1, 1, ("axis",)),
    "maximum": Function(2, 2),
    "mean": Function(1, 1, ("axis",)),
    "median": Function(1, 1, ("axis",)),
    "min": Function(1, 1, ("axis",)),
    "minimum": Function(2, 2),
    "not_equal": Function(2, 2),
    "polyfit": Function(2, 3),
    "polyval": Function(2, 2),
    "roll": Function(2, 2, ("axis",)),
    "sort": Function(1, 1, ("axis",)),
    "std": Function(1, 1, ("axis", "ddof")),
    "sum": Function(1, 1, ("axis",)),
    "trace": Function(1, 1),
    "trapz": Function(1, 2, ("dx",)),
    "where": Function(3, 3),
    "arctan2": Function(2, 2),
    "around": Function(1, 1, ("decimals",)),
    **_elementwise("acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "degrees", "exp", "expm1"),
    **_elementwise("floor", "log", "log10", "log2", "radians", "sin", "sinc", "sinh", "sqrt", "tan", "tanh"),
}
METHODS: dict[str, Function] = {
    "byteswap": Function(0, 0, ("inplace",)),
    "copy": Function(0, 0),
    "flatten": Function(0, 0, ("order",)),
    "reshape": Function(1, 1),
    "sort": Function(0, 0, ("axis",)),
    "tobytes": Function(0, 0),
    "tolist": Function(0, 0),
    "transpose": Function(0, 0),
}


class Array:
    """An array of one or two dimensions of one of DTYPES."""

    def __init__(self, data: npt.NDArray[Any]) -> None:
        if data.ndim > MOST_DIMENSIONS:
            raise ValueError(f"ulab's arrays have {MOST_DIMENSIONS} dimensions at most, not {data.ndim}")
        if data.dtype not in _NAMES:
            raise ValueError(f"ulab has no arrays of {data.dtype}")
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return map(_result, self._data)

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > self._data.ndim or not all(isinstance(each, (int, slice)) for each in keys):
            raise IndexError(f"ulab's arrays are indexed by integers and slices, not by {key!r}")
        return _result(self._data[key])

    def __add__(self, other: Any) -> Array:
        return self._with(other, numpy.add)

    def __sub__(self, other: Any) -> Array:
        return self._with(other, numpy.subtract)

    def __mul__(self, other: Any) -> Array:
        return self._with(other, numpy.multiply)

    def __iadd__(self, other: Any) -> Array:
        return self._in_place(other, numpy.add)

    def __isub__(self, other: Any) -> Array:
        return self._in_place(other, numpy.subtract)

    def __imul__(self, other: Any) -> Array:
        return self._in_place(other, numpy.multiply)

    def __gt__(self, other: Any) -> Array:
        return Array(numpy.greater(self._data, self._operand(other)))

    def _with(self, other: Any, operation: Callable[..., Any]) -> Array:
        operand = self._operand(other)
        kind = DTYPES[_upcast(_NAMES[self._data.dtype], _NAMES[operand.dtype])]
        return Array(operation(self._data.astype(kind), operand.astype(kind)))

    def _in_place(self, other: Any, operation: Callable[..., Any]) -> Array:
        if _NAMES[self._data.dtype] != "float":
            raise NotImplementedError("in place only floats are here")
        operation(self._data, self._operand(other).astype(numpy.float32), out=self._data)
        return self

    def _operand(self, other: Any) -> npt.NDArray[Any]:
        if isinstance(other, Array):
            return other._data
        if _NAMES[self._data.dtype] != "float":
            raise NotImplementedError("with numbers only floats are here")
        return numpy.asarray(_number(other), numpy.float32)

    def __getattr__(self, name: str) -> Any:
        if name in METHODS and name in _METHODS:
            return _checked(f"ndarray.{name}", METHODS[name], types.MethodType(_METHODS[name], self))
        raise AttributeError(_missing(f"ndarray.{name}", name in METHODS))


def _reshape(self: Array, shape: tuple[int, ...]) -> Array:
    if not isinstance(shape, tuple):
        raise TypeError("shape must be a tuple of integers")
    return Array(self._data.reshape(shape))


def _transpose(self: Array) -> Array:
    return Array(self._data.transpose())


def _tobytes(self: Array) -> bytearray:
    return bytearray(self._data.tobytes())


_METHODS: dict[str, Callable[..., Any]] = {"reshape": _reshape, "tobytes": _tobytes, "transpose": _transpose}


def _array(values: Any, dtype: str = "float") -> Array:
    if isinstance(values, Array):
        return Array(values._data.astype(_dtype(dtype)))
    rows = [[_number(value) for value in row] if isinstance(row, list) else _number(row) for row in values]
    return Array(numpy.array(rows, dtype=_dtype(dtype)))


def _frombuffer(buffer: Any, dtype: str = "float", count: int = -1, offset: int = 0) -> Array:
    return Array(numpy.frombuffer(buffer, dtype=_dtype(dtype), count=count, offset=offset))


def _dot(first: Any, second: Any) -> Any:
    if not isinstance(first, Array) or not isinstance(second, Array):
        raise TypeError("arguments must be ndarrays")
    a, b = first._data, second._data
    if a.shape[-1] != b.shape[0]:
        raise ValueError("dimensions do not match")
    left, right = numpy.atleast_2d(a).astype(numpy.float32), b.astype(numpy.float32).reshape(len(b), -1)
    # In the order in which ulab adds, in its precision: a sum that is not exact is as wrong here as there.
    total = numpy.zeros((len(left), right.shape[1]), numpy.float32)
    for k in range(len(right)):
        total += left[:, k, None] * right[k]
    if a.ndim == b.ndim == 1:
        return _number(total[0, 0].item())
    return Array(total if a.ndim == b.ndim else total.reshape(-1))


def _floor(array: Array) -> Array:
    return Array(numpy.floor(array._data))


def _clip(array: Array, low: int, high: int) -> Array:
    return Array(numpy.clip(array._data, low, high))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "array": _array,
    "clip": _clip,
    "dot": _dot,
    "floor": _floor,
    "frombuffer": _frombuffer,
}


class _Numpy(types.ModuleType):
    """The module `ulab.numpy`."""

    ndarray = Array

    def __getattr__(self, name: str) -> Any:
        if name in DTYPES:
            return name
        if name in TABLE and name in _FUNCTIONS:
            return _checked(name, TABLE[name], _FUNCTIONS[name])
        raise AttributeError(_missing(name, name in TABLE))


def module() -> types.ModuleType:
    """The module `ulab`."""
    made = types.ModuleType("ulab")
    made.numpy = _Numpy("ulab.numpy")  # type: ignore[attr-defined]
    return made


def install() -> None:
    """Make `from ulab import numpy` give this one, unless there is a real one."""
    try:
        import ulab  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        made = module()
        sys.modules["ulab"], sys.modules["ulab.numpy"] = made, made.numpy


def _result(value: Any) -> Any:
    """A row of an array as an array, a single number as Python's."""
    return Array(value) if isinstance(value, numpy.ndarray) and value.ndim else _number(value.item())


def _number(value: Any) -> Any:
    """A number as Python's of CircuitPython (MICROPY_OBJ_REPR_C): floats lose their two lowest bits."""
    if not isinstance(value, float):
        return value
    bits = numpy.float32(value).view(numpy.uint32)
    return (bits & numpy.uint32(0xFFFFFFFC)).view(numpy.float32).item()


def _dtype(name: Any) -> Any:
    if not isinstance(name, str) or name not in DTYPES:
        raise ValueError(f"ulab has no dtype {name!r}")
    return DTYPES[name]


def _upcast(first: str, second: str) -> str:
    if first == second:
        return first
    return "float" if "float" in (first, second) else _UPCAST[frozenset((first, second))]


def _missing(name: str, in_ulab: bool) -> str:
    return f"ulab has {name}, but it is not here" if in_ulab else f"ulab has no {name}"


def _checked(name: str, takes: Function, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        if not takes.least <= len(arguments) <= takes.most:
            raise TypeError(f"ulab's {name} takes {takes.least} to {takes.most} arguments by position")
        if unknown := set(keywords) - set(takes.keywords):
            raise TypeError(f"ulab's {name} takes no {', '.join(sorted(unknown))}")
        return function(*arguments, **keywords)

    return call
