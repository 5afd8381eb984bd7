"""What goes into a model and what comes out: as its user has it, and as the raw integers that the program holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinympy.compiler.check import check
from tinympy.compiler.fold import fold
from tinympy.model.edges import inner_tensor
from tinympy.model.graph import Graph
from tinympy.model.quantise import integer_range, is_count, scale_of, zero_point_of
from tinympy.model.read import read

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class End:
    """An input or output. `dtype` is the model's, float32 where it quantises by itself; `raw_dtype` the program's.

    real value = scale * (raw - zero_point). `operator` names what computes it, "" for an input.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    raw_dtype: str
    scale: float
    zero_point: int
    raw_range: tuple[int, int]
    operator: str = ""

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def bytes(self) -> int:
        return self.elements * np.dtype(self.raw_dtype).itemsize

    @property
    def real_range(self) -> tuple[float, float]:
        """Least and greatest real value."""
        low, high = self.raw_range
        return (low - self.zero_point) * self.scale, (high - self.zero_point) * self.scale

    def quantised(self, real: Array) -> Array:
        """Raw integers of real values as TFLM makes them: single precision, halves away from zero, clamped."""
        with np.errstate(over="ignore"):
            ratio = np.nan_to_num(np.asarray(real, np.float32) / np.float32(self.scale), nan=0.0).astype(np.float64)
        rounded = np.sign(ratio) * np.floor(np.abs(ratio) + 0.5) + self.zero_point
        raw: Array = np.clip(rounded, *self.raw_range).astype(self.raw_dtype)
        return raw

    def real(self, raw: Array) -> Array:
        """Real values of raw integers, float32."""
        return (self.scale * (raw.astype(np.float64) - self.zero_point)).astype(np.float32)

    def given(self, raw: Array) -> Array:
        """Raw integers in the model's own dtype and shape."""
        return (self.real(raw) if self.dtype == "float32" else raw.astype(self.dtype)).reshape(self.shape)


@dataclass(frozen=True)
class Signature:
    """All inputs and outputs of a model, in its order."""

    inputs: tuple[End, ...]
    outputs: tuple[End, ...]

    @classmethod
    def read(cls, content: bytes) -> Signature:
        """That of a `.tflite` file; ModelError when it is damaged, or not one that can run at all."""
        return cls.of(check(fold(read(content))))

    @classmethod
    def of(cls, graph: Graph) -> Signature:
        """Raises ModelError for a graph that the compiler's `check` refuses."""
        return cls(
            tuple(_end(graph, index) for index in graph.inputs), tuple(_end(graph, index) for index in graph.outputs)
        )

    @property
    def input_bytes(self) -> int:
        return sum(end.bytes for end in self.inputs)


def parts(data: bytes, ends: Sequence[End]) -> list[Array]:
    """Raw tensors, each of its end's raw dtype and shape, that stand one after another in `data`."""
    found, at = [], 0
    for end in ends:
        found.append(np.frombuffer(data, end.raw_dtype, end.elements, at).reshape(end.shape))
        at += end.bytes
    return found


def _end(graph: Graph, index: int) -> End:
    tensor, inner = graph.tensors[index], graph.tensors[inner_tensor(graph, index)]
    writers = [operator.name for operator in graph.operators if inner_tensor(graph, index) in operator.outputs]
    return End(
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.dtype,
        raw_dtype=inner.dtype,
        scale=1.0 if is_count(inner) else float(scale_of(inner)),
        zero_point=0 if is_count(inner) else zero_point_of(inner),
        raw_range=integer_range(inner),
        operator="" if index in graph.inputs else "".join(writers),
    )
