"""`tinympy profile`: which layers an inference's time goes to."""

from __future__ import annotations

import json
from pathlib import Path
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
    require_folders,
)
from tinympy.errors import UsageError


def profile(
    task: TaskName = None,
    model: ModelPath = None,
    board: BoardName = None,
    port: PortName = None,
    engine: EngineName = None,
    firmware: Firmware = None,
    window: Annotated[
        float, typer.Option(min=0.001, max=5.0, help="Least length of each layer's windows.", metavar="SECONDS")
    ] = 0.025,
    table: Annotated[Path | None, typer.Option("--csv", help="Write the layers to this file.", metavar="FILE")] = None,
    chart: Annotated[
        Path | None, typer.Option(help="Draw a bar chart into this .svg or .png file.", metavar="FILE")
    ] = None,
    assets: AssetsFolder = None,
    reuse_input: ReuseInput = False,
    as_json: AsJson = False,
) -> None:
    """Time every layer of a model on a board."""
    from rich.console import Console

    from tinympy import plan, profiling
    from tinympy.report import chart as charts
    from tinympy.report import profile as report
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
    require_folders(table, chart)
    if chart is not None:
        charts.check(chart)
    with bar(target.task.name) as observe:
        subject, result = profiling.profile(target, window, observe)
    if as_json:
        typer.echo(json.dumps(report.document(subject, result), indent=2))
    else:
        report.render(subject, result, Console())
    if table is not None:
        try:
            table.write_text(report.as_csv(result), encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"cannot write {table}: {error.strerror}", "name a file in a folder that exists"
            ) from error
    if chart is not None:
        charts.write(subject, result, chart)
