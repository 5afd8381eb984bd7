"""The published JSON Schema is that of the dataclasses, holds for what is written, and refuses what is not read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import example_records
from tinympy import records
from tinympy.records import Record, decode, schema

DOCUMENT = Path(__file__).parents[2] / "docs" / f"record-v{records.VERSION}.schema.json"
GOLDEN = Path(__file__).parent / "golden_records" / f"v{records.VERSION}"


def example() -> dict[str, Any]:
    made = example_records.record(latencies_us=[2311.0, 2312.5], accuracy=example_records.accuracy())
    return records.to_document(made)


def test_the_document_is_the_schema_of_the_dataclasses() -> None:
    assert json.loads(DOCUMENT.read_text()) == schema.published(), f"write schema.published() to {DOCUMENT.name}"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.published())


def test_every_dataclass_and_field_is_in_it() -> None:
    published = schema.published()
    for kind in (getattr(records, name) for name in records.__all__):
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind not in (Record, records.Migrated):
            properties = published["$defs"][kind.__name__]["properties"]
            assert list(properties) == [each.name for each in decode.stored(kind)]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_records_of_today_follow_the_document(path: Path) -> None:
    jsonschema.validate(json.loads(path.read_text()), json.loads(DOCUMENT.read_text()))


@given(data=st.data())
def test_what_the_schema_lets_pass_can_be_read(data: st.DataObject) -> None:
    document = example()
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3) | st.floats(allow_nan=False)
    if isinstance(place, dict) and data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(
            scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(), scalars, max_size=2)
        )
    try:
        schema.check(document)
    except ValueError:
        return
    try:
        decode.from_json(Record, document)
    except ValueError:
        # JSON Schema takes 1.0 for an integer; a record does not.
        assert any(isinstance(value, float) for value in leaves(document))


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]
