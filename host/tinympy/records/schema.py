"""The JSON Schema of records, made of the dataclasses, and checking documents against it.

docs/record-v1.schema.json is what `published` returns; it is for readers in other languages.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
import typing
from typing import TYPE_CHECKING, Any, Literal

from tinympy.records import decode
from tinympy.records.document import VERSION, Record

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Schema = dict[str, Any]

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def published() -> Schema:
    """The schema of today's version, as JSON values. It allows fields that it does not know: later ones only add."""
    definitions: dict[str, Schema] = {}
    top = _object(Record, definitions)
    return {
        "$schema": _DIALECT,
        "$id": f"record-v{VERSION}.schema.json",
        "title": f"tinympy record, version {VERSION}",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def check(document: Any) -> None:
    """Raises ValueError unless `document` follows the schema; the message says where it does not."""
    errors = sorted(_validator().iter_errors(document), key=lambda error: [str(part) for part in error.absolute_path])
    if errors:
        raise ValueError(_message(errors[0]))


@functools.cache
def _validator() -> Validator:
    # Imported where it is used, so that commands without records start at once.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(published())


def _object(kind: type[Any], definitions: dict[str, Schema]) -> Schema:
    hints = decode.types_of(kind)
    fields = decode.stored(kind)
    return {
        "type": "object",
        "description": inspect.cleandoc(kind.__doc__ or "").replace("\n", " "),
        "properties": {
            each.name: _of(hints[each.name], definitions) | each.metadata.get("schema", {}) for each in fields
        },
        "required": [each.name for each in fields if decode.is_required(each) or "const" in _extra(each)],
    }


def _extra(each: dataclasses.Field[Any]) -> Schema:
    extra: Schema = each.metadata.get("schema", {})
    return extra


def _of(kind: Any, definitions: dict[str, Schema]) -> Schema:
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}
            definitions[kind.__name__] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin is list:
        return {"type": "array", "items": _of(options[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(options[1], definitions)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(options[0], definitions), {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(options)}
    return {"type": _SCALARS[kind]}


def _message(error: ValidationError) -> str:
    # Of a value that may be null, what is wrong with it as what it is meant to be.
    if error.validator == "anyOf" and error.context:
        meant = [each for each in error.context if each.schema_path[0] == 0]
        return _message(min(meant, key=lambda each: [str(part) for part in each.absolute_path]))
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    if error.validator == "required":
        required: Any = error.validator_value
        instance: Any = error.instance
        absent = next(name for name in required if name not in instance)
        return decode.missing(where, absent)
    return decode.wrong(where, error.instance)
