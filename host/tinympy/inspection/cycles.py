"""Estimated latency: cycles of each operator from counts of this repository's kernels, by architecture.

For armv6m cycles were counted on the emulated RP2040 (tests/benchmarks/cycles.py), which does not model the flash's
latency. An operator's cycles are taken as linear in its multiply-accumulates and in the elements it reads and writes;
what comes of that is within 10 % of the count for whole networks (tests/board/test_estimates.py).

For the others instructions were counted under QEMU (docs/instructions.md), and each is taken as one cycle: about the
least that a core without parallel execution needs, for loads, branches and flash take longer. Whole networks are within
15 % of the count, the streaming one up to 40 % too little (tests/unit/test_estimated_latency.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinympy.compiler.fuse import fuse
from tinympy.inspection.work import macs
from tinympy.model.graph import Graph, Operator

_COUNTED = "cycles counted on the emulated RP2040, flash without latency"
_TAKEN = "instructions counted under QEMU, taken as a cycle each: most cores need more"


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


def _scaled(factor: float, counted: Mapping[str, Cost]) -> dict[str, Cost]:
    """The operators that were `counted`; the others as on armv6m, times `factor`."""
    others = {
        name: Cost(factor * cost.per_mac, factor * cost.per_input, factor * cost.per_output)
        for name, cost in _ARMV6M.items()
        if cost is not _NOTHING
    }
    return {**_ARMV6M, **others, **counted}


_COSTS = {
    "armv6m": _ARMV6M,
    "armv7m": _scaled(
        0.8,
        {
            "ADD": Cost(per_output=30.8),
            "AVERAGE_POOL_2D": Cost(per_input=2.75, per_output=33),
            "CONV_2D": Cost(per_mac=2.81, per_output=36),
            "DEPTHWISE_CONV_2D": Cost(per_mac=11.1),
            "FULLY_CONNECTED": Cost(per_mac=2.93, per_output=90),
            "SOFTMAX": Cost(per_output=86),
        },
    ),
    "armv7emsp": _scaled(
        0.7,
        {
            "ADD": Cost(per_output=25),
            "AVERAGE_POOL_2D": Cost(per_input=2.75, per_output=33),
            "CONV_2D": Cost(per_mac=0.86, per_output=19),
            "DEPTHWISE_CONV_2D": Cost(per_mac=3.9),
            "FULLY_CONNECTED": Cost(per_mac=1.4, per_output=66),
            "SOFTMAX": Cost(per_output=87),
        },
    ),
    "rv32imc": _scaled(
        1.0,
        {
            "ADD": Cost(per_output=39.8),
            "AVERAGE_POOL_2D": Cost(per_input=2.76, per_output=27),
            "CONV_2D": Cost(per_mac=2.79, per_output=32),
            "DEPTHWISE_CONV_2D": Cost(per_mac=11.6),
            "FULLY_CONNECTED": Cost(per_mac=3.6, per_output=84),
            "SOFTMAX": Cost(per_output=85),
        },
    ),
    "xtensawin": _scaled(
        1.1,
        {
            "ADD": Cost(per_output=43.5),
            "AVERAGE_POOL_2D": Cost(per_input=2.73, per_output=30),
            "CONV_2D": Cost(per_mac=3.58, per_output=40),
            "DEPTHWISE_CONV_2D": Cost(per_mac=12.6),
            "FULLY_CONNECTED": Cost(per_mac=3.48, per_output=106),
            "SOFTMAX": Cost(per_output=118),
        },
    ),
}
# What their firmware loads (deploy.py).
_COSTS |= {"armv7em": _COSTS["armv7m"], "armv7emdp": _COSTS["armv7emsp"]}


def source(arch: str) -> str:
    """What an estimate for architecture `arch` is based on."""
    return _COUNTED if arch == "armv6m" else _TAKEN


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
