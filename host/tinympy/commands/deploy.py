"""`tinympy deploy`: models on a board, for `import tinympy` at its prompt."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tinympy.commands.options import ONE_MODEL, AsJson, AssetsFolder, BoardFolder, BoardName, EngineName, PortName
from tinympy.errors import UsageError


def deploy(
    models: Annotated[
        list[str] | None, typer.Argument(help="Tasks and .tflite files. Without: digits.", metavar="TASK|MODEL")
    ] = None,
    board: BoardName = None,
    port: PortName = None,
    folder: BoardFolder = None,
    engine: EngineName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take off the board what tinympy put there.")] = False,
    assets: AssetsFolder = None,
    as_json: AsJson = False,
) -> None:
    """Put tinympy and models on a board; only what differs is written."""
    from rich.console import Console

    from tinympy import deployment, plan
    from tinympy.report import deployment as report
    from tinympy.report.progress import bar

    if remove and models:
        raise UsageError("--remove takes everything off the board", "leave the names of models away")
    chosen = [] if remove else plan.models(models or [ONE_MODEL], assets)
    plan.check_engine(engine)
    target = plan.lasting(board, port, folder)
    if remove:
        done = deployment.remove_from(target, dry_run)
    else:
        with bar(target.name) as observe:
            done = deployment.deploy_to(target, chosen, dry_run, observe, engine)
    if as_json:
        typer.echo(json.dumps(report.document(done), indent=2))
    else:
        report.render(done, Console())
