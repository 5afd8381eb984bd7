"""`tinympy meters`: the energy meters that are attached, and the kinds that there are."""

from __future__ import annotations

import dataclasses
import json

import typer

from tinympy.commands.options import AsJson


def meters(as_json: AsJson = False) -> None:
    """List the energy meters that are attached to serial ports, and every kind of meter."""
    from rich.console import Console

    from tinympy.energy.meters import attached_meters
    from tinympy.report import meters as report

    found = attached_meters()
    if as_json:
        typer.echo(json.dumps([{"address": each.address, **dataclasses.asdict(each)} for each in found], indent=2))
    else:
        report.render(found, Console())
