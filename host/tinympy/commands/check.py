"""`tinympy check`: what a model is made of, what it will need, and which boards it fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinympy.commands.options import AsJson, AssetsFolder, ReuseInput
from tinympy.errors import UsageError


def check(
    model: Annotated[str, typer.Argument(help="A .tflite file, or the name of a task.", metavar="MODEL")],
    board: Annotated[
        list[str] | None, typer.Option(help="A board to compare with; may be repeated. Without: all known ones.")
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Draw what lies where in the arena, and why.")] = False,
    reuse_input: ReuseInput = False,
    assets: AssetsFolder = None,
    as_json: AsJson = False,
) -> None:
    """Say what a model is made of, what it will need, and which boards it fits. No board is needed."""
    from rich.console import Console

    from tinympy import boards, inspection
    from tinympy.report import check as report
    from tinympy.report import memory_map

    content, name = _model(model, assets)
    chosen = [boards.known(each) for each in dict.fromkeys(board)] if board else boards.BOARDS
    found = inspection.inspect(content, name, chosen, reuse_input)
    if as_json:
        typer.echo(json.dumps(report.document(found, memory), indent=2))
    else:
        console = Console()
        report.render(found, console)
        if memory and found.memory is not None:
            console.print()
            memory_map.render(found.memory, console)
    if found.problem is not None:
        raise found.problem


def _model(model: str, assets: Path | None) -> tuple[bytes, str]:
    """The content of a file, or of a task's model, and its name. UsageError where there is neither."""
    path = Path(model)
    try:
        return path.read_bytes(), path.name
    except OSError as error:
        from tinympy import plan, tasks

        if model in tasks.TASKS:
            task = plan.target(board="unix", engine="native", task_name=model, model=None, assets=assets).task
            return task.model(), task.model_file
        hint = f"name a .tflite file, or one of the tasks {' '.join(tasks.TASKS)}"
        raise UsageError(f"cannot read {model}: {error.strerror}", hint) from error
