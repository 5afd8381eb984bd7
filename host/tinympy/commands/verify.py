"""`tinympy verify`: is every layer on the board what the reference engine says?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tinympy.commands.options import (
    AsJson,
    AssetsFolder,
    BoardName,
    EngineName,
    Firmware,
    ModelPath,
    PortName,
    ReuseInput,
    TaskName,
)
from tinympy.errors import InvalidResultError


def verify(
    task: TaskName = None,
    model: ModelPath = None,
    board: BoardName = None,
    port: PortName = None,
    engine: EngineName = None,
    firmware: Firmware = None,
    samples: Annotated[int, typer.Option(min=1, help="How many inputs.", metavar="N")] = 3,
    assets: AssetsFolder = None,
    reuse_input: ReuseInput = False,
    as_json: AsJson = False,
) -> None:
    """Compare every layer on a board with the reference engine, byte for byte."""
    from rich.console import Console

    from tinympy import plan, verification
    from tinympy.report import verification as report
    from tinympy.report.progress import bar

    target = plan.target(
        board=board,
        port=port,
        engine=engine,
        firmware=firmware,
        task_name=task,
        model=model,
        assets=assets,
        reuse_input=reuse_input,
    )
    with bar(target.task.name) as observe:
        subject, result = verification.verify(target, samples, observe)
    if as_json:
        typer.echo(json.dumps(report.document(subject, result), indent=2))
    else:
        report.render(subject, result, Console())
    if result.difference is not None:
        raise InvalidResultError(
            f"{subject.place} computes wrongly: {report.where(result.difference)}",
            "run it again: a fault that moves is in memory or the line, one that stays is in the kernels",
        )
