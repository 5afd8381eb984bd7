"""`tinympy run`: anybody's model on anybody's data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tinympy.commands.options import AsJson, AssetsFolder, BoardName, Firmware, PortName, ReuseInput, require_folders
from tinympy.errors import UsageError


def run(
    model: Annotated[
        Path, typer.Argument(help="A full-int8 .tflite file; with --task the first input.", metavar="MODEL")
    ],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Its inputs in order: .npy, .bin (raw, or with --task of its data set), pictures, or .wav for sww01.",
            metavar="INPUT",
        ),
    ] = None,
    task: Annotated[str | None, typer.Option(help="The task whose model is run, instead of MODEL.")] = None,
    board: BoardName = None,
    port: PortName = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="What executes the model: native, viper, ulab or python on a board, or reference on this computer."
        ),
    ] = None,
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
    assets: AssetsFolder = None,
    reuse_input: ReuseInput = False,
    as_json: AsJson = False,
) -> None:
    """Run a model on a board on your own inputs."""
    from rich.console import Console

    from tinympy import inference, input_files, plan, tasks
    from tinympy.engines import ENGINES
    from tinympy.listening import stretches
    from tinympy.pictures import Pixels
    from tinympy.report import inference as report
    from tinympy.report.progress import bar
    from tinympy.signature import Signature

    if engine == plan.REFERENCE and (board is not None or port is not None):
        raise UsageError("the reference engine runs on this computer, not on a board", "leave --board and --port out")
    files = inputs or []
    if task is not None:
        files = [model, *files]
    elif not files:
        raise UsageError(f"no inputs for {model}", "give files after the model: .npy, raw .bin, pictures or .wav")
    target = plan.target(
        board=board,
        port=port,
        engine=engine,
        firmware=firmware,
        task_name=task,
        model=model if task is None else None,
        assets=assets,
        engines=(*ENGINES, plan.REFERENCE),
        reuse_input=reuse_input,
    )
    signature = Signature.read(target.task.model())
    classes = inference.classes(signature, _lines(labels))
    require_folders(out)
    if out is not None:
        inference.check_file(out, signature)
    hearing = tasks.hearing(target.task)
    given, how = input_files.read(files, signature.inputs, Pixels(pixels, bgr), hearing, target.task.data_file)
    with bar(target.task.name) as observe:
        subject, result = inference.run(target, given[:samples], observe)
    heard = [] if hearing is None else stretches(result.inferences, hearing)
    if as_json:
        typer.echo(json.dumps(report.document(subject, result, classes, how, heard), indent=2))
    else:
        report.render(subject, result, classes, top, how, Console(), heard, "" if hearing is None else hearing.target)
    if out is not None:
        inference.write(result, out)


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}", "name a text file with a class in each line") from error
