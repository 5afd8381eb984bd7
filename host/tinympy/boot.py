"""What a board does when it starts: a main.py that serves a program. One that is not ours is never touched."""

from __future__ import annotations

import posixpath

from tinympy import files
from tinympy.errors import UsageError
from tinympy.identity import Identity
from tinympy.line import Line

_MARK = "# tinympy:"
SERVES = "written by `tinympy dut --at-boot`, removed by `tinympy dut --remove-at-boot`"
RUNS = "written by `tinympy unplug`, removed by `tinympy collect`"


def path(library: str) -> str:
    """Where a board whose packages are in `library` looks for what it runs at boot."""
    return posixpath.join(posixpath.dirname(library), "main.py")


def require_main(identity: Identity) -> None:
    """UsageError where the firmware runs another file at boot, which its users write."""
    if identity.circuitpython:
        raise UsageError(
            f"{identity.firmware} runs code.py at boot, which is left to you",
            "call `tinympy.dut.serve` from it (docs/protocol.md)",
        )


def ours(line: Line, library: str, purpose: str = "") -> str | None:
    """The path of the board's main.py if tinympy wrote it for `purpose`, empty: for any; else None."""
    content = files.text_of(line, path(library))
    return path(library) if content is not None and content.startswith(f"{_MARK} {purpose}") else None


def require_free(line: Line, library: str, purpose: str) -> str | None:
    """The main.py that was written for `purpose` (SERVES, RUNS), None where there is none.

    Raises:
        UsageError: there is a main.py of somebody else, or of tinympy for the other purpose.
        BoardError: the board.
    """
    content = files.text_of(line, path(library))
    if content is None or content.startswith(f"{_MARK} {purpose}\n"):
        return content
    if content.startswith(_MARK):
        first = content.partition("\n")[0].removeprefix(_MARK).strip()
        raise UsageError(f"the board has a {path(library)} for something else", f"it was {first}")
    hint = "rename it" + (", or call `tinympy.dut.serve` from it (docs/protocol.md)" if purpose == SERVES else "")
    raise UsageError(f"the board has a {path(library)} of its own, which is left as it is", hint)


def write(line: Line, library: str, code: str, purpose: str = SERVES) -> str:
    """Make the board run `code` when it starts; returns the path of the file.

    Raises:
        UsageError: as require_free does.
        BoardError: the board.
    """
    wanted = content_of(code, purpose)
    content = require_free(line, library, purpose)
    if content != wanted:
        files.put(line, path(library), wanted.encode())
    return path(library)


def content_of(code: str, purpose: str) -> str:
    """The main.py that runs `code`."""
    return f"{_MARK} {purpose}\n{code}"


def remove(line: Line, library: str, purpose: str = "") -> bool:
    """Remove what `write` wrote for `purpose`, empty: for any; whether there was something."""
    found = ours(line, library, purpose)
    if found is not None:
        line.exec(f"import os\nos.remove({found!r})")
    return found is not None
