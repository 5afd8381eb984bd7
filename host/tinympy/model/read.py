"""`.tflite` bytes → graph, the compiler's first pass. The format: TensorFlow Lite's schema 3 (PyPI `tflite`)."""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from tinympy.errors import ModelError
from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.state import variable_names

_DAMAGED = "export the model again, or check that the file arrived whole"
_MAX_ELEMENTS = 1 << 28
_MAX_RANK = 32  # of an array of numpy 1
# Tables and vectors may be referred to again and again: without limits a small file could ask for any amount of work.
_MAX_ITEMS = 1 << 12
_MAX_INDICES = 1 << 10
_MAX_INDICES_IN_ALL = 1 << 16
_MAX_TEXT_BYTES = 200
_MAX_NAME_BYTES = 1000

_DTYPES = {value: name.lower() for name, value in vars(tflite.TensorType).items() if isinstance(value, int)}
_NUMPY_DTYPES = ("float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool")
_OPERATOR_NAMES = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}
_OPTION_CLASSES = {value: name for name, value in vars(tflite.BuiltinOptions).items() if isinstance(value, int)}
_CONTROL_FLOW = ("CALL", "CALL_ONCE", "IF", "WHILE")
_ENUMERATIONS = {
    "padding": {v: k for k, v in vars(tflite.Padding).items() if isinstance(v, int)},
    "mode": {v: k for k, v in vars(tflite.MirrorPadMode).items() if isinstance(v, int)},
    "fused_activation_function": {v: k for k, v in vars(tflite.ActivationFunctionType).items() if isinstance(v, int)},
}


def read(content: bytes) -> Graph:
    """The one subgraph of a `.tflite` file; with it, the constants that a second one assigns when CALL_ONCE calls it.

    Raises ModelError when the file is damaged, of another schema version, or has other subgraphs.
    """
    return _read(content, _read_model)


def read_first(content: bytes) -> Graph:
    """The first subgraph, whatever others there are: to look at a model that `read` refuses.

    Raises ModelError when the file is damaged or of another schema version.
    """
    return _read(content, lambda model: _read_subgraph(model, 0))


def _read(content: bytes, parse: Callable[[Any], Graph]) -> Graph:
    if len(content) < 8 or content[4:8] != b"TFL3":
        raise ModelError("not a TensorFlow Lite model: the mark TFL3 is missing", _DAMAGED)
    try:
        model = tflite.Model.GetRootAs(content, 0)
        if model.Version() != 3:
            raise ModelError(f"schema version {model.Version()}: only version 3 is known", _DAMAGED)
        return parse(model)
    except (
        struct.error,
        IndexError,
        ValueError,
        TypeError,
        OverflowError,
        AttributeError,
        UnicodeDecodeError,
    ) as error:
        # The generated accessors trust the file; whatever a damaged offset makes them trip over ends here.
        raise ModelError(f"the model file is damaged ({error})", _DAMAGED) from error


def _read_model(model: Any) -> Graph:
    count = model.SubgraphsLength()
    if count == 0:
        raise ValueError("no subgraph")
    graph = replace(_read_subgraph(model, 0), description=_text(model.Description()))
    calls = [operator.options for operator in graph.operators if operator.name == "CALL_ONCE"]
    if count in (1, 2) and [options.get("init_subgraph_index") for options in calls] == [1] * (count - 1):
        return replace(graph, initial_values=_assigned_constants(_read_subgraph(model, 1))) if calls else graph
    which = f"the model has {count} subgraphs; only models of one subgraph run, and of one more that CALL_ONCE calls"
    for index, operator in enumerate(graph.operators):
        if operator.name in _CONTROL_FLOW:
            raise ModelError(f"operator {index} ({operator.name}): {which}", "convert the model without control flow")
    raise ModelError(which, "convert each signature of the model by itself")


def _read_subgraph(model: Any, index: int) -> Graph:
    subgraph = model.Subgraphs(index)
    graph = Graph(
        tensors=tuple(_read_tensor(model, tensor) for tensor in _items(subgraph, "Tensors")),
        operators=tuple(_read_operator(model, operator) for operator in _items(subgraph, "Operators")),
        inputs=_indices(subgraph.InputsAsNumpy()),
        outputs=_indices(subgraph.OutputsAsNumpy()),
    )
    _check_indices(graph)
    return graph


def _assigned_constants(initialisation: Graph) -> dict[str, Tensor]:
    """What a subgraph assigns to variables, by their names; ModelError when it does anything but assign constants."""
    names, tensors = variable_names(initialisation), initialisation.tensors
    values = {}
    for index, operator in enumerate(initialisation.operators):
        if operator.name == "VAR_HANDLE":
            continue
        handle, value = operator.inputs if len(operator.inputs) == 2 else (-1, -1)
        if operator.name != "ASSIGN_VARIABLE" or handle not in names or value < 0 or tensors[value].data is None:
            raise ModelError(
                f"operator {index} ({operator.name}) of the subgraph that CALL_ONCE calls does not assign a constant",
                "give the variables constant initial values",
            )
        values[names[handle]] = tensors[value]
    return values


def _items(table: Any, field: str) -> list[Any]:
    count: int = getattr(table, field + "Length")()
    if count > _MAX_ITEMS:
        raise ModelError(f"the model has {count} {field.lower()}, {_MAX_ITEMS} at most can be read", _DAMAGED)
    item: Callable[[int], Any] = getattr(table, field)
    return [item(i) for i in range(count)]


def _indices(vector: Any) -> tuple[int, ...]:
    if isinstance(vector, int):  # what the accessors of an absent vector answer
        return ()
    if vector.size > _MAX_INDICES:
        raise ValueError(f"a vector of {vector.size} indices")
    return tuple(vector.tolist())


def _text(content: bytes | None) -> str:
    return (content or b"")[:_MAX_TEXT_BYTES].decode("utf-8", "replace")


def _name(content: bytes) -> str:
    """Text that tells things apart, and must therefore be whole."""
    if len(content) > _MAX_NAME_BYTES:
        raise ValueError(f"a name of {len(content)} bytes")
    return content.decode()


def _check_indices(graph: Graph) -> None:
    used = [*graph.inputs, *graph.outputs]
    for operator in graph.operators:
        used += [*(i for i in operator.inputs if i != -1), *operator.outputs]
    if len(used) > _MAX_INDICES_IN_ALL:
        raise ValueError(f"operators with {len(used)} inputs and outputs")
    for index in used:
        if not 0 <= index < len(graph.tensors):
            raise ValueError(f"tensor {index} of {len(graph.tensors)}")


def _read_tensor(model: Any, tensor: Any) -> Tensor:
    shape = _indices(tensor.ShapeAsNumpy())
    name = _text(tensor.Name())
    dtype = _DTYPES.get(tensor.Type(), f"type {tensor.Type()}")
    elements = 1
    if len(shape) > _MAX_RANK:
        raise ValueError(f"tensor {name!r} of {len(shape)} dimensions")
    for size in shape:
        elements *= size
        if size < 0:
            raise ModelError(
                f"tensor {name!r} has shape {shape}: its size is known only when the model runs",
                "give the model inputs of a fixed shape and convert it again",
            )
        if elements > _MAX_ELEMENTS:
            raise ValueError(f"tensor {name!r} of shape {shape}")
    is_sparse = tensor.Sparsity() is not None
    data = None if is_sparse else _read_data(model, tensor, name, shape, dtype)
    return Tensor(name, shape, dtype, _read_quantization(tensor), data, tensor.IsVariable(), is_sparse)


def _read_data(model: Any, tensor: Any, name: str, shape: tuple[int, ...], dtype: str) -> npt.NDArray[Any] | None:
    if not 0 <= tensor.Buffer() < model.BuffersLength():
        raise ValueError(f"buffer {tensor.Buffer()} of {model.BuffersLength()}")
    buffer = model.Buffers(tensor.Buffer())
    if buffer.Offset() > 1:  # 1 stands for nothing, too
        raise ModelError(
            f"the constants of tensor {name!r} lie behind the model, {buffer.Size()} bytes at {buffer.Offset()}",
            "only models of more than 2 GB need that: convert it without use_buffer_offset",
        )
    raw = buffer.DataAsNumpy()
    if isinstance(raw, int) or raw.size == 0:
        return None
    if dtype not in _NUMPY_DTYPES:
        return np.asarray(raw)
    values = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<"))
    return values.reshape(shape)


def _read_quantization(tensor: Any) -> Quantization | None:
    table = tensor.Quantization()
    if table is None or table.ScaleLength() == 0:
        return None
    scale = np.asarray(table.ScaleAsNumpy(), np.float32)
    zero_point = np.asarray(table.ZeroPointAsNumpy() if table.ZeroPointLength() else [0], np.int64)
    return Quantization(scale, zero_point, int(table.QuantizedDimension()))


def _read_operator(model: Any, operator: Any) -> Operator:
    if not 0 <= operator.OpcodeIndex() < model.OperatorCodesLength():
        raise ValueError(f"operator code {operator.OpcodeIndex()} of {model.OperatorCodesLength()}")
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Codes up to 127 stand in the old 8-bit field, later ones in the new one.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = _OPERATOR_NAMES.get(number, f"unknown operator {number}")
    if name == "CUSTOM":
        name = _text(code.CustomCode())
        name = ("Flex operator " if name.startswith("Flex") else "custom operator ") + name
    return Operator(
        name, _indices(operator.InputsAsNumpy()), _indices(operator.OutputsAsNumpy()), _read_options(operator)
    )


def _read_options(operator: Any) -> dict[str, Any]:
    class_name = _OPTION_CLASSES.get(operator.BuiltinOptionsType(), "NONE")
    table = operator.BuiltinOptions()
    if class_name == "NONE" or table is None:
        return {}
    options_class = getattr(tflite, class_name)
    options = options_class()
    options.Init(table.Bytes, table.Pos)
    return {_snake_case(field): _option(options, field) for field in option_fields(options_class)}


@functools.cache
def option_fields(options_class: type) -> list[str]:
    """Names of a generated options class's fields, in the schema's spelling (StrideW)."""
    methods = [name for name, value in vars(options_class).items() if callable(value) and name[0].isupper()]
    helpers = ("GetRootAs", options_class.__name__)
    fields = [name for name in methods if not name.startswith(helpers) and name != "Init"]
    return [name for name in fields if not name.endswith(("AsNumpy", "Length", "IsNone"))]


def _option(options: Any, field: str) -> Any:
    if hasattr(options, field + "AsNumpy"):
        return _indices(getattr(options, field + "AsNumpy")())
    value = getattr(options, field)()
    if isinstance(value, bytes):
        return _name(value)
    names = _ENUMERATIONS.get(_snake_case(field))
    return names.get(value, value) if names else value


@functools.cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
