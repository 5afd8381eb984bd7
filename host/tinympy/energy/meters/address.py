"""Addresses of meters: kind:place?option=value&option=value, of which the place and the options may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from tinympy.errors import UsageError


@dataclass(frozen=True)
class Address:
    """kind -- of the meter; place -- where it is, empty: wherever it is attached; options -- as given"""

    kind: str
    place: str
    options: dict[str, str]


def parse(text: str) -> Address:
    """Raises UsageError when an option has no value, or stands there twice."""
    named, _, query = text.partition("?")
    kind, _, place = named.partition(":")
    options: dict[str, str] = {}
    for each in filter(None, query.split("&")):
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise UsageError(f"{each} in {text} is no option", "options are like v=3.3&trig=0; quote the address")
        if name in options:
            raise UsageError(f"{name} stands twice in {text}", "say it once")
        options[name] = unquote(value)
    return Address(kind, place, options)
