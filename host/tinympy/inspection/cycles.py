"""Estimated latency: cycles of each operator from counts on the emulated RP2040 (tests/benchmarks/cycles.py).

A count is of this repository's kernels as built for armv6m, on an emulator that does not model the flash's latency.
An operator's cycles are taken as linear in its multiply-accumulates and in the elements it reads and writes; what comes
of that is within 10 % of the count for whole networks (tests/board/test_estimates.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from tinympy.compiler.fuse import fuse
from tinympy.inspection.work import macs
from tinympy.model.graph import Graph, Operator

SOURCE = "cycles counted on the emulated RP2040, flash without latency"


@dataclass(frozen=True)
class Cost:
    """Cycles for each multiply-accumulate, each element of the inputs computed before, each element of the outputs."""

    per_mac: float = 0.0
    per_input: float = 0.0
    per_output: float = 0.0


# For each call of a kernel, and for each inference.
_CYCLES_PER_OPERATOR = 3_000
_CYCLES_PER_INFERENCE = 5_700

_NOTHING = Cost()
_WINDOWS = Cost(per_mac=2.84, per_output=52)
_ROWS = Cost(per_mac=4.4, per_output=110)
_ADDITION = Cost(per_output=37)
_COMPARISON = Cost(per_output=43)
_TABLE = Cost(per_output=12.3)
_BLOCKS = Cost(per_output=9.4)
_ELEMENTS = Cost(per_output=27)

_ARMV6M = {
    "ABS": _TABLE,
    "ADD": _ADDITION,
    "ARG_MAX": Cost(per_input=13.5),
    "ARG_MIN": Cost(per_input=13.5),
    "ASSIGN_VARIABLE": Cost(per_input=9.4),
    "AVERAGE_POOL_2D": Cost(per_input=4.9, per_output=55),
    "BATCH_MATMUL": Cost(per_mac=15.2, per_output=60),
    "BATCH_TO_SPACE_ND": _ELEMENTS,
    "BROADCAST_TO": _BLOCKS,
    "CALL_ONCE": _NOTHING,
    "CONCATENATION": _BLOCKS,
    "CONV_2D": _WINDOWS,
    "DEPTHWISE_CONV_2D": Cost(per_mac=2.2, per_output=70),
    "DEPTH_TO_SPACE": _BLOCKS,
    "DEQUANTIZE": _NOTHING,
    "ELU": _TABLE,
    "EXPAND_DIMS": _NOTHING,
    "FULLY_CONNECTED": _ROWS,
    "GATHER": _BLOCKS,
    "HARD_SWISH": _TABLE,
    "LEAKY_RELU": _TABLE,
    "LOGISTIC": _TABLE,
    "LOG_SOFTMAX": Cost(per_output=128),
    "MAXIMUM": _COMPARISON,
    "MAX_POOL_2D": Cost(per_input=10, per_output=80),
    "MEAN": Cost(per_input=9.7, per_output=100),
    "MINIMUM": _COMPARISON,
    "MIRROR_PAD": _BLOCKS,
    "MUL": Cost(per_output=168),
    "NEG": _TABLE,
    "PACK": _BLOCKS,
    "PAD": Cost(per_output=17),
    "PADV2": Cost(per_output=17),
    "PRELU": Cost(per_output=161),
    "QUANTIZE": _TABLE,
    "READ_VARIABLE": _BLOCKS,
    "REDUCE_MAX": Cost(per_input=13.5),
    "REDUCE_MIN": Cost(per_input=13.5),
    "RELU": _TABLE,
    "RELU6": _TABLE,
    "RESHAPE": _NOTHING,
    "RESIZE_BILINEAR": Cost(per_output=56),
    "RESIZE_NEAREST_NEIGHBOR": Cost(per_output=12),
    "REVERSE_V2": _BLOCKS,
    "SLICE": _BLOCKS,
    "SOFTMAX": Cost(per_output=62),
    "SPACE_TO_BATCH_ND": _ELEMENTS,
    "SPACE_TO_DEPTH": _BLOCKS,
    "SPLIT": _BLOCKS,
    "SPLIT_V": _BLOCKS,
    "SQUEEZE": _NOTHING,
    "STRIDED_SLICE": _BLOCKS,
    "SUB": _ADDITION,
    "SUM": Cost(per_input=9.7, per_output=100),
    "SVDF": Cost(per_mac=10.1, per_output=300),
    "TANH": _TABLE,
    "TRANSPOSE": _ELEMENTS,
    "TRANSPOSE_CONV": Cost(per_mac=2.95, per_output=80),
    "UNPACK": _BLOCKS,
    "VAR_HANDLE": _NOTHING,
}

_COSTS = {"armv6m": _ARMV6M}


def operator_cycles(graph: Graph, operator: Operator, arch: str) -> float | None:
    """Cycles of one operator on a core of architecture `arch`; None where nothing was counted."""
    cost = _COSTS.get(arch, {}).get(operator.name)
    if cost is None:
        return None
    if cost is _NOTHING:
        return 0.0
    computed = [graph.tensors[i] for i in operator.inputs if i >= 0 and graph.tensors[i].data is None]
    read = sum(tensor.elements for tensor in computed)
    written = sum(graph.tensors[i].elements for i in operator.outputs)
    products = cost.per_mac * macs(graph, operator)
    return _CYCLES_PER_OPERATOR + products + cost.per_input * read + cost.per_output * written


def inference_cycles(graph: Graph, arch: str) -> float | None:
    """Cycles of one inference; None where an operator of the graph was not counted on this architecture."""
    total = float(_CYCLES_PER_INFERENCE)
    for operator in fuse(graph).remaining.values():
        cycles = operator_cycles(graph, operator, arch)
        if cycles is None:
            return None
        total += cycles
    return total
