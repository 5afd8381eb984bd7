"""Options that several commands have, and what holds for files that they write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinympy.errors import UsageError

BoardName = Annotated[
    str | None,
    typer.Option(
        "--board", help="The board (see `tinympy boards`). Without: the one attached, or unix.", metavar="NAME"
    ),
]
PortName = Annotated[
    str | None, typer.Option("--port", help="The serial port that the board is attached to.", metavar="PORT")
]
Firmware = Annotated[
    str | None,
    typer.Option(help="Firmware of an emulated board: a .uf2 file or a version; of unix: a program.", metavar="IMAGE"),
]
BoardFolder = Annotated[
    Path | None,
    typer.Option("--folder", help="Folder that is the flash of the board unix; else one of the user's.", metavar="DIR"),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine", help="What executes the model: native, viper, ulab or python. Without: the fastest there."
    ),
]
TaskName = Annotated[str | None, typer.Option("--task", help="The task whose model and inputs are used.")]
ModelPath = Annotated[
    Path | None, typer.Option("--model", help="A full-int8 .tflite file, on random inputs.", metavar="FILE")
]
ONE_MODEL = "digits"
OneModel = Annotated[
    str | None, typer.Argument(help="A task or a .tflite file. Without: digits.", metavar="TASK|MODEL")
]
Rail = Annotated[str | None, typer.Option(help="Where the meter sits: 5V, vsys, 3v3.", metavar="NAME")]
AssetsFolder = Annotated[
    Path | None,
    typer.Option("--assets", help="Folder with models/ and datasets/ (else TINYMPY_ASSETS, else the user's cache)."),
]
ReuseInput = Annotated[
    bool,
    typer.Option("--reuse-input", help="Let inferences overwrite their input: a smaller arena."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def require_folders(*files: Path | None) -> None:
    """UsageError unless the folders of `files` exist: said before anything is measured."""
    for file in files:
        if file is not None and not file.absolute().parent.is_dir():
            raise UsageError(f"cannot write {file}: there is no such folder", "name a file in a folder that exists")
