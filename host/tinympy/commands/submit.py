"""`tinympy submit`: records as the folders of an MLPerf Tiny submission, and what is missing in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinympy.commands.options import AsJson
from tinympy.errors import InvalidResultError, UsageError

if TYPE_CHECKING:
    from tinympy.submission import Finding, Result


def submit(
    record_files: Annotated[
        list[Path] | None,
        typer.Argument(help="Records of one board. Without: only check the folder.", metavar="RECORD"),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the submission.", metavar="DIR")] = Path(
        "submission"
    ),
    session: Annotated[
        list[Path] | None,
        typer.Option(help="A session of the public runner, or a folder of them; may be repeated.", metavar="DIR"),
    ] = None,
    submitter: Annotated[str | None, typer.Option(help="Your organisation, as a folder is called.")] = None,
    status: Annotated[str | None, typer.Option(help="Of the system: available, preview or rdi.")] = None,
    division: Annotated[str, typer.Option(help="closed or open.")] = "closed",
    system: Annotated[
        str | None, typer.Option(help="Name of the system's folder. Without: the board's.", metavar="NAME")
    ] = None,
    code: Annotated[str, typer.Option(help="Where the code is published.", metavar="URL")] = "",
    description: Annotated[
        Path | None, typer.Option(help="Fields of the system description, a JSON object.", metavar="FILE")
    ] = None,
    field: Annotated[list[str] | None, typer.Option(help="One field; may be repeated.", metavar="KEY=VALUE")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the folders of a submission to MLPerf Tiny, and say what is missing."""
    from tinympy import submission

    if record_files:
        fields = _fields(description, field or [], submitter, status, division)
        found = _results(record_files, session or [], division)
        record = found[0].record
        board = submission.Submitter(fields["Submitter"], system or record.board.name, division, code)
        submission.write(out, board, submission.describe(record) | fields, found)
    elif any((session, submitter, status, system, code, description, field)):
        raise UsageError("nothing is written without a record", "name the records; without any, -o DIR is checked")
    findings = submission.check(out)
    if as_json:
        typer.echo(json.dumps([vars(each) for each in findings], indent=2))
    else:
        _show(findings, out)
    rejected = sum(each.level == "rejected" for each in findings)
    if rejected:
        raise InvalidResultError(
            f"the official checker would reject {out}: {rejected} findings", "what to do stands beside each"
        )


def _fields(
    description: Path | None, more: list[str], submitter: str | None, status: str | None, division: str
) -> dict[str, str]:
    """What a person says of the system, in the words of its description."""
    from tinympy import submission

    if division not in submission.DIVISIONS:
        raise UsageError(f"there is no division {division}", "--division closed or open")
    fields = submission.with_fields({}, {} if description is None else _read_description(description), more)
    who, available = submitter or fields.get("Submitter", ""), status or fields.get("Status", "")
    if not who:
        raise UsageError("who submits?", "--submitter ORGANISATION")
    if available.lower() not in submission.STATUS:
        raise UsageError("can the system be bought?", "--status available, preview (soon) or rdi (research)")
    available = "RDI" if available.lower() == "rdi" else available.capitalize()
    return fields | {"Submitter": who, "Division": division.capitalize(), "Status": available}


def _results(record_files: list[Path], folders: list[Path], division: str) -> list[Result]:
    from tinympy import records, submission
    from tinympy.submission import sessions

    latest = sessions.latest(folders)
    found = submission.results([records.read(path) for path in records.find(record_files)], latest, division)
    for result in found:
        for reason in result.left_out:
            typer.echo(f"left out  energy of {result.benchmark.task}: {reason}", err=True)
    for each in latest.values():
        if each.task not in [result.benchmark.task for result in found]:
            typer.echo(
                f"left out  {each.folder}: {each.task} in {each.mode} mode, of which there is no record", err=True
            )
    return found


def _read_description(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}: {error}", "a JSON object of fields (docs/submission.md)") from error
    if not isinstance(found, dict):
        raise UsageError(f"{file} is no JSON object", "it has fields of the system description (docs/submission.md)")
    return found


def _show(findings: list[Finding], out: Path) -> None:
    for each in findings:
        typer.echo(f"{each.level:8}  {each.where}: {each.what} ({each.remedy})")
    rejected = sum(each.level == "rejected" for each in findings)
    if rejected:
        typer.echo(f"{out}: the official checker would reject it")
    elif findings:
        typer.echo(f"{out}: the official checker accepts it; missing beyond that: {len(findings)}")
    else:
        typer.echo(f"{out}: nothing is missing")
