"""The whole chain from records to what people read, beside files that show it.

`python tests/unit/test_report_golden.py` writes these files anew; read what has changed before you commit it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tinympy import comparison, records
from tinympy.report import collection, flat, html, markdown
from tinympy.report import comparison as comparison_report
from tinympy.report import console as console_report

HERE = Path(__file__).parent
RECORDS = HERE / "report_records"
GOLDEN = HERE / "report_golden"


def found() -> collection.Collection:
    """All records, with paths that do not depend on where this repository lies."""
    everything = collection.read([RECORDS])
    everything.records = [relative(record) for record in everything.records]
    return everything


def relative(record: records.Record) -> records.Record:
    assert record.path is not None
    record.path = record.path.relative_to(HERE)
    return record


def compared() -> str:
    names = ("20261125T102545Z-unix-kws01-native.json", "20261125T110000Z-rp2040-kws01-native.json")
    console = Console(file=io.StringIO(), width=100, color_system=None)
    comparison_report.render(comparison.compare([records.read(RECORDS / name) for name in names]), console)
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def page(name: str) -> str:
    """A page of the site without its style sheet, its script, and the figures, which depend on matplotlib."""
    text = html.site(collection.read([RECORDS]))[name]
    for tag in ("style", "script", "svg"):
        text = re.sub(rf"<{tag}\b[^>]*>.*?</{tag}>", f"<{tag}></{tag}>", text, flags=re.DOTALL)
    return text


MADE: dict[str, Callable[[], str]] = {
    "console.txt": lambda: console_report.text(found().records),
    "report.md": lambda: markdown.render(found().records),
    "report.csv": lambda: flat.as_csv(found().records),
    "report.json": lambda: flat.as_json(found().records),
    "compare.txt": compared,
    "report.html": lambda: page("report.html"),
    "index.html": lambda: page("index.html"),
    "record.html": lambda: page("records/20261125T102545Z-unix-kws01-native.html"),
}


@pytest.mark.parametrize("name", MADE)
def test_a_report_is_what_its_golden_file_shows(name: str) -> None:
    if name.endswith("html"):
        pytest.importorskip("matplotlib")
    assert MADE[name]() == (GOLDEN / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, make in MADE.items():
        (GOLDEN / name).write_text(make(), encoding="utf-8")
