"""`tinympy compare`: which record is faster, and by how much."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinympy.commands.options import AsJson


def compare(
    files: Annotated[list[Path], typer.Argument(help="Two records or more, of one task and model.", metavar="RECORD")],
    as_json: AsJson = False,
) -> None:
    """Say how many times faster one record is than others; refuses what must not be ranked."""
    from tinympy import comparison, records
    from tinympy.report import comparison as report

    entries = comparison.compare([records.read(file) for file in records.find(files)])
    if as_json:
        typer.echo(json.dumps(report.document(entries), indent=2))
        return
    from rich.console import Console

    report.render(entries, Console())
