"""CircuitPython's drive CIRCUITPY, for boards whose code may not write because a computer has the drive.

It is found among this computer's volumes, and written to in the order that files.py keeps.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tinympy import files
from tinympy.errors import BoardError
from tinympy.line import Line

LABEL = "CIRCUITPY"
_LABELLED = re.compile(rf"{LABEL}[ _]?\d*", re.IGNORECASE)
_FAT = ("vfat", "msdos", "exfat", "fuseblk")
_BOOT_OUT = "/boot_out.txt"
_WRITABLE = (
    "or let its code write: `import storage; storage.disable_usb_drive()` in its boot.py, then reset it; "
    "docs/boards.md has more"
)


def volumes() -> list[Path]:
    """Where drives with this label are mounted."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return labelled(Path("/Volumes").iterdir())
    return on_linux(Path("/proc/mounts").read_text(), Path("/dev/disk/by-label"))


def labelled(found: Iterable[Path]) -> list[Path]:
    """Those of the folders that have the label for a name, or one with a number behind it."""
    return sorted(path for path in found if _LABELLED.fullmatch(path.name))


def on_linux(mounts: str, labels: Path) -> list[Path]:
    """Those of `mounts` (the text of /proc/mounts) whose label is in the folder `labels`, or that are named for it."""
    devices = {path.resolve() for path in labelled(labels.iterdir())} if labels.is_dir() else set()
    found = []
    for line in mounts.splitlines():
        device, folder, kind = [
            re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), each) for each in line.split()[:3]
        ]
        if kind in _FAT and (Path(device).resolve() in devices or labelled([Path(folder)])):
            found.append(Path(folder))
    return sorted(found)


def _windows() -> list[Path]:
    found: list[Path] = []
    if sys.platform == "win32":
        import ctypes

        for letter in "DEFGHIJKLMNOPQRSTUVWXYZ":
            label = ctypes.create_unicode_buffer(261)
            if ctypes.windll.kernel32.GetVolumeInformationW(f"{letter}:\\", label, 261, *[None] * 5):
                found += [Path(f"{letter}:\\")] if _LABELLED.fullmatch(label.value) else []
    return found


def require(line: Line, found: list[Path] | None = None) -> Path:
    """The drive of the board at `line`, of those that are mounted: the one where its boot_out.txt is, with its serial
    number.

    Raises:
        BoardError: there is none, or this computer may not write to it.
    """
    found = volumes() if found is None else found
    said = (files.text_of(line, _BOOT_OUT) or "").split()
    own = [volume for volume in found if said and _words(_on(volume, _BOOT_OUT)) == said]
    if not own:
        others = f"; {', '.join(map(str, found))} is another board's" if found else ""
        raise BoardError(
            f"the board's code may not write its files, and its drive {LABEL} is not mounted here{others}",
            f"mount the drive and try again, {_WRITABLE}",
        )
    if not os.access(own[0], os.W_OK):
        raise BoardError(
            f"the board's drive at {own[0]} is mounted read-only",
            f"eject it, plug the board in again, and see that your user may write there, {_WRITABLE}",
        )
    return own[0]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").split()
    except OSError:
        return []


def write(volume: Path, found: files.Differences, progress: files.Progress | None = None) -> None:
    """Write what differs to the drive, and remove what is obsolete. BoardError when it does not fit, or fails."""
    free_bytes = shutil.disk_usage(volume).free
    files.require_room(found.needed_bytes, free_bytes)
    folder = _on(volume, found.folder)
    with _refusals(volume):
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / files.LISTING, "".join(f"{name}\n" for name in found.listed).encode())
        for name in found.removed:
            (folder / name).unlink(missing_ok=True)
        done = 0
        for name in found.stale:
            _put(folder / name, found.files[name])
            done += len(found.files[name])
            if progress:
                progress(done, found.stale_bytes)


def remove(volume: Path, library: str, paths: list[str]) -> None:
    """Remove the files `paths` of tinympy's folder in `library`, and the folder if nothing else is in it.

    BoardError when the drive fails.
    """
    folder = _on(volume, files.folder_in(library))
    with _refusals(volume):
        for path in paths:
            _on(volume, path).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


@contextlib.contextmanager
def _refusals(volume: Path) -> Iterator[None]:
    """What the operating system refuses to do on the drive, as BoardError."""
    try:
        yield
    except OSError as error:
        raise BoardError(
            f"the board's drive at {volume} cannot be written: {error.strerror or error}",
            "eject it, reset the board, try again; a damaged file system is made anew by "
            "`import storage; storage.erase_filesystem()` at its prompt, which loses what is on it",
        ) from error


def _on(volume: Path, path: str) -> Path:
    return volume / path.lstrip("/")


def _put(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it, all of it on the drive when this returns."""
    new = path.with_name(path.name + files.UNFINISHED)
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    if hasattr(os, "sync"):
        os.sync()
