"""Models with state, of one operator each or small streaming networks: see `generated` for what they are drawn by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from generated import ACTIVATIONS, ZERO_POINTS, Builder, Draw
from tinympy.model.graph import Graph, Operator, Quantization, Tensor

BATCHES = st.sampled_from([1, 1, 1, 2, 3])
SIZES = st.sampled_from([1, 2, 3, 4, 8, 16, 17, 33]) | st.integers(1, 40)
# Around what fills the range of the result: mostly a little more or less, seldom orders of magnitude.
FITS = st.sampled_from([*[1.0] * 5, 0.5, 0.7, 1.5, 2.0, 0.1, 10.0, 1e-3, 1e3])


def _numbers(builder: Builder, shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """Random numbers, sometimes of both ends alone."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if builder.draw(st.integers(0, 4)) == 0:
        return builder.random.choice(np.array([low, high], dtype), shape)
    return builder.random.integers(low, high, shape, dtype, endpoint=True)


def _state(builder: Builder, shape: tuple[int, ...], dtype: str, scale: float, zero_point: int = 0) -> int:
    quantization = Quantization.per_tensor(scale, zero_point)
    return builder.add(Tensor(f"s{len(builder.tensors)}", shape, dtype, quantization, is_variable=True))


def _scale(builder: Builder, tensor: int) -> float:
    quantization = builder.tensors[tensor].quantization
    assert quantization is not None
    return float(quantization.scale[0])


def svdf(builder: Builder) -> None:
    """TFLM crashes without a bias and with rank 0."""
    dtype = builder.draw(st.sampled_from(["int8", "int16"]))
    batches, inputs, units, memory = (builder.draw(sizes) for sizes in (BATCHES, SIZES, SIZES, SIZES))
    rank = builder.draw(st.sampled_from([1, 1, 1, 2, 3]))
    source = builder.input((batches, inputs))
    feature = builder.weights((rank * units, inputs), 0, False)
    largest = np.iinfo(dtype).max
    fits = _scale(builder, source) * _scale(builder, feature) * 1e4 * inputs**0.5 / largest
    zero_point = builder.draw(ZERO_POINTS) if dtype == "int8" else builder.draw(st.sampled_from([0, 0, 0, 7, -300]))
    state = _state(
        builder, (batches, rank * units * memory), dtype, float(np.float32(fits * builder.draw(FITS))), zero_point
    )
    # TFLM wants the bias scale to be the others' product to 1e-5, which large ones in single precision cannot be.
    time_scale = float(np.float32(min(builder.draw(FITS) / largest, 50 / _scale(builder, state))))
    time = builder.constant(
        _numbers(builder, (rank * units, memory), dtype), dtype, Quantization.per_tensor(time_scale)
    )
    sum_scale = _scale(builder, state) * time_scale
    bound = builder.draw(st.sampled_from([1 << 8, largest**2, largest**2, (1 << 31) - 1]))
    bias = builder.constant(
        builder.random.integers(-bound, bound, units, endpoint=True), "int32", Quantization.per_tensor(sum_scale)
    )
    fits = sum_scale * largest**2 * (rank * memory) ** 0.5 / 256
    output = builder.value((batches, units), float(np.float32(fits * builder.draw(FITS))))
    builder.operator(
        "SVDF",
        (source, feature, time, bias, state),
        output,
        rank=rank,
        fused_activation_function=builder.draw(ACTIVATIONS),
    )


def lstm(dtype: str) -> Callable[[Builder], None]:
    """TFLM takes no other cell gate than TANH; its arithmetic ends at sums of 2^47 and factors of 2^7 (int16)."""

    def generate(builder: Builder) -> None:
        batches, units, inputs = (builder.draw(sizes) for sizes in (BATCHES, SIZES, SIZES))
        steps, time_major = builder.draw(st.integers(1, 6)), builder.draw(st.booleans())
        leading = (steps, batches) if time_major else (batches, steps)
        largest = np.iinfo(dtype).max
        source = builder.input((*leading, inputs), dtype=dtype)
        hidden_scale = float(np.float32(1 / largest * builder.draw(st.sampled_from([1.0, 1.0, 0.5, 3.0, 0.01]))))
        hidden = _state(
            builder, (batches, units), dtype, hidden_scale, builder.draw(ZERO_POINTS) if dtype == "int8" else 0
        )
        cell_scale = 2.0 ** builder.draw(st.sampled_from([-15, -12, -11, -11, -10, -9]) | st.integers(-20, 2))
        if builder.draw(st.integers(0, 4)) == 0:
            cell_scale *= float(np.float32(builder.draw(st.floats(0.75, 1.35))))
        cell = _state(
            builder, builder.draw(st.sampled_from([(batches, units), (batches * units,)])), "int16", cell_scale
        )
        gates = [_lstm_weights(builder, units, inputs, source) for _ in range(4)]
        recurrent = [_lstm_weights(builder, units, units, hidden) for _ in range(4)]
        biases = [_lstm_bias(builder, units, dtype) for _ in range(4)]
        output = builder.add(Tensor("output", (*leading, units), dtype, builder.tensors[hidden].quantization))
        builder.operator(
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            (source, *gates, *recurrent, -1, -1, -1, *biases, -1, -1, hidden, cell, -1, -1, -1, -1),
            output,
            fused_activation_function="TANH",
            cell_clip=builder.draw(st.sampled_from([0.0, 0.0, 10.0, 1.0, 0.01, 1e6])),
            time_major=time_major,
        )

    return generate


def _lstm_weights(builder: Builder, units: int, inputs: int, source: int) -> int:
    """Weights by which a gate's sum is around 4."""
    largest = np.iinfo(builder.tensors[source].dtype).max
    scale = 4 * builder.draw(FITS) / (_scale(builder, source) * largest * 127 * inputs**0.5)
    quantization = Quantization.per_tensor(float(np.float32(scale)))
    return builder.constant(_numbers(builder, (units, inputs), "int8"), "int8", quantization)


def _lstm_bias(builder: Builder, units: int, dtype: str) -> int:
    """Its scale is not looked at."""
    bound = builder.draw(st.sampled_from([1 << 8, 1 << 14, 1 << 20, (1 << 31) - 1]))
    values = builder.random.integers(-bound, bound, units, endpoint=True)
    return builder.constant(values, "int32" if dtype == "int8" else "int64", Quantization.per_tensor(1.0))


def variables(dtype: str) -> Callable[[Builder], None]:
    """Variables of one shape, read and assigned in any order; those that CALL_ONCE does not assign are some time."""

    def generate(builder: Builder) -> None:
        shape = tuple(builder.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
        known = [builder.input(shape, dtype=dtype) for _ in range(builder.draw(st.integers(1, 2)))]
        known.append(builder.constant(_numbers(builder, shape, dtype), dtype, Quantization.per_tensor(1.0)))
        names = [f"state_{i}" for i in range(builder.draw(st.integers(1, 4)))]
        _initialise(builder, {name: builder.value(shape, dtype=dtype) for name in names if builder.draw(st.booleans())})
        handles = [(_handle(builder, name), name) for name in [*names, builder.draw(st.sampled_from(names))]]
        outputs, unassigned = [], set(names) - set(builder.initial_values)
        for reads in [*builder.draw(st.lists(st.booleans(), max_size=12)), True]:
            handle, name = builder.draw(st.sampled_from(handles))
            if reads:
                outputs.append(_read(builder, handle, builder.value(shape, dtype=dtype)))
                known.append(outputs[-1])
            else:
                _assign(builder, handle, builder.draw(st.sampled_from(known)))
                unassigned.discard(name)
        for handle, name in handles:
            if name in unassigned:
                _assign(builder, handle, builder.draw(st.sampled_from(known)))
        builder.outputs = outputs

    return generate


def _initialise(builder: Builder, like: dict[str, int]) -> None:
    """CALL_ONCE, which assigns constants: their zero points, as converters make them, or any numbers."""
    for name, tensor in like.items():
        source = builder.tensors[tensor]
        values = _numbers(builder, source.shape, source.dtype)
        if source.quantization is not None and builder.draw(st.booleans()):
            values[...] = source.quantization.zero_point[0]
        builder.initial_values[name] = Tensor(name, source.shape, source.dtype, source.quantization, values)
    builder.operators.append(Operator("CALL_ONCE", (), (), {"init_subgraph_index": 1}))


def _handle(builder: Builder, name: str) -> int:
    handle = builder.add(Tensor(f"h{len(builder.tensors)}", (), "resource"))
    options = {"container": "", "shared_name": name}
    builder.operators.append(Operator("VAR_HANDLE", (), (handle,), options))
    return handle


def _read(builder: Builder, handle: int, tensor: int) -> int:
    builder.operators.append(Operator("READ_VARIABLE", (handle,), (tensor,)))
    return tensor


def _assign(builder: Builder, handle: int, tensor: int) -> None:
    builder.operators.append(Operator("ASSIGN_VARIABLE", (handle, tensor), ()))


def streaming(builder: Builder) -> None:
    """A network as streaming wake-word models are: each layer sees the last rows again, which a variable keeps."""
    builder.input((1, builder.draw(st.integers(1, 3)), builder.draw(st.integers(1, 12))))
    if builder.draw(st.booleans()):
        shape = (1, builder.shape[1], 1, builder.shape[2])
        _move(builder, "RESHAPE", shape, builder.constant(shape), new_shape=shape)
    else:
        _move(builder, "EXPAND_DIMS", (1, builder.shape[1], 1, builder.shape[2]), builder.constant(2))
    names = [f"stream_{i}/states" for i in range(builder.draw(st.integers(1, 3)))]
    states = {}
    for name in names:
        states[name] = _remember(builder, name)
        builder.draw(st.sampled_from([_convolution, _depthwise_convolution, _mixed_convolution]))(builder)
    if builder.draw(st.booleans()):
        _initialise(builder, states)
    # Converters put these first.
    builder.operators.sort(
        key=lambda operator: ["CALL_ONCE", "VAR_HANDLE"].index(operator.name) if not operator.inputs else 2
    )
    if builder.draw(st.booleans()):
        shape = (1, builder.shape[1] * builder.shape[3])
        _move(builder, "RESHAPE", shape, builder.constant(shape), new_shape=shape)
        _dense(builder)
        builder.operator("LOGISTIC", (builder.last,), builder.value(builder.shape, 1 / 256, -128))
        builder.operator("QUANTIZE", (builder.last,), builder.value(builder.shape, 1 / 256, 0, "uint8"))


def _weights(builder: Builder, shape: tuple[int, ...], axis: int) -> int:
    """Of scales from 1e-4 to 1, per channel or not."""
    count = shape[axis] if builder.draw(st.booleans()) else 1
    scale = 10.0 ** builder.draw(st.floats(-3.5, -0.5)) * builder.random.uniform(0.3, 3, count)
    quantization = Quantization(scale.astype(np.float32), np.zeros(count, np.int64), axis)
    return builder.constant(_numbers(builder, shape, "int8"), "int8", quantization)


def _dense(builder: Builder) -> None:
    inputs, channels = builder.shape[1], builder.draw(SIZES)
    weights = _weights(builder, (channels, inputs), 0)
    bias = builder.bias(channels, weights)
    output = _fitting(builder, (1, channels), weights, inputs)
    builder.operator("FULLY_CONNECTED", (builder.last, weights, bias), output)


def _remember(builder: Builder, name: str) -> int:
    """Puts the rows that a variable keeps before the new ones, and keeps the last of them all; their tensor."""
    new, (_, rows, _, channels) = builder.last, builder.shape
    kept = builder.draw(st.integers(1, 6))
    handle, state = _handle(builder, name), builder.like(new, (1, kept, 1, channels))
    _read(builder, handle, state)
    whole = builder.like(new, (1, kept + rows, 1, channels))
    builder.operator("CONCATENATION", (state, new), whole, axis=1)
    _last_rows(builder, kept)
    _assign(builder, handle, builder.last)
    builder.last = whole
    return state


def _last_rows(builder: Builder, count: int) -> None:
    _, _, width, channels = builder.shape
    begin, end = builder.constant([0, -count, 0, 0]), builder.constant([0, 0, 0, channels])
    strides = builder.constant([1, 1, 1, 1])
    _move(builder, "STRIDED_SLICE", (1, count, width, channels), begin, end, strides, begin_mask=13, end_mask=15)


def _move(builder: Builder, name: str, shape: tuple[int, ...], *constants: int, **options: Any) -> None:
    builder.operator(name, (builder.last, *constants), builder.like(builder.last, shape), **options)


def _convolution(builder: Builder) -> None:
    rows, channels = builder.shape[1], builder.draw(SIZES)
    kernel = builder.draw(st.sampled_from([rows, rows, 1]) | st.integers(1, rows))
    weights = _weights(builder, (channels, kernel, 1, builder.shape[3]), 0)
    _slide(builder, "CONV_2D", weights, kernel, channels, kernel * builder.shape[3])


def _depthwise_convolution(builder: Builder, like: int | None = None) -> int:
    """Over all rows; into a tensor quantised as another, if given."""
    rows, channels = builder.shape[1], builder.shape[3]
    weights = _weights(builder, (1, rows, 1, channels), 3)
    return _slide(builder, "DEPTHWISE_CONV_2D", weights, rows, channels, rows, like, depth_multiplier=1)


def _mixed_convolution(builder: Builder) -> None:
    """Some channels over fewer rows than the others, as MixConv has it."""
    whole, (_, rows, width, channels) = builder.last, builder.shape
    if channels == 1:
        _depthwise_convolution(builder)
        return
    first = builder.draw(st.integers(1, channels - 1))
    parts = [builder.like(whole, (1, rows, width, size)) for size in (first, channels - first)]
    inputs = (whole, builder.constant([first, channels - first]), builder.constant(-1))
    builder.operators.append(Operator("SPLIT_V", inputs, tuple(parts), {"num_splits": 2}))
    results: list[int] = []
    for part in parts:
        builder.last = part
        _last_rows(builder, builder.draw(st.integers(1, rows)))
        results.append(_depthwise_convolution(builder, *results))
    builder.operator("CONCATENATION", tuple(results), builder.like(results[0], (1, 1, width, channels)), axis=3)


def _slide(
    builder: Builder,
    name: str,
    weights: int,
    kernel: int,
    channels: int,
    taps: int,
    like: int | None = None,
    **options: Any,
) -> int:
    stride = builder.draw(st.integers(1, 3))
    shape = (1, (builder.shape[1] - kernel) // stride + 1, 1, channels)
    bias = builder.bias(channels, weights, optional=False)
    output = _fitting(builder, shape, weights, taps) if like is None else builder.like(like, shape)
    builder.operator(
        name,
        (builder.last, weights, bias),
        output,
        padding="VALID",
        stride_h=stride,
        stride_w=1,
        dilation_h_factor=1,
        dilation_w_factor=1,
        fused_activation_function=builder.draw(ACTIVATIONS),
        **options,
    )
    return output


def _fitting(builder: Builder, shape: tuple[int, ...], weights: int, taps: int) -> int:
    """An output for sums of `taps` products."""
    fits = _scale(builder, builder.last) * _scale(builder, weights) * 74**2 * taps**0.5 / 60
    return builder.value(shape, float(np.float32(np.clip(fits * builder.draw(FITS), 1e-4, 1e3))))


OPERATORS: dict[str, Callable[[Builder], None]] = {
    "CALL_ONCE": variables("int8"),
    "READ_VARIABLE": variables("int16"),
    "SVDF": svdf,
    "streaming network": streaming,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm("int8"),
    "UNIDIRECTIONAL_SEQUENCE_LSTM int16": lstm("int16"),
}


@st.composite
def single(draw: Draw, name: str) -> Graph:
    """A model of the one operator `name`, or of it and what it cannot do without."""
    builder = Builder(draw)
    OPERATORS[name](builder)
    return builder.graph()
