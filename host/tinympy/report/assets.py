"""The table of `tinympy assets list`: what is here, what is not, and under which terms."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy.assets import Status

_STYLES = {"present": "green", "missing": "dim", "damaged": "bold red"}


def render(found: Sequence[Status], console: Console) -> None:
    """Prints a row for each asset, and below it what to know of those without an address."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("file", overflow="fold")
    table.add_column("kB", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("licence", overflow="fold")
    for status in found:
        asset = status.asset
        state = Text(status.state, _STYLES[status.state])
        size = "–" if asset.size_bytes is None else f"{asset.size_bytes / 1000:.1f}"
        table.add_row(asset.name, size, state, asset.licence)
    console.print(table)
    for status in found:
        if status.asset.note and status.state != "present":
            console.print(f"{status.asset.name}: {status.asset.note}", style="dim")
