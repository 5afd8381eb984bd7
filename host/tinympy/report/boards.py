"""What `tinympy boards` prints: known kinds of boards, and attached ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tinympy import identity
from tinympy.attached import Attached, reason
from tinympy.boards import BOARDS, Board


def document(found: Sequence[Attached]) -> dict[str, Any]:
    """Both lists as plain data; sizes in bytes."""
    return {"known": [_kind(board) for board in BOARDS], "attached": [_attached(each) for each in found]}


def render(found: Sequence[Attached], console: Console) -> None:
    """Prints both lists."""
    known = _table("board", "what it is", "modules", "clock MHz", "heap kB")
    for board in BOARDS:
        clock = "–" if board.clock_hz is None else f"{board.clock_hz / 1e6:g}"
        known.add_row(
            board.name, board.title, "–" if board.circuitpython else board.arch, clock, f"{board.heap_bytes / 1000:.1f}"
        )
    console.print(known)
    console.print()
    if not found:
        console.print("no board is attached to a serial port; `unix` and the emulated ones need none")
        return
    table = _table("port", "board", "firmware", "modules", "clock MHz", "heap kB", "flash kB")
    for each in found:
        table.add_row(*_row(each))
    console.print(table)
    console.print("heap, flash: free; kB are 1000 bytes")
    for each in found:
        if problem := _problem(each):
            console.print(f"{each.port.path}: {problem}", soft_wrap=True)


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for header in headers:
        table.add_column(header, overflow="fold", justify="right" if header.endswith(("MHz", "kB")) else "left")
    return table


def _row(each: Attached) -> list[str]:
    who, board = each.identity, each.board
    if who is None or board is None:
        possible = " or ".join(kind.name for kind in each.port.may_be) if not each.port.bridge else each.port.bridge
        return [each.port.path, f"({possible})", *["–"] * 5]
    return [
        each.port.path,
        board.name,
        who.firmware,
        str(who.mpy) if who.mpy else "–",
        "–" if who.clock_hz is None else f"{who.clock_hz / 1e6:g}",
        f"{who.heap_free_bytes / 1000:.1f}",
        f"{who.files_free_bytes / 1000:.1f}" if who.files_bytes else "–",
    ]


def _problem(each: Attached) -> str:
    if each.identity is None:
        return each.problem
    refused = identity.refusal(each.identity)
    return reason(refused) if refused else ""


def _kind(board: Board) -> dict[str, Any]:
    return {
        "board": board.name,
        "title": board.title,
        "arch": board.arch,
        "emulated": board.emulated,
        "clock_hz": board.clock_hz,
        "heap_bytes": board.heap_bytes,
        "attached_only": board.launch is None,
        "usb": list(board.usb),
    }


def _attached(each: Attached) -> dict[str, Any]:
    who, board = each.identity, each.board
    row: dict[str, Any] = {
        "port": each.port.path,
        "usb": each.port.usb,
        "bridge": each.port.bridge,
        "problem": _problem(each) or None,
    }
    if who is None or board is None:
        return {**row, "board": None}
    return {
        **row,
        "board": board.name,
        "machine": who.machine,
        "implementation": who.implementation,
        "version": who.version,
        "build": who.build,
        "mpy": who.mpy.version if who.mpy else None,
        "arch": who.mpy.architecture if who.mpy else None,
        "clock_hz": who.clock_hz,
        "heap_free_bytes": who.heap_free_bytes,
        "files_bytes": who.files_bytes or None,
        "files_free_bytes": who.files_free_bytes if who.files_bytes else None,
    }
