"""The graph: what a `.tflite` file says, as plain data. `read` makes one, `write` turns one back into a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Quantization:
    """Affine quantisation, real = scale * (q - zero_point), per tensor (one entry) or per channel along `axis`."""

    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.int64]
    axis: int = 0

    @classmethod
    def per_tensor(cls, scale: float, zero_point: int = 0) -> Quantization:
        return cls(np.array([scale], np.float32), np.array([zero_point], np.int64))


@dataclass(frozen=True)
class Tensor:
    """A value between operators, or a constant when `data` (of `shape` and `dtype`) is given."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """A numpy name: int8, int16, int32, float32, …; `resource` for the handle of a variable."""
    quantization: Quantization | None = None
    data: npt.NDArray[Any] | None = None
    is_variable: bool = False
    """Keeps its value from one inference to the next; the operator that has it as an input changes it."""
    is_sparse: bool = False
    """A constant whose zeros the file leaves out; `read` leaves `data` out with them."""

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Operator:
    """One node: TFLite's builtin name, indices into the graph's tensors (-1: an absent optional input), options."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the schema's options table, in snake case; enumerations by their schema name ("SAME", "RELU")."""


@dataclass(frozen=True)
class Graph:
    """One subgraph, and what its CALL_ONCE does; operators stand in execution order."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    description: str = ""
    initial_values: Mapping[str, Tensor] = field(default_factory=dict)
    """The constants that CALL_ONCE assigns to variables, by the variable's name (`shared_name` of its VAR_HANDLE)."""
    folded: frozenset[int] = frozenset()
    """Indices of the operators for which nothing is left to do: their results are constants, or others' work."""

    @property
    def remaining(self) -> dict[int, Operator]:
        """The operators that are not folded, by their indices."""
        return {index: operator for index, operator in enumerate(self.operators) if index not in self.folded}
