"""How far an operation's output may lie over an input that nobody reads afterwards.

The kernels compute their outputs in an order that native_modules/kernels/tk.h promises ("In place"). So an output may
take the place of an input that it runs behind: as long as it begins far enough below, no byte is written that is still
to be read.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinympy.compiler.loops import LOOP
from tinympy.compiler.operation import (
    AVERAGE_POOL_2D,
    CONV_2D,
    COPY,
    DEPTHWISE_CONV_2D,
    ELEMENTWISE,
    FULLY_CONNECTED,
    GATHER,
    LOG_SOFTMAX,
    LOOKUP,
    MAX_POOL_2D,
    REDUCE,
    SOFTMAX,
    Operation,
    Span,
)
from tinympy.compiler.parameters import Copy, Elementwise, FullyConnected, Gather, Softmax, Window

ANYWHERE = -(1 << 40)
"""The distance of an operation that has read all of its input before it writes."""

_MOST_STEPS = 1 << 16

Positions = npt.NDArray[np.int64]


def distance(operation: Operation, value: int) -> int | None:
    """The least number of bytes by which the output must begin before the input `value` where the two overlap.

    Both begins are those of whole values. May be negative. None: they must not overlap.
    """
    found = [_span_distance(operation, span) for span in (operation.input, *operation.further) if span.value == value]
    known = [each for each in found if each is not None]
    return max(known) if known and len(known) == len(found) else None


def _span_distance(operation: Operation, span: Span) -> int | None:
    rule = _RULES.get(operation.opcode)
    found = None if rule is None else rule(operation, span)
    return None if found is None else found + operation.output.offset - span.offset


def _window(operation: Operation, span: Span) -> int:
    """Position by position; a convolution with more than one tap has read its window before it writes."""
    w = operation.parameters
    assert isinstance(w, Window)
    height, width, channels = w.output_shape
    pixel_bytes = w.input_shape[2]
    row_bytes = w.input_shape[1] * pixel_bytes
    # The lowest row and the lowest column that the windows of an output row or column read.
    rows = np.maximum(np.arange(height) * w.stride[0] - w.padding[0], 0) * row_bytes
    columns = np.maximum(np.arange(width) * w.stride[1] - w.padding[1], 0) * pixel_bytes
    if operation.opcode == DEPTHWISE_CONV_2D and operation.block:
        # Block by block of rows: until the last output of a block is written, its first row of inputs is read.
        first = np.arange(0, height, operation.block)
        return int(np.max(np.minimum(first + operation.block, height) * width * channels - rows[first]))
    gathers = operation.opcode == DEPTHWISE_CONV_2D or (operation.opcode == CONV_2D and w.kernel != (1, 1))
    still_read = columns[1:] if gathers else columns
    written = (np.arange(len(still_read)) + 1) * channels
    needed = ANYWHERE
    if len(still_read):
        needed = int(np.max(np.arange(height) * width * channels - rows) + np.max(written - still_read))
    if height > 1:
        # With the end of a row, the next one is still to be read.
        needed = max(needed, int(np.max(np.arange(1, height) * width * channels - rows[1:])))
    return needed


def _rows(operation: Operation, span: Span) -> int:
    """Row by row, all of an input row being read for each element of the output row."""
    p = operation.parameters
    assert isinstance(p, FullyConnected)
    return p.outputs + max(0, (p.batches - 1) * (p.outputs - p.inputs))


def _elements(operation: Operation, span: Span) -> int:
    """No element is read after the one at its place, or one behind it, is written."""
    return 0


def _softmax(operation: Operation, span: Span) -> int | None:
    p = operation.parameters
    assert isinstance(p, Softmax)
    return 0 if p.output_bytes == 1 else None


def _elementwise(operation: Operation, span: Span) -> int | None:
    p = operation.parameters
    assert isinstance(p, Elementwise)
    return None if p.broadcast[0 if span is operation.input else 1] else 0


def _copy(operation: Operation, span: Span) -> int | None:
    p, constants = operation.parameters, operation.constants
    assert isinstance(p, Copy) and isinstance(constants, bytes)
    loops = [LOOP.unpack_from(constants, LOOP.size * index) for index in range(p.loops)]
    if math.prod(count for count, _, _ in loops) > _MOST_STEPS:
        return None
    reads, writes = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for count, input_stride, output_stride in loops:
        reads, writes = (
            (begins[:, None] + stride * np.arange(count)).reshape(-1)
            for begins, stride in ((reads, input_stride), (writes, output_stride))
        )
    return _moving(reads, writes, p.element_bytes)


def _gather(operation: Operation, span: Span) -> int | None:
    p, constants = operation.parameters, operation.constants
    assert isinstance(p, Gather) and isinstance(constants, bytes)
    if p.outer * p.indices > _MOST_STEPS:
        return None
    indices = np.array(struct.unpack_from(f"<{p.indices}H", constants), np.int64)
    reads = (np.arange(p.outer)[:, None] * p.blocks + indices).reshape(-1) * p.block_bytes
    return _moving(reads, np.arange(reads.size) * p.block_bytes, p.block_bytes)


def _moving(reads: Positions, writes: Positions, element_bytes: int) -> int:
    """Elements one after another, each from its first to its last byte."""
    within = int(np.max(writes - reads))
    if reads.size == 1:
        return within
    written = np.maximum.accumulate(writes)[:-1] + element_bytes
    still_read = np.minimum.accumulate(reads[:0:-1])[::-1]
    return max(within, int(np.max(written - still_read)))


_RULES: dict[int, Callable[[Operation, Span], int | None]] = {
    CONV_2D: _window,
    DEPTHWISE_CONV_2D: _window,
    FULLY_CONNECTED: _rows,
    AVERAGE_POOL_2D: _window,
    SOFTMAX: _softmax,
    MAX_POOL_2D: _window,
    ELEMENTWISE: _elementwise,
    LOOKUP: _elements,
    REDUCE: _elements,
    COPY: _copy,
    GATHER: _gather,
    LOG_SOFTMAX: _elements,
}
