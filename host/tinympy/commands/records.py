"""`tinympy records`: which records are there, what they hold, and old ones as today's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinympy.commands.options import AsJson
from tinympy.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="The records that `tinympy bench` writes: list, show, migrate.")

Places = Annotated[list[Path], typer.Argument(help="Records, or folders of them.", metavar="RECORD")]
Folders = Annotated[
    list[Path] | None, typer.Argument(help="Folders, or records; `results` without any.", metavar="FOLDER")
]


@app.command("list")
def list_(folders: Folders = None, as_json: AsJson = False) -> None:
    """List the records in folders, with what cannot be read."""
    from tinympy import records
    from tinympy.report.records import entries, render, row

    found = entries(records.find(folders or [Path("results")]))
    if as_json:
        typer.echo(json.dumps([row(entry) for entry in found], indent=2))
        return
    from rich.console import Console

    render(found, Console())


@app.command()
def show(places: Places, as_json: AsJson = False) -> None:
    """Show the results of records as `tinympy bench` does; --json prints the whole documents, as of today's version."""
    from tinympy import records

    found = [records.read(path) for path in _some(places)]
    if as_json:
        typer.echo(json.dumps([records.to_document(record) for record in found], indent=2))
        return
    from rich.console import Console

    from tinympy.report.console import render

    render(found, Console())


@app.command()
def migrate(places: Places) -> None:
    """Rewrite records of older versions as today's; the old document stays beside each."""
    from tinympy import records

    for path in _some(places):
        done = records.migrate(path)
        if done is None:
            typer.echo(f"{path}: is of version {records.VERSION} already")
        else:
            typer.echo(f"{path}: version {done.version} to {records.VERSION}, the old document is {done.kept.name}")


def _some(places: list[Path]) -> list[Path]:
    from tinympy import records

    found = records.find(places)
    if not found:
        raise UsageError(f"there is no record in {', '.join(map(str, places))}", "`tinympy bench` writes them")
    return found
