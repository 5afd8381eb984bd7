"""What `tinympy meters` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from tinympy.energy import emulated
from tinympy.energy.meters import KINDS, Attached


def render(found: Sequence[Attached], console: Console) -> None:
    """Prints the attached ones with their addresses, then what else an address can name."""
    if found:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
        for header in ("address", "what it says it is", "serial number"):
            table.add_column(header, overflow="fold")
        for each in found:
            table.add_row(each.address, each.product or "–", each.serial or "–")
        console.print(table)
    else:
        console.print("no meter is attached to a serial port")
    console.print(f"kinds     {', '.join(KINDS)} (docs/meters.md)", soft_wrap=True)
    names = ", ".join(f"emu:{kind}" for kind in emulated.KINDS)
    console.print(f"emulated  {names}, for the board unix", soft_wrap=True)
