"""Between dataclasses and JSON values; which fields there are, the dataclasses say."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal

_TYPES: dict[type[Any], dict[str, Any]] = {}


def stored(kind: type[Any]) -> list[dataclasses.Field[Any]]:
    """The fields of a dataclass that are part of the document."""
    return [each for each in dataclasses.fields(kind) if each.metadata.get("stored", True)]


def types_of(kind: type[Any]) -> dict[str, Any]:
    """The types of a dataclass's fields by name; found once, since that takes most of the time of reading a record."""
    if kind not in _TYPES:
        _TYPES[kind] = typing.get_type_hints(kind)
    return _TYPES[kind]


def is_required(each: dataclasses.Field[Any]) -> bool:
    """Whether a document has to have the field: it had it from the beginning."""
    return each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING


def to_json(value: Any) -> Any:
    """A dataclass as dicts, lists and scalars."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_json(getattr(value, each.name)) for each in stored(type(value))}
    return [to_json(each) for each in value] if isinstance(value, list) else value


def from_json(kind: Any, value: Any, where: str = "") -> Any:
    """`value` as `kind` (dataclass, list, dict, union, literal or scalar). Fields that `kind` lacks are left out.

    Raises:
        ValueError: it does not fit; the message says where.
    """
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_from_json(kind, value, where)
    if origin is list and isinstance(value, list):
        return [from_json(options[0], each, f"{where}[{index}]") for index, each in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {name: from_json(options[1], each, f"{where}.{name}") for name, each in value.items()}
    if origin in (types.UnionType, typing.Union):  # a union with a Literal in it is the old kind
        return None if value is None else from_json(options[0], value, where)
    if origin is Literal and value in options:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    raise ValueError(wrong(where, value))


def wrong(where: str, value: Any) -> str:
    """What is said of a value that does not fit its place."""
    return f"{where or 'the document'} is {str(value)[:40]!r}"


def missing(where: str, name: str) -> str:
    """What is said of a field that is not there; `where` is the path of its object."""
    return f"{where}.{name} is missing" if where else f"{name} is missing"


def _dataclass_from_json(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{wrong(where, value)}, not an object")
    hints = types_of(kind)
    arguments = {}
    for each in stored(kind):
        if each.name in value:
            place = f"{where}.{each.name}" if where else each.name
            arguments[each.name] = from_json(hints[each.name], value[each.name], place)
        elif is_required(each):
            raise ValueError(missing(where, each.name))
    return kind(**arguments)
