"""The command `tinympy`: options and presentation only. What it does stands in plan, session, compiler and assets.

Imports of the working modules stand inside the commands, so that help answers at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinympy import __version__
from tinympy.commands.boards import boards
from tinympy.commands.check import check
from tinympy.commands.compare import compare
from tinympy.commands.deploy import deploy
from tinympy.commands.dut import dut
from tinympy.commands.meters import meters
from tinympy.commands.options import AsJson, AssetsFolder, Firmware, Rail, ReuseInput
from tinympy.commands.profile import profile
from tinympy.commands.records import app as records_app
from tinympy.commands.report import report
from tinympy.commands.run import run
from tinympy.commands.selftest import selftest
from tinympy.commands.submit import submit
from tinympy.commands.unplugged import collect, unplug
from tinympy.commands.verify import verify
from tinympy.errors import InterruptedRunError, InvalidResultError, TinympyError, UsageError

if TYPE_CHECKING:
    from tinympy.records import Record

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The MLPerf-Tiny-style benchmark for boards with stock MicroPython or CircuitPython firmware.",
)
assets_app = typer.Typer(no_args_is_help=True, help="The official models and data sets: what is here, and fetching it.")
app.add_typer(assets_app, name="assets")
app.add_typer(records_app, name="records")
app.command()(boards)
app.command()(check)
app.command()(run)
app.command()(verify)
app.command()(profile)
app.command()(deploy)
app.command()(selftest)
app.command()(dut)
app.command()(unplug)
app.command()(collect)
app.command()(submit)
app.command()(meters)
app.command()(report)
app.command()(compare)

AssetNames = Annotated[list[str] | None, typer.Argument(help="Tasks or files; all without any.", metavar="NAME")]


def main() -> None:
    """The entry point: an error of ours ends in two lines and its exit code, anything else is a bug."""
    try:
        app()
    except KeyboardInterrupt:
        _report(InterruptedRunError("interrupted"))
    except TinympyError as error:
        if "--debug" in sys.argv:
            raise
        _report(error)


def _report(error: TinympyError) -> None:
    typer.echo(f"error: {error.message}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)
    sys.exit(error.exit_code)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinympy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options that stand before the command; `main` looks for --debug itself."""


@app.command()
def bench(
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks, as with --task.", metavar="TASK")] = None,
    board: Annotated[
        list[str] | None,
        typer.Option(
            help="The board (see `tinympy boards`); may be repeated, unix:16 means 16 of them. "
            "Without: the one attached, or unix.",
            metavar="NAME",
        ),
    ] = None,
    port: Annotated[
        list[str] | None,
        typer.Option(help="The serial port that the board is attached to; may be repeated.", metavar="PORT"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All boards that are attached.")] = False,
    task: Annotated[
        list[str] | None,
        typer.Option(help="A task; may be repeated. Without: every task, as far as its files are here."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(help="A full-int8 .tflite file, for latency and memory; may be repeated.", metavar="FILE"),
    ] = None,
    mode: Annotated[
        str | None, typer.Option(help="accuracy, performance, energy or all. Without: all, or energy with a meter.")
    ] = None,
    meter: Annotated[
        str | None,
        typer.Option(
            help="What measures energy: ppk2:PORT?mode=source&v=3.3, emu:ppk2, … (docs/meters.md).",
            metavar="KIND:PLACE",
        ),
    ] = None,
    trigger: Annotated[
        str | None, typer.Option(help="The board's pin that shows the meter the windows.", metavar="PIN")
    ] = None,
    rail: Rail = None,
    only_supply: Annotated[
        bool, typer.Option("--only-supply", help="What is measured is the board's only supply: USB feeds nothing.")
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            help="official, generated (no accuracy), or a .tflite file in place of the official model of one task. "
            "Without: official where the models are here.",
        ),
    ] = None,
    quantisation: Annotated[
        Path | None, typer.Option(help="How that file was quantised, a JSON object (docs/rules.md).", metavar="FILE")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="What executes the model: native, viper, ulab, python; several with commas. Without: the "
            "fastest there.",
            metavar="NAME",
        ),
    ] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Only the first N samples.", metavar="N")] = None,
    window: Annotated[
        float | None,
        typer.Option(
            help="Length of each of the five timed windows (2.5; emulated: one inference).", metavar="SECONDS"
        ),
    ] = None,
    warmup: Annotated[
        int | None, typer.Option(min=0, help="Inferences before each of them (10; single ones: 0).", metavar="N")
    ] = None,
    weights_in: Annotated[
        str | None, typer.Option(help="heap or flash. Without: flash where the heap is too small.", metavar="PLACE")
    ] = None,
    in_ram: Annotated[
        bool, typer.Option("--in-ram", help="Write nothing to the board's flash: its files stay in the heap.")
    ] = False,
    reuse_input: ReuseInput = False,
    firmware: Firmware = None,
    assets: AssetsFolder = None,
    out: Annotated[Path, typer.Option(help="Folder for the records.")] = Path("results"),
    as_json: AsJson = False,
) -> None:
    """Measure accuracy, latency and memory of tasks on a board."""
    from tinympy import parallel, plan
    from tinympy.deploy import pin
    from tinympy.metering import Metering
    from tinympy.report.progress import bars

    if meter is None and (trigger or rail or only_supply):
        raise UsageError("--trigger, --rail and --only-supply are for a meter", "--meter KIND:PLACE")
    mark_pin = None if trigger is None else pin(trigger)

    jobs = plan.plan(
        board_names=board or (),
        ports=port or (),
        every=every,
        task_names=[*(task or ()), *(tasks or ())],
        models=model or (),
        mode=mode or ("energy" if meter else "all"),
        metering=None if meter is None else Metering(meter, mark_pin, rail, only_supply),
        weights=weights,
        quantisation=quantisation,
        engine=engine,
        samples=samples,
        window_s=window,
        warmup=warmup,
        assets=assets,
        folder=out,
        firmware=firmware,
        weights_in=weights_in,
        in_ram=in_ram,
        reuse_input=reuse_input,
        left_out=lambda why: typer.echo(f"left out: {why}", err=True),
    )
    begun: list[tuple[plan.Job, Record]] = []
    try:
        with bars() as progress:
            rows = {label: progress.add_task(label, total=None) for label in dict.fromkeys(job.label for job in jobs)}

            def observe(job: plan.Job, what: str, done: int, total: int) -> None:
                name = f"{job.label} {job.task.name}" if len(rows) > 1 else job.task.name
                progress.update(rows[job.label], description=f"{name} {what}", completed=done, total=total)

            parallel.run(jobs, lambda job, record: begun.append((job, record)), observe)
    except KeyboardInterrupt:
        kept = "what was measured until then is in the record" if begun else ""
        raise InterruptedRunError("interrupted", kept) from None
    finally:
        records = [record for job in jobs for its_job, record in begun if its_job is job]
        _show(records, as_json)
    _require_valid(records)


def _show(records: list[Record], as_json: bool) -> None:
    if as_json:
        from tinympy import statistics

        typer.echo(json.dumps([statistics.summary(record) | ups for record, ups in _with_speed_up(records)], indent=2))
        return
    from rich.console import Console

    from tinympy.report import console, engines
    from tinympy.speed_ups import speed_ups

    console.render(records, Console())
    engines.render(speed_ups(records), Console())


def _with_speed_up(records: list[Record]) -> list[tuple[Record, dict[str, Any]]]:
    """Each record, and what it is beside the same model's with other engines."""
    from tinympy.speed_ups import speed_ups

    rows = {(each.task, each.board, row.engine): row for each in speed_ups(records) for row in each.rows}
    found: list[tuple[Record, dict[str, Any]]] = []
    for record in records:
        row = rows.get((record.task.name, record.board.name, record.engine.name))
        found.append((record, {"speed_up": row.speed_up} if row else {}))
    return found


def _require_valid(records: list[Record]) -> None:
    from tinympy import statistics

    invalid = [record.task.name for record in records if statistics.invalid_reason(record) is not None]
    if invalid:
        raise InvalidResultError(
            f"{len(invalid)} of {len(records)} results not valid: {', '.join(invalid)}", "the reasons are in the report"
        )


@app.command("compile")
def compile_(
    model: Annotated[Path, typer.Argument(help="A full-int8 .tflite file.", metavar="MODEL")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The program to write.", metavar="FILE")],
    reuse_input: ReuseInput = False,
    as_json: AsJson = False,
) -> None:
    """Compile a model into a program for the kernels."""
    from tinympy.compiler import compile_model

    compiled = compile_model(_read(model), model.stem, reuse_input=reuse_input)
    try:
        out.write_bytes(compiled.program)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}", "name a file in a folder that exists") from error
    sizes = {
        "program_bytes": len(compiled.program),
        "arena_bytes": compiled.arena.bytes,
        "activation_bytes": compiled.arena.activation_bytes,
        "input_reused": not compiled.arena.keeps_input,
        "operations": len(compiled.lowered.operations),
        "model_sha256": compiled.model_sha256,
    }
    if as_json:
        typer.echo(json.dumps(sizes, indent=2))
    else:
        typer.echo(
            f"{out}: {sizes['program_bytes']} bytes, {sizes['operations']} operations, "
            f"arena {sizes['arena_bytes']} bytes (activations {sizes['activation_bytes']})"
        )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", "name a .tflite file") from error


@assets_app.command("list")
def assets_list(names: AssetNames = None, assets: AssetsFolder = None, as_json: AsJson = False) -> None:
    """Show which official files are here, verified, and which are not."""
    from tinympy import assets as library

    found = library.status(assets, library.select(names or ()))
    if as_json:
        typer.echo(json.dumps([_asset_row(status) for status in found], indent=2))
        return
    from rich.console import Console

    from tinympy.report.assets import render

    render(found, Console())


def _asset_row(status: Any) -> dict[str, Any]:
    asset = status.asset
    return {
        "task": asset.task,
        "name": asset.name,
        "size_bytes": asset.size_bytes,
        "sha256": asset.sha256,
        "licence": asset.licence,
        "url": asset.url,
        "note": asset.note,
        "state": status.state,
        "path": None if status.path is None else str(status.path),
    }


@assets_app.command("fetch")
def assets_fetch(names: AssetNames = None, assets: AssetsFolder = None) -> None:
    """Download official files, verify them, and put them into the assets folder."""
    from tinympy import assets as library
    from tinympy import download
    from tinympy.report.progress import bars

    with bars() as progress:
        rows: dict[str, Any] = {}

        def observe(asset: library.Asset, done_bytes: int, total_bytes: int) -> None:
            if asset.name not in rows:
                rows[asset.name] = progress.add_task(asset.name)
            progress.update(rows[asset.name], completed=done_bytes, total=total_bytes or None)

        paths = download.fetch(library.select(names or ()), assets, observe)
    for path in paths:
        typer.echo(path)


@assets_app.command("path")
def assets_path(
    name: Annotated[str, typer.Argument(help="A file, as `tinympy assets list` names it.")], assets: AssetsFolder = None
) -> None:
    """Print where an official file lies on this computer."""
    from tinympy import assets as library

    typer.echo(library.path(name, assets))
