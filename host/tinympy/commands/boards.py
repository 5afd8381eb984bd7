"""`tinympy boards`: the boards that tinympy knows, and those that are attached."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tinympy.commands.options import AsJson, PortName


def boards(
    port: PortName = None,
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Ask the firmware of attached boards; interrupts what runs there.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """List the boards that tinympy knows, and what the firmware of attached ones says."""
    from rich.console import Console

    from tinympy import attached, ports
    from tinympy.report import boards as report

    present = ports.present() if port is None else [ports.at(port)]
    found = attached.survey(present) if ask else [attached.Attached(each, None, "not asked") for each in present]
    if as_json:
        typer.echo(json.dumps(report.document(found), indent=2))
    else:
        report.render(found, Console())
