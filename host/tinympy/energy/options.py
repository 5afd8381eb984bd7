"""Options of an address, the `name=value&…` behind its `?`, as a dataclass whose fields are the options there are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from tinympy.errors import UsageError

Chosen = TypeVar("Chosen")

_KINDS = {float: "a number", int: "a whole number", bool: "yes or no"}
_TRUE = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def parse(kind: type[Chosen], given: Mapping[str, str], of: str) -> Chosen:
    """An instance of the dataclass `kind`, whose fields are str, float, int or bool, or one of these or None.

    Raises:
        UsageError: an option that does not exist, or whose value is no such thing; `of` says in words whose they are.
    """
    fields = names(kind)
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in fields:
            raise UsageError(f"{of} has no option {name}", f"options of it: {', '.join(fields) or 'none'}")
        values[name] = _convert(text, hints[name], f"{name}={text}")
    return kind(**values)


def names(kind: type[Any]) -> list[str]:
    """The options of the dataclass `kind`, in its order."""
    return [field.name for field in dataclasses.fields(kind)]


def _convert(text: str, hint: Any, shown: str) -> Any:
    wanted = next((each for each in (str, bool, int, float) if each in (hint, *getattr(hint, "__args__", ()))), str)
    try:
        return _TRUE[text.lower()] if wanted is bool else wanted(text)
    except (ValueError, KeyError):
        raise UsageError(f"{shown} is not {_KINDS[wanted]}", "write it like name=3.3") from None
