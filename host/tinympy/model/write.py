"""Graph → `.tflite` bytes, the inverse of `read`: TensorFlow Lite's FlatBuffers schema, version 3 (PyPI `tflite`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator, Quantization, Tensor

_SCHEMA_VERSION = 3
_FILE_IDENTIFIER = b"TFL3"
_DATA_ALIGNMENT = 16  # what TFLite's own converter gives; kernels may read constants as wide words where they lie
_NO_BUFFER = 0  # by the schema's convention the first buffer is empty and stands for "no data"

# Most operators' options are named for the operator (CONV_2D has Conv2DOptions); these are not.
_OPTIONS_CLASS = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MEAN": "ReducerOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "SUM": "ReducerOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
}
_OPTIONS_CLASS_BY_FOLDED_NAME = {
    name[: -len("Options")].casefold(): name for name in vars(tflite.BuiltinOptions) if name.endswith("Options")
}

# Options whose text value is the name of an enumerator.
_ENUMERATIONS = {
    "fused_activation_function": tflite.ActivationFunctionType,
    "mode": tflite.MirrorPadMode,
    "padding": tflite.Padding,
}

# Options that are text of any kind.
_TEXTS = ("container", "shared_name")

# Operator codes that do not fit the old 8-bit field put this one there and stand in the new field alone.
_LARGEST_OLD_CODE = tflite.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES


def write(graph: Graph) -> bytes:
    """The graph as the content of a `.tflite` file with one subgraph, and with a second one if it has a CALL_ONCE.

    Every constant gets a buffer of its own. Options that an operator does not give get the schema's defaults.
    Raises ModelError for an operator, option, enumerator or dtype that the schema does not have, and for a constant
    whose data contradict its tensor.
    """
    builder = flatbuffers.Builder(1024)
    # FlatBuffers are built back to front: the constants written first end up behind the tables.
    buffers = [_write_table(builder, "Buffer")]
    subgraphs = {"main": graph}
    if graph.initial_values or any(operator.name == "CALL_ONCE" for operator in graph.operators):
        subgraphs["initialisation"] = _initialisation(graph.initial_values)
    names = list(dict.fromkeys(operator.name for part in subgraphs.values() for operator in part.operators))
    offsets = [_write_subgraph(builder, name, part, names, buffers) for name, part in subgraphs.items()]
    codes = [_write_operator_code(builder, name) for name in names]
    model = _write_table(
        builder,
        "Model",
        Version=_SCHEMA_VERSION,
        OperatorCodes=_offsets(builder, codes),
        Subgraphs=_offsets(builder, offsets),
        Description=builder.CreateString(graph.description),
        Buffers=_offsets(builder, buffers),
    )
    builder.Finish(model, file_identifier=_FILE_IDENTIFIER)
    return bytes(builder.Output())


def _initialisation(values: Mapping[str, Tensor]) -> Graph:
    """The subgraph that assigns each variable its initial value."""
    tensors: list[Tensor] = []
    operators: list[Operator] = []
    for name, value in values.items():
        handle = len(tensors)
        tensors += [Tensor(name, (), "resource"), value]
        operators += [
            Operator("VAR_HANDLE", (), (handle,), {"container": "", "shared_name": name}),
            Operator("ASSIGN_VARIABLE", (handle, handle + 1), ()),
        ]
    return Graph(tuple(tensors), tuple(operators), (), ())


def _write_subgraph(
    builder: flatbuffers.Builder, name: str, graph: Graph, operator_names: list[str], buffers: list[int]
) -> int:
    """One subgraph; its constants are added to the model's `buffers`."""
    tensors = []
    for tensor in graph.tensors:
        buffer_index = _NO_BUFFER
        if tensor.data is not None:
            buffer_index = len(buffers)
            buffers.append(_write_buffer(builder, _constant_bytes(tensor)))
        tensors.append(_write_tensor(builder, tensor, buffer_index))
    operators = [
        _write_operator(builder, operator, operator_names.index(operator.name)) for operator in graph.operators
    ]
    return _write_table(
        builder,
        "SubGraph",
        Tensors=_offsets(builder, tensors),
        Inputs=_int32s(builder, graph.inputs),
        Outputs=_int32s(builder, graph.outputs),
        Operators=_offsets(builder, operators),
        Name=builder.CreateString(name),
    )


def _write_table(builder: flatbuffers.Builder, table: str, **fields: Any) -> int:
    """One table; vectors, strings and tables among its fields are offsets, since FlatBuffers do not nest."""
    getattr(tflite, f"{table}Start")(builder)
    for field, value in fields.items():
        getattr(tflite, f"{table}Add{field}")(builder, value)
    offset: int = getattr(tflite, f"{table}End")(builder)
    return offset


def _offsets(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    vector: int = builder.EndVector()
    return vector


def _int32s(builder: flatbuffers.Builder, values: Iterable[int]) -> int:
    vector: int = builder.CreateNumpyVector(np.array(tuple(values), np.int32))
    return vector


def _write_sparsity(builder: flatbuffers.Builder, tensor: Tensor) -> int:
    """Where the numbers of a sparse tensor stand: all dimensions dense, the last one compressed."""
    data: npt.NDArray[Any] = np.asarray(tensor.data)
    rows = data.reshape(-1, data.shape[-1])
    segments = _int32_vector(builder, np.concatenate([[0], np.cumsum(np.count_nonzero(rows, axis=1))]))
    indices = _int32_vector(builder, np.nonzero(rows)[1])
    last = _write_table(
        builder,
        "DimensionMetadata",
        Format=tflite.DimensionType.SPARSE_CSR,
        ArraySegmentsType=tflite.SparseIndexVector.Int32Vector,
        ArraySegments=segments,
        ArrayIndicesType=tflite.SparseIndexVector.Int32Vector,
        ArrayIndices=indices,
    )
    dense = [_write_table(builder, "DimensionMetadata", DenseSize=size) for size in data.shape[:-1]]
    return _write_table(
        builder,
        "SparsityParameters",
        TraversalOrder=_int32s(builder, range(data.ndim)),
        DimMetadata=_offsets(builder, [*dense, last]),
    )


def _int32_vector(builder: flatbuffers.Builder, values: Iterable[int]) -> int:
    return _write_table(builder, "Int32Vector", Values=_int32s(builder, values))


def _constant_bytes(tensor: Tensor) -> bytes:
    data: npt.NDArray[Any] = np.asarray(tensor.data)
    if data.shape != tensor.shape or data.dtype.name != tensor.dtype:
        raise ModelError(
            f"tensor {tensor.name!r} is {tensor.dtype} {tensor.shape}, but its data are {data.dtype} {data.shape}"
        )
    stored = data[data != 0] if tensor.is_sparse else data
    return stored.astype(data.dtype.newbyteorder("<")).tobytes()


def _write_buffer(builder: flatbuffers.Builder, content: bytes) -> int:
    builder.Prep(_DATA_ALIGNMENT, len(content))
    return _write_table(builder, "Buffer", Data=builder.CreateByteVector(content))


def _write_tensor(builder: flatbuffers.Builder, tensor: Tensor, buffer_index: int) -> int:
    fields = {
        "Shape": _int32s(builder, tensor.shape),
        "Type": _enumerator(tflite.TensorType, tensor.dtype.upper(), f"tensor {tensor.name!r}: dtype"),
        "Buffer": buffer_index,
        "Name": builder.CreateString(tensor.name),
        "IsVariable": tensor.is_variable,
    }
    if tensor.quantization is not None:
        fields["Quantization"] = _write_quantization(builder, tensor.quantization)
    if tensor.is_sparse:
        fields["Sparsity"] = _write_sparsity(builder, tensor)
    return _write_table(builder, "Tensor", **fields)


def _write_quantization(builder: flatbuffers.Builder, quantization: Quantization) -> int:
    return _write_table(
        builder,
        "QuantizationParameters",
        Scale=builder.CreateNumpyVector(np.asarray(quantization.scale, np.float32)),
        ZeroPoint=builder.CreateNumpyVector(np.asarray(quantization.zero_point, np.int64)),
        QuantizedDimension=quantization.axis,
    )


def _write_operator_code(builder: flatbuffers.Builder, name: str) -> int:
    for kind in ("custom operator ", "Flex operator "):
        if name.startswith(kind):
            custom = builder.CreateString(name.removeprefix(kind))
            return _write_table(
                builder,
                "OperatorCode",
                DeprecatedBuiltinCode=tflite.BuiltinOperator.CUSTOM,
                BuiltinCode=tflite.BuiltinOperator.CUSTOM,
                CustomCode=custom,
            )
    code = _enumerator(tflite.BuiltinOperator, name, "operator")
    return _write_table(
        builder, "OperatorCode", DeprecatedBuiltinCode=min(code, _LARGEST_OLD_CODE), BuiltinCode=code, Version=1
    )


def _write_operator(builder: flatbuffers.Builder, operator: Operator, code_index: int) -> int:
    fields = {
        "OpcodeIndex": code_index,
        "Inputs": _int32s(builder, operator.inputs),
        "Outputs": _int32s(builder, operator.outputs),
    }
    options_class = _options_class(operator.name)
    if options_class is not None:
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options_class)
        fields["BuiltinOptions"] = _write_options(builder, operator, options_class)
    elif operator.options:
        raise ModelError(f"{operator.name} has no options in the schema, but got {', '.join(operator.options)}")
    return _write_table(builder, "Operator", **fields)


def _options_class(operator_name: str) -> str | None:
    folded_name = operator_name.replace("_", "").casefold()
    return _OPTIONS_CLASS.get(operator_name) or _OPTIONS_CLASS_BY_FOLDED_NAME.get(folded_name)


def _write_options(builder: flatbuffers.Builder, operator: Operator, options_class: str) -> int:
    fields = {}
    for key, value in operator.options.items():
        field = "".join(word.capitalize() for word in key.split("_"))
        if not hasattr(tflite, f"{options_class}Add{field}"):
            raise ModelError(f"{operator.name} has no option {key} in the schema")
        if value is None:  # what `read` finds where a text is absent
            continue
        if key in _TEXTS:
            value = builder.CreateString(value)
        elif isinstance(value, str):
            value = _enumerator(_ENUMERATIONS.get(key), value, f"{operator.name}: {key}")
        elif isinstance(value, tuple | list | np.ndarray):
            value = _int32s(builder, value)
        fields[field] = value
    return _write_table(builder, options_class, **fields)


def _enumerator(enumeration: Any, name: str, what: str) -> int:
    value = getattr(enumeration, name, None)
    if not isinstance(value, int):
        raise ModelError(f"{what} {name} is not in the TensorFlow Lite schema")
    return value
