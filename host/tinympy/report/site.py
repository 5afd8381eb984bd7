"""The folder of a site: what is written there is listed in `site-files.txt`, and goes when a later site lacks it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from tinympy.errors import UsageError

MANIFEST = "site-files.txt"


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write `files`, by their paths, and remove what an earlier call wrote and `files` lacks; anything else stays.

    Raises:
        UsageError: something cannot be written or removed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _listed(folder)
        # Until the site is whole, the list has what may be there, so that nothing is forgotten if this is cut off.
        _list(folder, earlier | files.keys())
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        for name in earlier - files.keys():
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (folder / name).unlink()
        _list(folder, files)
    except OSError as error:
        place = error.filename or folder
        raise UsageError(f"cannot write {place}: {error.strerror or error}", "choose another folder") from error


def _listed(folder: Path) -> set[str]:
    """The names in the list, as far as they lie below the folder."""
    try:
        lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return set()
    paths = map(PurePosixPath, filter(None, lines))
    return {str(path) for path in paths if not path.is_absolute() and ".." not in path.parts}


def _list(folder: Path, names: Iterable[str]) -> None:
    (folder / MANIFEST).write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
