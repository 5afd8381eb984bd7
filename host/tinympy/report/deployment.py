"""What `tinympy deploy` prints: the files, where weights live, and how to go on."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tinympy.deployment import Deployment

_WOULD = {"written": "would be written", "removed": "would be removed"}


def document(done: Deployment) -> dict[str, Any]:
    """The same as plain data; sizes in bytes."""
    return {
        "board": done.board.name,
        "port": done.port,
        "firmware": done.identity.firmware,
        "dry_run": done.dry_run,
        "files": [{"path": each.path, "state": each.state, "size_bytes": each.size_bytes} for each in done.files],
        "written_bytes": done.written_bytes,
        "programs": [
            {
                "name": each.name,
                "model": each.model_file,
                "weights": each.weights,
                "program_bytes": each.program_bytes,
                "arena_bytes": each.arena_bytes,
                "caveat": each.caveat,
            }
            for each in done.programs
        ],
        "others": list(done.others),
        "free_bytes": done.free_bytes,
        "tested": None
        if done.tested is None
        else {
            "outputs": done.tested.tests,
            "operators": done.tested.kinds,
            "floats_in": done.tested.floats,
        },
    }


def render(done: Deployment, console: Console) -> None:
    """Prints the files, then a line for each thing to know."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("file", overflow="fold")
    table.add_column("bytes", justify="right")
    table.add_column("", no_wrap=True)
    for each in done.files:
        state = _WOULD.get(each.state, each.state) if done.dry_run else each.state
        table.add_row(each.path, "" if each.size_bytes is None else str(each.size_bytes), state)
    console.print(table if done.files else "there is nothing of tinympy")
    console.print()
    render_notes(done, console)


def render_notes(done: Deployment, console: Console) -> None:
    """Prints a line for each thing to know."""
    for label, text in _notes(done):
        console.print(f"{label:8}{text}", soft_wrap=True, markup=False, highlight=False)


def _notes(done: Deployment) -> list[tuple[str, str]]:
    place = f" (its flash is the folder {done.board.root})" if done.board.root else ""
    notes = [("board", f"{done.board.name} on {done.port}: {done.identity.firmware}, {done.identity.machine}{place}")]
    if done.tested is not None:
        notes.append(("tested", f"{done.tested.tests} outputs of {done.tested.kinds} operators, each as it should be"))
        if done.tested.floats is not None:
            notes.append(("floats", f"in {done.tested.floats} registers; the module passes none"))
    if done.programs:
        verb = "would be written" if done.dry_run else "written"
        count, unchanged = done.count("written"), done.count("unchanged")
        notes.append(("files", f"{count} {verb} ({done.written_bytes} bytes), {unchanged} unchanged"))
    for each in done.programs:
        notes.append(
            (
                "model",
                f"{each.name}: weights in {each.weights}, program {each.program_bytes} bytes, "
                f"arena {each.arena_bytes} bytes" + (f"; {each.caveat}" if each.caveat else ""),
            )
        )
    if done.free_bytes is not None:
        notes.append(("free", f"{done.free_bytes} bytes of the board's files"))
    if done.others:
        notes.append(("kept", f"not of tinympy: {', '.join(done.others)}"))
    if done.programs and not done.dry_run:
        first = done.programs[0]
        notes.append(("try", f'import tinympy; m = tinympy.load("{first.name}"); m.predict([0] * {first.input_bytes})'))
        notes.append(("at", _prompt(done)))
    if done.files and done.board.port is None and done.board.root is None and not done.dry_run:
        notes.append(("note", f"{done.board.name} ends with this command, and its files with it"))
    return notes


def _prompt(done: Deployment) -> str:
    if done.board.root:
        return f"the prompt of `MICROPYPATH={done.board.root}{done.identity.library} micropython`"
    return f"the prompt of `mpremote connect {done.port} repl`"
