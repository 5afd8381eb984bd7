"""How much of an output a kernel for packed sums computes at a time, and the scratch that takes.

Larger blocks share the unpacking of weights among more outputs: 3 cycles a weight against 3 for each of its products.
Every operation begins with a block that is small beside what it reads and writes; when the arena is planned, it grows
into what lies free (`grown`). Of several sizes to begin with, the one with the best plan is taken (place.py).
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from tinympy.compiler.operation import CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, Operation
from tinympy.compiler.parameters import FullyConnected, Window

MAX_BLOCK = 255
_FIRST_POSITIONS = 32
_FIRST_BYTES = 32768
SHARES = (4, 8, 16, 32)
"""A first block takes `_FIRST_BYTES` divided by one of these, or such a part of what the operation reads and writes."""
_FIRST_ROWS = 4
_PLANE_BYTES = 2048


def blocked(operation: Operation, share: int = SHARES[0]) -> Operation:
    """The operation with its first block and scratch."""
    parameters = operation.parameters
    if operation.opcode == CONV_2D:
        assert isinstance(parameters, Window)
        moved = prod(parameters.input_shape) + prod(parameters.output_shape)
        block = min(_FIRST_POSITIONS, _positions(parameters))
        while block > 1 and scratch_bytes(operation, block) > max(_FIRST_BYTES, moved) // share:
            block -= 1
        return _with_block(operation, block)
    if operation.opcode == DEPTHWISE_CONV_2D:
        assert isinstance(parameters, Window)
        if parameters.dilation != (1, 1) or parameters.depth != 1:
            return replace(operation, scratch_bytes=4 * parameters.channels)
        rows = min(parameters.output_shape[0], MAX_BLOCK)
        while rows > _FIRST_ROWS and scratch_bytes(operation, rows) > _PLANE_BYTES:
            rows -= 1
        return _with_block(operation, rows)
    if operation.opcode == FULLY_CONNECTED:
        assert isinstance(parameters, FullyConnected)
        return _with_block(operation, 1) if parameters.inputs % 4 == 0 else operation
    return operation


def grown(operation: Operation, free_bytes: int) -> Operation:
    """The operation with the largest block that takes `free_bytes` of scratch at most, and no smaller one than before.

    Blocks of equal size are best, so no larger than they must be for their number.
    """
    if not operation.block or operation.opcode != CONV_2D:
        return operation
    assert isinstance(operation.parameters, Window)
    positions = _positions(operation.parameters)
    block = operation.block
    while block < min(positions, MAX_BLOCK) and scratch_bytes(operation, block + 1) <= free_bytes:
        block += 1
    blocks = -(-positions // block)
    return _with_block(operation, max(operation.block, -(-positions // blocks)))


def scratch_bytes(operation: Operation, block: int) -> int:
    """What a kernel takes for blocks of this size: native_modules/kernels/ says the same."""
    parameters = operation.parameters
    if isinstance(parameters, FullyConnected):
        return 3 * parameters.inputs
    assert isinstance(parameters, Window)
    height, width = parameters.kernel
    if operation.opcode == CONV_2D:
        return -(-height * width * parameters.depth // 4) * 4 * (5 + 2 * block)
    pairs = -(-height // 2)
    step = 2 if parameters.stride[0] % 2 == 0 else 1
    rows = ((block - 1) * parameters.stride[0] + 2 * (pairs - 1)) // step + 1
    plane = (parameters.output_shape[1] - 1) * parameters.stride[1] + width
    return max(4 * parameters.channels, 4 * (pairs * width + rows * plane))


def _with_block(operation: Operation, block: int) -> Operation:
    return replace(operation, block=block, scratch_bytes=scratch_bytes(operation, block))


def _positions(window: Window) -> int:
    return window.output_shape[0] * window.output_shape[1]
