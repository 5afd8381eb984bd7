"""Models of one operator each that only moves values: see `generated` for what they are drawn by."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from generated import CHANNELS, Builder, Draw
from tinympy.model.graph import Graph

SIZES = st.integers(1, 7)


def shapes(most: int, least: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(SIZES, min_size=least, max_size=most).map(tuple)


def images(builder: Builder) -> tuple[int, int, int, int]:
    draw = builder.draw
    return draw(st.integers(1, 3)), draw(SIZES), draw(SIZES), draw(CHANNELS)


def moved(builder: Builder, name: str, shape: tuple[int, ...], *constants: int, **options: object) -> None:
    """The operator on the last tensor, to a tensor of the same quantisation."""
    source = builder.last
    builder.operator(name, (source, *constants), builder.like(source, shape), **options)


def axis_of(builder: Builder, dimensions: int) -> int:
    """Counted from either end."""
    return builder.draw(st.integers(-dimensions, dimensions - 1))


def padding(name: str) -> Callable[[Builder], None]:
    """PAD and PADV2; TFLM takes 5 dimensions at most."""

    def generate(builder: Builder) -> None:
        source = builder.input(builder.draw(shapes(5)))
        widths = builder.random.integers(0, 4, (len(builder.shape), 2))
        if builder.draw(st.booleans()):
            # As images are padded.
            widths[[0, -1]] = 0
        constants = [builder.constant(widths)]
        if name == "PADV2":
            value = builder.draw(st.sampled_from([-128, 0, 127]) | st.integers(-128, 127))
            constants.append(builder.constant([value], "int8", builder.tensors[source].quantization))
        moved(builder, name, tuple(builder.shape + widths.sum(axis=1)), *constants)

    return generate


def mirror_pad(builder: Builder) -> None:
    """Where there is less to mirror than asked for, TFLM reads beside its input."""
    mode = builder.draw(st.sampled_from(["REFLECT", "SYMMETRIC"]))
    builder.input(builder.draw(shapes(4)))
    most = [min(size - (mode == "REFLECT"), 4) for size in builder.shape]
    widths = np.array([[builder.draw(st.integers(0, n)) for _ in range(2)] for n in most])
    moved(builder, "MIRROR_PAD", tuple(builder.shape + widths.sum(axis=1)), builder.constant(widths), mode=mode)


def concatenation(builder: Builder) -> None:
    """TFLM takes 10 inputs at most, all of the output's quantisation."""
    shape = builder.draw(shapes(4))
    axis, count = axis_of(builder, len(shape)), builder.draw(st.integers(1, 5))
    first = builder.input(shape)
    parts, sizes = [first], [shape[axis]]
    quantization = builder.tensors[first].quantization
    assert quantization is not None
    for _ in range(count - 1):
        sizes.append(builder.draw(st.integers(1, 5)))
        part = tuple(sizes[-1] if i == axis % len(shape) else n for i, n in enumerate(shape))
        if builder.draw(st.booleans()):
            values = builder.random.integers(-128, 128, part)
            parts.append(builder.constant(values, "int8", quantization))
        else:
            parts.append(builder.input(part, float(quantization.scale[0]), int(quantization.zero_point[0])))
    output = tuple(sum(sizes) if i == axis % len(shape) else n for i, n in enumerate(shape))
    builder.operator("CONCATENATION", tuple(parts), builder.like(first, output), axis=axis)


def reshape(builder: Builder) -> None:
    builder.input(builder.draw(shapes(4)))
    sizes = builder.draw(st.permutations(builder.shape))
    cut = builder.draw(st.integers(0, len(sizes)))
    shape = (*sizes[:cut], math.prod(sizes[cut:]))
    if builder.draw(st.booleans()):
        moved(builder, "RESHAPE", shape, builder.constant(shape), new_shape=shape)
    else:
        moved(builder, "RESHAPE", shape, new_shape=shape)


def expand_dims(builder: Builder) -> None:
    builder.input(builder.draw(shapes(3)))
    axis = axis_of(builder, len(builder.shape) + 1)
    shape = np.expand_dims(np.empty(builder.shape), axis).shape
    moved(builder, "EXPAND_DIMS", shape, builder.constant(builder.draw(st.sampled_from([axis, [axis]]))))


def squeeze(builder: Builder) -> None:
    """Named dimensions, or, if none is, all of size 1."""
    shape = builder.draw(st.lists(st.sampled_from([1, 1, 2, 3, 5]), min_size=1, max_size=5).map(tuple))
    builder.input(shape)
    ones = [i for i, size in enumerate(shape) if size == 1]
    named = [axis for axis in ones if builder.draw(st.booleans())]
    gone = named or ones
    squeezed = tuple(size for i, size in enumerate(shape) if i not in gone)
    dims = [axis - len(shape) if builder.draw(st.booleans()) else axis for axis in named]
    moved(builder, "SQUEEZE", squeezed, squeeze_dims=dims)


def transpose(builder: Builder) -> None:
    builder.input(builder.draw(shapes(5)))
    order = builder.draw(st.permutations(range(len(builder.shape))))
    moved(builder, "TRANSPOSE", tuple(builder.shape[i] for i in order), builder.constant(order))


def reverse(builder: Builder) -> None:
    """Along some axes side by side, in any order and counted from either end."""
    builder.input(builder.draw(shapes(5)))
    dimensions = len(builder.shape)
    first = builder.draw(st.integers(0, dimensions - 1))
    axes = builder.draw(st.permutations(range(first, builder.draw(st.integers(first, dimensions - 1)) + 1)))
    shown = [axis - dimensions if builder.draw(st.booleans()) else axis for axis in axes]
    moved(builder, "REVERSE_V2", builder.shape, builder.constant(shown))


def shape(builder: Builder) -> None:
    builder.input(builder.draw(shapes(5)))
    builder.operator("SHAPE", (builder.last,), builder.value((len(builder.shape),), dtype="int32"), out_type=2)


def pack(builder: Builder) -> None:
    part = builder.draw(shapes(3))
    first = builder.input(part)
    others = [builder.input(part) for _ in range(builder.draw(st.integers(0, 4)))]
    axis = axis_of(builder, len(part) + 1)
    output = np.stack([np.empty(part)] * (1 + len(others)), axis).shape
    builder.operator("PACK", (first, *others), builder.like(first, output), axis=axis, values_count=1 + len(others))


def unpack(builder: Builder) -> None:
    source = builder.input(builder.draw(shapes(4)))
    axis = axis_of(builder, len(builder.shape))
    part = tuple(np.delete(builder.shape, axis).tolist())
    outputs = [builder.like(source, part) for _ in range(builder.shape[axis])]
    builder.split("UNPACK", (source,), outputs, axis=axis, num=len(outputs))


def split(builder: Builder) -> None:
    whole = list(builder.draw(shapes(4)))
    axis, count = axis_of(builder, len(whole)), builder.draw(st.integers(1, 4))
    part = tuple(whole)
    whole[axis] *= count
    source = builder.input(tuple(whole))
    outputs = [builder.like(source, part) for _ in range(count)]
    builder.split("SPLIT", (builder.constant(axis), source), outputs, num_splits=count)


def split_v(builder: Builder) -> None:
    whole = list(builder.draw(shapes(4)))
    axis = axis_of(builder, len(whole))
    sizes = builder.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    parts = [tuple(size if i == axis % len(whole) else n for i, n in enumerate(whole)) for size in sizes]
    whole[axis] = sum(sizes)
    source = builder.input(tuple(whole))
    inputs = (source, builder.constant(sizes), builder.constant(axis))
    builder.split("SPLIT_V", inputs, [builder.like(source, part) for part in parts], num_splits=len(parts))


def slice_(builder: Builder) -> None:
    builder.input(builder.draw(shapes(5)))
    begins = [builder.draw(st.integers(0, size - 1)) for size in builder.shape]
    sizes = [builder.draw(st.integers(1, size - begin)) for size, begin in zip(builder.shape, begins, strict=True)]
    # -1: to the end.
    shown = [-1 if begin + n == size else n for begin, n, size in zip(begins, sizes, builder.shape, strict=True)]
    dtype = builder.draw(st.sampled_from(["int32", "int64"]))
    moved(builder, "SLICE", tuple(sizes), builder.constant(begins, dtype), builder.constant(shown, dtype))


def strided_slice(builder: Builder) -> None:
    """TFLM takes 4 dimensions at most, and ignores masks for new axes and ellipses."""
    source = builder.input(builder.draw(shapes(4)))
    shape, begins, ends, strides, masks = [], [], [], [], [0, 0, 0]
    for axis, size in enumerate(builder.shape):
        near = st.integers(-size - 2, size + 2)
        begin, end, stride = builder.draw(near), builder.draw(near), builder.draw(st.sampled_from([1, 1, 2, 3, -1, -2]))
        kind = builder.draw(st.sampled_from(["range", "from start", "to end", "all", "shrink"]))
        if kind == "shrink":
            begin, stride = builder.draw(st.integers(-size, size - 1)), 1
            masks[2] |= 1 << axis
        else:
            masks[0] |= (kind in ("from start", "all")) << axis
            masks[1] |= (kind in ("to end", "all")) << axis
            part = slice(None if masks[0] >> axis & 1 else begin, None if masks[1] >> axis & 1 else end, stride)
            shape.append(len(range(size)[part]))
        begins.append(begin)
        ends.append(end)
        strides.append(stride)
    assume(0 not in shape)
    builder.operator(
        "STRIDED_SLICE",
        (source, builder.constant(begins), builder.constant(ends), builder.constant(strides)),
        builder.like(source, tuple(shape)),
        **dict(zip(("begin_mask", "end_mask", "shrink_axis_mask"), masks, strict=True)),
    )


def gather(builder: Builder) -> None:
    values = builder.draw(shapes(4))
    axis = builder.draw(st.integers(0, len(values) - 1))
    batches = builder.draw(st.integers(0, axis))
    more = builder.draw(shapes(2, least=0))
    indices = builder.random.integers(0, values[axis], (*values[:batches], *more))
    builder.input(values)
    shown = axis - len(values) if builder.draw(st.booleans()) else axis
    output = (*values[:axis], *more, *values[axis + 1 :])
    moved(builder, "GATHER", output, builder.constant(indices), axis=shown, batch_dims=batches)


def broadcast_to(builder: Builder) -> None:
    whole = builder.draw(shapes(5))
    kept = tuple(size if builder.draw(st.booleans()) else 1 for size in whole)
    builder.input(kept[builder.draw(st.integers(0, len(kept) - 1)) :])
    moved(builder, "BROADCAST_TO", whole, builder.constant(whole))


def resize_nearest_neighbor(builder: Builder) -> None:
    batches, height, width, depth = images(builder)
    size = builder.draw(st.integers(1, 20)), builder.draw(st.integers(1, 20))
    builder.input((batches, height, width, depth))
    options = {"align_corners": builder.draw(st.booleans()), "half_pixel_centers": builder.draw(st.booleans())}
    moved(builder, "RESIZE_NEAREST_NEIGHBOR", (batches, *size, depth), builder.constant(size), **options)


def space_to_batch_nd(builder: Builder) -> None:
    """Images, or signals of one dimension."""
    spaces = builder.draw(st.integers(1, 2))
    batches, *space, depth = images(builder)
    block = [builder.draw(st.integers(1, 3)) for _ in range(spaces)]
    pads = []
    for size, step in zip(space, block, strict=False):
        before = builder.draw(st.integers(0, 3))
        pads.append((before, -(size + before) % step + step * builder.draw(st.integers(0, 1))))
    builder.input((batches, *space[:spaces], depth))
    sizes = [(size + sum(pad)) // step for size, pad, step in zip(space, pads, block, strict=False)]
    shape = (batches * math.prod(block), *sizes, depth)
    moved(builder, "SPACE_TO_BATCH_ND", shape, builder.constant(block), builder.constant(pads))


def batch_to_space_nd(builder: Builder) -> None:
    spaces = builder.draw(st.integers(1, 2))
    batches, *space, depth = images(builder)
    block = [builder.draw(st.integers(1, 3)) for _ in range(spaces)]
    whole = [size * step for size, step in zip(space, block, strict=False)]
    firsts = [builder.draw(st.integers(0, min(3, size - 1))) for size in whole]
    lasts = [builder.draw(st.integers(0, min(3, size - 1 - n))) for size, n in zip(whole, firsts, strict=True)]
    builder.input((batches * math.prod(block), *space[:spaces], depth))
    sizes = [size - first - last for size, first, last in zip(whole, firsts, lasts, strict=True)]
    crops = builder.constant(list(zip(firsts, lasts, strict=True)))
    moved(builder, "BATCH_TO_SPACE_ND", (batches, *sizes, depth), builder.constant(block), crops)


def space_to_depth(builder: Builder) -> None:
    batches, height, width, depth = images(builder)
    size = builder.draw(st.integers(1, 4))
    builder.input((batches, height * size, width * size, depth))
    moved(builder, "SPACE_TO_DEPTH", (batches, height, width, depth * size * size), block_size=size)


def depth_to_space(builder: Builder) -> None:
    batches, height, width, depth = images(builder)
    size = builder.draw(st.integers(1, 4))
    builder.input((batches, height, width, depth * size * size))
    moved(builder, "DEPTH_TO_SPACE", (batches, height * size, width * size, depth), block_size=size)


OPERATORS: dict[str, Callable[[Builder], None]] = {
    "BATCH_TO_SPACE_ND": batch_to_space_nd,
    "BROADCAST_TO": broadcast_to,
    "CONCATENATION": concatenation,
    "DEPTH_TO_SPACE": depth_to_space,
    "EXPAND_DIMS": expand_dims,
    "GATHER": gather,
    "MIRROR_PAD": mirror_pad,
    "PACK": pack,
    "PAD": padding("PAD"),
    "PADV2": padding("PADV2"),
    "RESHAPE": reshape,
    "RESIZE_NEAREST_NEIGHBOR": resize_nearest_neighbor,
    "REVERSE_V2": reverse,
    "SHAPE": shape,
    "SLICE": slice_,
    "SPACE_TO_BATCH_ND": space_to_batch_nd,
    "SPACE_TO_DEPTH": space_to_depth,
    "SPLIT": split,
    "SPLIT_V": split_v,
    "SQUEEZE": squeeze,
    "STRIDED_SLICE": strided_slice,
    "TRANSPOSE": transpose,
    "UNPACK": unpack,
}


@st.composite
def single(draw: Draw, name: str) -> Graph:
    """A model of the one operator `name`."""
    builder = Builder(draw)
    OPERATORS[name](builder)
    return builder.graph()
