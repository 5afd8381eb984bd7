"""`tinympy report`: records as a table, a document, data, or a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinympy.commands.options import require_folders
from tinympy.errors import UsageError

if TYPE_CHECKING:
    from tinympy.report.collection import Collection

_FORMATS = {"console": "", "markdown": ".md", "csv": ".csv", "json": ".json", "html": ".html"}


def report(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Records, what `tinympy profile --json` printed, and folders of both. Without any: results.",
            metavar="RECORD",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--format", help="console, markdown, csv, json or html. Without: by the name of --out.", metavar="FORMAT"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write to this file instead of printing.", metavar="FILE")
    ] = None,
    site: Annotated[
        Path | None, typer.Option(help="Write a site with a page for each record into this folder.", metavar="DIR")
    ] = None,
) -> None:
    """Show records: printed, or as Markdown, CSV, JSON, one HTML page, or a site."""
    from tinympy.report import collection

    if site is not None and (kind is not None or out is not None):
        raise UsageError("--site goes with neither --format nor --out", "run the command twice")
    chosen = None if site is not None else _format(kind, out)
    require_folders(out)
    found = collection.read(files or [Path("results")])
    for problem in found.unread:
        typer.echo(f"not read: {problem}", err=True)
    if site is not None:
        _write_site(found, site)
    elif chosen == "console" and out is None:
        from rich.console import Console

        from tinympy.report import console

        console.render(found.records, Console())
    else:
        text = _text(found, chosen or "console")
        if out is None:
            typer.echo(text, nl=False)
        else:
            _write(out, text)


def _format(kind: str | None, out: Path | None) -> str:
    if kind is not None:
        if kind not in _FORMATS:
            raise UsageError(f"there is no format {kind!r}", f"formats are {', '.join(_FORMATS)}")
        return kind
    if out is None:
        return "console"
    found = [name for name, suffix in _FORMATS.items() if suffix and suffix == out.suffix.lower()]
    if not found:
        raise UsageError(f"the name {out.name} does not say which format is wanted", "name one with --format")
    return found[0]


def _text(found: Collection, kind: str) -> str:
    if kind == "html":
        _say_what_is_missing()
        from tinympy.report import html

        return html.report(found)
    if kind == "markdown":
        from tinympy.report import markdown

        return markdown.render(found.records)
    if kind == "console":
        from tinympy.report import console

        return console.text(found.records)
    from tinympy.report import flat

    return flat.as_csv(found.records) if kind == "csv" else flat.as_json(found.records)


def _say_what_is_missing() -> None:
    from tinympy.report import figures, html

    if not figures.available():
        typer.echo(f"note: {html.NO_FIGURES}", err=True)


def _write_site(found: Collection, folder: Path) -> None:
    from tinympy.report import html
    from tinympy.report import site as sites

    _say_what_is_missing()
    sites.write(html.site(found), folder)
    typer.echo(folder / "index.html")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "choose another place") from error
