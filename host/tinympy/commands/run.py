"""`tinympy run`: anybody's model on anybody's data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinympy.commands.options import AsJson, BoardName, EngineName, Firmware, require_folders
from tinympy.errors import UsageError


def run(
    model: Annotated[Path, typer.Argument(help="A full-int8 .tflite file.", metavar="MODEL")],
    inputs: Annotated[
        list[Path], typer.Argument(help="Its inputs: .npy, raw .bin, or pictures, in order.", metavar="INPUT")
    ],
    board: BoardName = "unix",
    engine: EngineName = "native",
    firmware: Firmware = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Only the first N inputs.", metavar="N")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="A text file with the name of a class in each line.", metavar="FILE")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes to show.", metavar="N")] = 3,
    pixels: Annotated[
        tuple[float, float] | None,
        typer.Option(help="What black and white are to the model; else seen from its input.", metavar="LOW HIGH"),
    ] = None,
    bgr: Annotated[bool, typer.Option("--bgr", help="The model takes blue first.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Write the raw outputs to this .npy file.", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a model on a board on your own inputs."""
    from rich.console import Console

    from tinympy import inference, input_files, plan
    from tinympy.pictures import Pixels
    from tinympy.report import inference as report
    from tinympy.report.progress import bar
    from tinympy.signature import Signature

    target = plan.target(board=board, engine=engine, firmware=firmware, task_name=None, model=model, assets=None)
    signature = Signature.read(target.task.model())
    classes = inference.classes(signature, _lines(labels))
    require_folders(out)
    if out is not None:
        inference.check_file(out, signature)
    given, how = input_files.read(inputs, signature.inputs, Pixels(pixels, bgr))
    with bar(target.task.name) as observe:
        subject, result = inference.run(target, given[:samples], observe)
    if as_json:
        typer.echo(json.dumps(report.document(subject, result, classes, how), indent=2))
    else:
        report.render(subject, result, classes, top, how, Console())
    if out is not None:
        inference.write(result, out)


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}", "name a text file with a class in each line") from error
