"""`tinympy dut`: a board that serves the serial commands of MLPerf Tiny to other programs."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinympy.commands.options import ONE_MODEL, AssetsFolder, BoardFolder, BoardName, OneModel, PortName
from tinympy.errors import UsageError

if TYPE_CHECKING:
    from tinympy.deploy import Energy
    from tinympy.standalone import Served


def dut(
    model: OneModel = None,
    board: BoardName = None,
    port: PortName = None,
    folder: BoardFolder = None,
    at_boot: Annotated[
        bool, typer.Option("--at-boot", help="Serve it whenever the board starts: writes a main.py.")
    ] = False,
    remove_at_boot: Annotated[bool, typer.Option("--remove-at-boot", help="Undo --at-boot.")] = False,
    runner_files: Annotated[
        Path | None,
        typer.Option(help="Write devices.yaml and a test file for the public runner into this folder.", metavar="DIR"),
    ] = None,
    trigger: Annotated[
        str | None, typer.Option(help="Energy mode: the pin whose falling edges stand for laps.", metavar="PIN")
    ] = None,
    uart: Annotated[int | None, typer.Option(help="Energy mode: the UART for the commands.", metavar="N")] = None,
    tx: Annotated[str | None, typer.Option(help="Its pin, if not the usual one.", metavar="PIN")] = None,
    rx: Annotated[str | None, typer.Option(help="Its pin, if not the usual one.", metavar="PIN")] = None,
    uart_baud: Annotated[int, typer.Option(help="Its baud rate.", metavar="BAUD", min=300)] = 9600,
    weights: Annotated[
        Path | None,
        typer.Option(help="A .tflite file in place of the official model of a task.", metavar="FILE"),
    ] = None,
    assets: AssetsFolder = None,
) -> None:
    """Let a board serve the serial commands of MLPerf Tiny, and leave the port to other programs."""
    from tinympy import plan, runner, standalone
    from tinympy.report.progress import bar

    energy = _energy(trigger, uart, tx, rx, uart_baud)
    if remove_at_boot and (at_boot or model or weights or runner_files or energy):
        raise UsageError("--remove-at-boot goes alone", "it takes away what --at-boot wrote")
    name = model or ONE_MODEL
    if runner_files and name not in runner.DRIVEN:
        raise UsageError(
            f"the public runner has no test for {name} over a serial line", f"it has some for {' '.join(runner.DRIVEN)}"
        )
    target = plan.lasting(board, port, folder)
    if remove_at_boot:
        at, changed = standalone.forget(target)
        typer.echo(f"{target.name} at {at} starts {'as before' if changed else 'without tinympy: nothing to remove'}")
        return
    task = plan.served(name, weights, assets)
    with contextlib.ExitStack() as stack:
        with bar(target.name) as observe:
            served = stack.enter_context(
                standalone.serving(target, task, at_boot, observe, runner_files is not None, energy)
            )
        if energy is None:
            typer.echo(
                f"{task.name} is served at {served.port}: commands end with %, for example `name%` (docs/protocol.md)"
            )
            typer.echo(f"talk to it: python -m serial.tools.miniterm --raw {served.port} 115200; Ctrl-C twice ends it")
        else:
            typer.echo(
                f"{task.name} is served over UART {energy.uart} at {energy.baud} baud, laps are falling edges of pin "
                f"{energy.trigger}; Ctrl-C at {served.port} ends it"
            )
        if served.boot_file:
            typer.echo(f"{served.boot_file} serves it whenever the board starts")
        if task.name in runner.DRIVEN:
            _show_runner(served, energy is not None, runner_files)
        if not served.stays:
            typer.echo(f"{target.name} runs until Ctrl-C here")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)


def _energy(trigger: str | None, uart: int | None, tx: str | None, rx: str | None, baud: int) -> Energy | None:
    from tinympy.deploy import Energy, pin

    if trigger is None:
        if uart is not None or tx or rx:
            raise UsageError("--uart, --tx and --rx are for energy mode", "name the pin of the laps: --trigger PIN")
        return None
    if uart is None:
        raise UsageError("energy mode needs a UART", "its commands do not come over USB: --uart N")
    return Energy(pin(trigger), uart, baud, None if tx is None else pin(tx), None if rx is None else pin(rx))


def _show_runner(served: Served, energy: bool, folder: Path | None) -> None:
    from tinympy import ports, runner

    usb = ports.at(served.port).usb
    devices = runner.devices_yaml(served.port, usb, energy)
    if not usb and not energy:
        typer.echo("the public runner finds USB ports only, and this is none (docs/submission.md)")
    if folder is None or served.windows is None:
        typer.echo(f"devices.yaml for the public runner (--runner-files DIR writes it):\n\n{devices}")
        return
    tests = runner.test_file(energy)
    runner.write(folder, {"devices.yaml": devices, tests: runner.tests_yaml(served.task.name, served.windows)})
    windows = served.windows
    typer.echo(
        f"{folder / 'devices.yaml'} and {folder / tests}: windows of {windows.n} inferences, "
        f"about {windows.n * windows.latency_s:.1f} s"
    )
    mode = "e" if energy else "p"
    typer.echo(f"python main.py -d {folder / 'devices.yaml'} -t {folder / tests} -s DATASETS -m {mode}")
    if not energy:
        typer.echo(f"python main.py -d {folder / 'devices.yaml'} -s DATASETS -m a")
