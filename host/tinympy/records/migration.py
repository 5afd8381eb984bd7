"""Documents of older versions as today's: one step a version, each a pure function of a JSON document.

Version 0 is what tinympy wrote before the schema was published; its documents call themselves `tinympy-record/1`.
Golden files of every version stand in tests/unit/golden_records.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinympy.records.document import SCHEMA, VERSION

Document = dict[str, Any]

_VERSION_0 = "tinympy-record/1"


def version_of(document: Any) -> int | None:
    """The version of the schema that `document` says it follows; None when it is no record."""
    if not isinstance(document, dict):
        return None
    if document.get("schema") == _VERSION_0:
        return 0
    version = document.get("schema_version")
    return version if document.get("schema") == SCHEMA and type(version) is int and version > 0 else None


def upgrade(document: Document) -> Document:
    """`document` as one of today's version; of a document of today the same one. It has a known version."""
    first = version_of(document)
    assert first is not None and first <= VERSION
    for version in range(first, VERSION):
        document = _STEPS[version](document)
    return document if first == VERSION else {**document, "migrated_from": first}


def _from_0(document: Document) -> Document:
    """Version 1 adds fields that may be absent, and a number for the version.

    It also judges a run when it ends, but a verdict belongs to the tinympy that wrote the record: none is added.
    """
    return {**document, "schema": SCHEMA, "schema_version": 1}


_STEPS: dict[int, Callable[[Document], Document]] = {0: _from_0}
