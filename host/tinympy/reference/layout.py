"""Operators that only move values, repeat them, or give them another shape.

Sources: TFLM's pad_common.cc, mirror_pad.cc, concatenation.cc, reshape.cc, expand_dims.cc, squeeze.cc, transpose.cc,
shape.cc, fill.cc, zeros_like.cc, pack.cc, unpack.cc, split.cc, split_v.cc, gather.cc, reverse.cc, broadcast_to.cc,
slice.cc, strided_slice_common.cc and the reference headers that they call. Any dtype is moved, also where TFLM has no
kernel for it: constant folding needs integers that stand for shapes.
"""

from __future__ import annotations

import numpy as np

from tinympy.model.quantise import scale_of, zero_point_of
from tinympy.reference.node import Array, Node


def reshape(node: Node) -> list[Array]:
    """RESHAPE, EXPAND_DIMS and SQUEEZE: the shape is that of the output's tensor."""
    return [node.input(0)]


def shape(node: Node) -> list[Array]:
    node.require(node.output.dtype in ("int32", "int64"), f"{node.output.dtype} output")
    return [np.array(node.tensor(0).shape, node.output.dtype)]


def fill(node: Node) -> list[Array]:
    """Inputs: shape, value."""
    node.require(node.input(1).size == 1, f"{node.input(1).size} values to fill with")
    sizes = tuple(node.integers(0))
    node.require(sizes == node.output.shape, f"shape {sizes} for an output of shape {node.output.shape}")
    return [np.full(sizes, node.input(1).reshape(()))]


def zeros_like(node: Node) -> list[Array]:
    """The integer 0, whatever the zero point."""
    return [np.zeros_like(node.input(0))]


def pad(node: Node) -> list[Array]:
    """PAD and PADV2: with the given constant, or with what stands for 0 in the output."""
    value = 0
    constant = node.optional_input(2)
    if constant is not None:
        node.require(constant.size == 1, f"{constant.size} values to pad with")
        value = constant.reshape(-1)[0]
    if node.output.dtype == "int8":
        value = zero_point_of(node.output) if constant is None else value
        same = constant is None or _same_quantisation(node, 2)
        node.require(same, "the value to pad with is quantised differently from the output")
    return [np.pad(node.input(0), _paddings(node), constant_values=value)]


def mirror_pad(node: Node) -> list[Array]:
    """By mirrors at the outermost values (REFLECT) or behind them (SYMMETRIC)."""
    widths, mode = _paddings(node), node.options.get("mode", "REFLECT")
    node.require(mode in ("REFLECT", "SYMMETRIC"), f"mode {mode}")
    for size, (before, behind) in zip(node.tensor(0).shape, widths, strict=True):
        node.require(max(before, behind) <= size - (mode == "REFLECT"), "it pads by more than there is to mirror")
    return [np.pad(node.input(0), widths, mode="reflect" if mode == "REFLECT" else "symmetric")]


def _paddings(node: Node) -> list[tuple[int, int]]:
    """Places before and behind, for each dimension."""
    numbers = node.integers(1)
    node.require(len(numbers) == 2 * node.input(0).ndim, f"{len(numbers)} paddings for {node.input(0).ndim} dimensions")
    node.require(min(numbers, default=0) >= 0, "a negative padding")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def concatenation(node: Node) -> list[Array]:
    node.require(node.options.get("fused_activation_function", "NONE") == "NONE", "a fused activation")
    if node.output.dtype == "int8":
        same = all(_same_quantisation(node, position) for position in range(len(node.inputs)))
        node.require(same, "inputs and output must share scale and zero point")
    return [np.concatenate([node.input(i) for i in range(len(node.inputs))], node.options.get("axis", 0))]


def _same_quantisation(node: Node, position: int) -> bool:
    tensor, output = node.tensor(position), node.output
    return scale_of(tensor) == scale_of(output) and zero_point_of(tensor) == zero_point_of(output)


def pack(node: Node) -> list[Array]:
    return [np.stack([node.input(i) for i in range(len(node.inputs))], node.options.get("axis", 0))]


def unpack(node: Node) -> list[Array]:
    return list(np.moveaxis(node.input(0), node.options.get("axis", 0), 0))


def split(node: Node) -> list[Array]:
    """Inputs: axis, values."""
    [axis] = node.integers(0)
    return np.split(node.input(1), len(node.output_tensors), axis)


def split_v(node: Node) -> list[Array]:
    """Inputs: values, sizes, axis; the sizes that count are those of the outputs."""
    [axis] = node.integers(2)
    values = node.input(0)
    sizes = [tensor.shape[axis] for tensor in node.output_tensors]
    node.require(sum(sizes) == values.shape[axis], f"parts of {sizes} from {values.shape[axis]}")
    return np.split(values, np.cumsum(sizes)[:-1], axis)


def transpose(node: Node) -> list[Array]:
    return [np.transpose(node.input(0), node.integers(1))]


def reverse(node: Node) -> list[Array]:
    """Along axes that stand side by side."""
    values, axes = node.input(0), node.input(1)
    node.require(axes.ndim == 1, f"axes of shape {axes.shape}")
    turned = sorted(axis + values.ndim if axis < 0 else axis for axis in node.integers(1))
    node.require(len(turned) > 0 and turned == list(range(turned[0], turned[0] + len(turned))), f"axes {turned}")
    return [np.flip(values, tuple(turned))]


def broadcast_to(node: Node) -> list[Array]:
    return [np.broadcast_to(node.input(0), node.integers(1))]


def gather(node: Node) -> list[Array]:
    """Slices of the values by their indices along `axis`; the first `batch_dims` dimensions go side by side."""
    values, indices = node.input(0), node.input(1)
    node.require(indices.dtype.kind == "i", f"indices of {indices.dtype}")
    axis, batches = node.options.get("axis", 0), node.options.get("batch_dims", 0)
    axis += values.ndim if axis < 0 else 0
    batches += indices.ndim if batches < 0 else 0
    node.require(0 <= batches <= axis < values.ndim, f"axis {axis} and {batches} batch dimensions")
    node.require(values.shape[:batches] == indices.shape[:batches], f"indices of shape {indices.shape}")
    count = values.shape[axis]
    node.require(bool(np.all((indices >= 0) & (indices < count))), f"an index outside 0 … {count - 1}")
    rows = values.reshape(-1, *values.shape[batches:])
    columns = indices.reshape(len(rows), *indices.shape[batches:])
    return [np.stack([np.take(row, column, axis - batches) for row, column in zip(rows, columns, strict=True)])]


def slice_(node: Node) -> list[Array]:
    """Inputs: values, begin, size (-1: to the end)."""
    values, begins, sizes = node.input(0), node.integers(1), node.integers(2)
    ranges = []
    for count, begin, size in zip(values.shape, begins, sizes, strict=True):
        end = count if size == -1 else begin + size
        node.require(0 <= begin <= end <= count, f"a slice {begin} … {end} of {count}")
        ranges.append(slice(begin, end))
    return [values[tuple(ranges)]]


def strided_slice(node: Node) -> list[Array]:
    """Inputs: values, begin, end, strides, as in Python's indexing; a bit of a mask for each dimension."""
    values, options = node.input(0), node.options
    for option in ("ellipsis_mask", "new_axis_mask", "offset"):
        node.require(not options.get(option, 0), f"option {option}")
    begin_mask, end_mask = options.get("begin_mask", 0), options.get("end_mask", 0)
    ranges = []
    bounds = zip(values.shape, node.integers(1), node.integers(2), node.integers(3), strict=True)
    for axis, (count, begin, end, stride) in enumerate(bounds):
        node.require(stride != 0, "a stride of 0")
        bit = 1 << axis
        if options.get("shrink_axis_mask", 0) & bit:
            begin = 0 if begin_mask & bit else begin + (count if begin < 0 else 0)
            node.require(stride > 0 and 0 <= begin < count, f"index {begin} of {count}")
            ranges.append(np.arange(begin, begin + 1))
        else:
            part = slice(None if begin_mask & bit else begin, None if end_mask & bit else end, stride)
            ranges.append(np.arange(*part.indices(count)))
    return [values[np.ix_(*ranges)]]
