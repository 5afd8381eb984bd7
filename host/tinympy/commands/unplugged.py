"""`tinympy unplug` and `tinympy collect`: a board that runs by itself, without USB, and what it measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinympy.commands.options import ONE_MODEL, AsJson, AssetsFolder, BoardFolder, BoardName, OneModel, PortName, Rail
from tinympy.errors import BoardError, InterruptedRunError, InvalidResultError, UsageError

if TYPE_CHECKING:
    from tinympy.records import Record

Out = Annotated[Path, typer.Option(help="Folder for the record.")]


def unplug(
    model: OneModel = None,
    board: BoardName = None,
    port: PortName = None,
    folder: BoardFolder = None,
    meter: Annotated[
        str | None,
        typer.Option(help="A meter to record with meanwhile; without, a file goes to collect.", metavar="KIND:PLACE"),
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option(help="The board's pin that is high in windows; without, a pattern precedes them.", metavar="PIN"),
    ] = None,
    rail: Rail = None,
    window: Annotated[float, typer.Option(help="Length of each of the five windows.", metavar="SECONDS")] = 2.5,
    warmup: Annotated[int, typer.Option(min=0, help="Inferences before each of them.", metavar="N")] = 10,
    wait: Annotated[float, typer.Option(min=0, help="Idle time after the board starts.", metavar="SECONDS")] = 5.0,
    weights: Annotated[
        Path | None,
        typer.Option(help="A .tflite file in place of the official model of a task.", metavar="FILE"),
    ] = None,
    assets: AssetsFolder = None,
    out: Out = Path("results"),
    as_json: AsJson = False,
) -> None:
    """Let a board measure by itself when it is powered next, with USB unplugged."""
    from tinympy import plan, unplugged
    from tinympy.deploy import Mark, pin
    from tinympy.metering import Metering
    from tinympy.report.progress import bar

    pinned = None if trigger is None else pin(trigger)
    if meter is None and rail:
        raise UsageError("--rail is for a meter", "say it when the recording is there: `tinympy collect --rail`")
    job = plan.unplugged(
        board=board,
        port=port,
        root=folder,
        name=model or ONE_MODEL,
        weights=weights,
        assets=assets,
        window_s=window,
        warmup=warmup,
        metering=None if meter is None else Metering(meter, pinned, rail, only_supply=True),
        folder=out,
    )
    where = f"--port {job.board.port}" if job.board.port else f"--board {job.board.name} --folder {job.board.root}"
    if meter is not None:
        with bar(job.board.name) as observe:
            recording = unplugged.listen(job, wait, observe, _ask, _tell)
        _show(unplugged.collect(job.board, recording, out), as_json)
        return
    with bar(job.board.name) as observe:
        mark = None if pinned is None else Mark(pinned)
        prepared = unplugged.prepare(job, mark, mark is None, wait, observe)
        if job.board.port is None:
            unplugged.power(job, prepared)
    shown = "a pattern precedes them" if prepared.preamble else f"pin {pinned} is high in them"
    typer.echo(f"{job.task.name} is on {job.board.name}: one inference takes {1e3 * prepared.latency_s:.3g} ms")
    if job.board.port is None:
        typer.echo(f"{job.board.name} has run by itself; {shown}")
    else:
        typer.echo(f"1. unplug USB; start recording; power the board: five windows begin after {wait:g} s, {shown}")
        typer.echo(f"2. wait {prepared.seconds:.0f} s; export the recording")
        typer.echo("3. disconnect the supply, and plug USB in again")
    typer.echo(f"then: tinympy collect {where} --meter file:RECORDING")


def collect(
    board: BoardName = None,
    port: PortName = None,
    folder: BoardFolder = None,
    meter: Annotated[
        str | None,
        typer.Option(help="The recording: file:PATH?trig=0, as docs/energy.md has it. Without: latency only."),
    ] = None,
    rail: Rail = None,
    out: Out = Path("results"),
    as_json: AsJson = False,
) -> None:
    """Take what a board measured by itself after `tinympy unplug`, and let it start as before."""
    from tinympy import metering, plan, unplugged

    if meter is None and rail:
        raise UsageError("--rail is for a recording", "--meter file:PATH")
    recording = None
    if meter is not None:
        asked = metering.Metering(meter, rail=rail, only_supply=True)
        recording = unplugged.Recording(asked, *metering.recorded(asked))
    _show(unplugged.collect(plan.lasting(board, port, folder), recording, out), as_json)


def _show(record: Record, as_json: bool) -> None:
    import json

    from rich.console import Console

    from tinympy import statistics
    from tinympy.report import console

    if as_json:
        typer.echo(json.dumps([statistics.summary(record)], indent=2))
    else:
        console.render([record], Console())
    if record.error is not None:
        raise BoardError(record.error, f"complete windows are in {record.path}; look after the supply, and run again")
    if reason := statistics.invalid_reason(record):
        raise InvalidResultError(f"the result is not valid: {reason}", "the reasons are in the report")


def _ask(what: str) -> None:
    _tell(f"{what}, then press Enter")
    if not sys.stdin.readline():
        raise InterruptedRunError("nobody is there to press Enter", "run in a terminal")


def _tell(what: str) -> None:
    typer.echo(what, err=True)
