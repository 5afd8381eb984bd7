"""`tinympy selftest`: do the kernels compute on this board what they should?"""

from __future__ import annotations

import json

import typer

from tinympy.commands.options import AsJson, BoardName, Firmware, PortName


def selftest(
    board: BoardName = None, port: PortName = None, firmware: Firmware = None, as_json: AsJson = False
) -> None:
    """Prove on the board that its native module computes what it should: every kernel, on known numbers."""
    from rich.console import Console

    from tinympy import attached, deployment
    from tinympy.report import deployment as report
    from tinympy.report.progress import bar

    chosen = attached.choose(board, port, firmware)
    with bar(chosen.name) as observe:
        done = deployment.test(chosen, observe)
    if as_json:
        typer.echo(json.dumps(report.document(done), indent=2))
    else:
        report.render_notes(done, Console())
