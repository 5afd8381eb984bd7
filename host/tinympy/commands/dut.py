"""`tinympy dut`: a board that serves the serial commands of MLPerf Tiny to other programs."""

from __future__ import annotations

import contextlib
import time
from typing import Annotated

import typer

from tinympy.commands.options import AssetsFolder, BoardFolder, BoardName, PortName
from tinympy.errors import UsageError

_DEFAULT = "digits"


def dut(
    model: Annotated[
        str | None, typer.Argument(help="A task or a .tflite file. Without: digits.", metavar="TASK|MODEL")
    ] = None,
    board: BoardName = None,
    port: PortName = None,
    folder: BoardFolder = None,
    at_boot: Annotated[
        bool, typer.Option("--at-boot", help="Serve it whenever the board starts: writes a main.py.")
    ] = False,
    remove_at_boot: Annotated[bool, typer.Option("--remove-at-boot", help="Undo --at-boot.")] = False,
    assets: AssetsFolder = None,
) -> None:
    """Let a board serve the serial commands of MLPerf Tiny, and leave the port to other programs."""
    from tinympy import plan, standalone
    from tinympy.report.progress import bar

    if remove_at_boot and (at_boot or model):
        raise UsageError("--remove-at-boot goes alone", "it takes away what --at-boot wrote")
    target = plan.lasting(board, port, folder)
    if remove_at_boot:
        at, changed = standalone.forget(target)
        typer.echo(f"{target.name} at {at} starts {'as before' if changed else 'without tinympy: nothing to remove'}")
        return
    [task] = plan.models([model or _DEFAULT], assets)
    with contextlib.ExitStack() as stack:
        with bar(target.name) as observe:
            served = stack.enter_context(standalone.serving(target, task, at_boot, observe))
        typer.echo(
            f"{task.name} is served at {served.port}: commands end with %, for example `name%` (docs/protocol.md)"
        )
        typer.echo(f"talk to it: python -m serial.tools.miniterm --raw {served.port} 115200; Ctrl-C twice ends it")
        if served.boot_file:
            typer.echo(f"{served.boot_file} serves it whenever the board starts")
        if not served.stays:
            typer.echo(f"{target.name} runs until Ctrl-C here")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
