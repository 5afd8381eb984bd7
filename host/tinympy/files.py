"""tinympy's files on a board: written where they differ, verified, listed, removed again. Others are left alone.

A file that differs is removed, then written under another name, compared by its hash and renamed: whatever ends the
transfer, no half of a file bears its name. What tinympy put there is listed in a file beside it.

CircuitPython has no SHA-256, and there a file is known by its length and CRC-32. Where its code may not write, because
a computer has its drive, that computer does (drive.py).
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import posixpath
import re
from binascii import b2a_base64, crc32
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tinympy import deploy
from tinympy.device.alone import INPUTS, RESULTS
from tinympy.errors import BoardError
from tinympy.line import Line

LISTING = "files.txt"
UNFINISHED = ".new"
PLANNED = "alone.json"
RUN = (PLANNED, INPUTS, RESULTS)
"""Of a run without a computer: the record to be, the inputs, what the board measured. Deployments leave them alone."""
_CHUNK_BYTES = 1536
# What a file's name takes in its folder.
_ENTRY_BYTES = 128
# For one file.
_HASH_S = 4.8
_FULL = re.compile(r"OSError: (\[Errno )?28\b")

Progress = Callable[[int, int], None]
"""Told bytes done, of how many."""

_DIGEST = """
import os
from binascii import a2b_base64, hexlify
try:
    from hashlib import sha256
except ImportError:
    sha256 = None
def digest(path):
    buffer = memoryview(bytearray(1024))
    if sha256:
        whole = sha256()
    else:
        from binascii import crc32
        check = size = 0
    with open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                return hexlify(whole.digest()).decode() if sha256 else "%d %08x" % (size, check & 0xFFFFFFFF)
            if sha256:
                whole.update(buffer[:count])
            else:
                size += count
                check = crc32(buffer[:count], check)
"""
# By relative names, because the Unix port's file system mixes two absolute ones up.
RENAME = f"""
def rename(path):
    import os
    here = os.getcwd()
    folder, _, name = path.rpartition("/")
    os.chdir(folder or "/")
    os.rename(name, name[:-{len(UNFINISHED)}])
    os.chdir(here)
"""
# Everything there is to know before writing, in one answer: first the hashes, a line for each file as it is done.
_SURVEY = (
    _DIGEST
    + """
folder, names = {folder!r}, {names!r}
try:
    there = {{name: os.stat(folder + "/" + name)[6] for name in os.listdir(folder)}}
except OSError:
    there = {{}}
try:
    with open(folder + "/" + {listing!r}) as file:
        listed = file.read()
except OSError:
    listed = ""
try:
    space = tuple(os.statvfs({volume!r})[:4])
except (AttributeError, OSError):
    space = (0, 0, 0, 0)
for name in names:
    if name in there:
        print(repr((name, digest(folder + "/" + name))))
print(repr((there, listed, space)))
"""
)
_PREPARE = """
for each in {folders!r}:
    try:
        os.mkdir(each)
    except OSError:
        pass
{rename}
with open({listing!r}, "w") as file:
    file.write({listed!r})
rename({listing!r})
for each in {removed!r}:
    os.remove(each)
"""
_FINISH = """
for path, wanted in {wanted!r}:
    whole = digest(path) in wanted
    if whole:
        rename(path)
    print("" if whole else path)
"""
_DISCARD = """
for each in {removed!r}:
    try:
        os.remove(each)
    except OSError:
        pass
"""
_READ = """
try:
    with open({path!r}) as file:
        print(repr(file.read()))
except OSError:
    print(None)
"""
_REMOVE = """
for each in {removed!r}:
    os.remove(each)
try:
    os.rmdir({folder!r})
except OSError:
    print("kept")
"""


@dataclass(frozen=True)
class Differences:
    """What it takes to have `files` (content by name) in the folder `folder` of a board.

    stale names those of them that are missing or differ, obsolete what is there of tinympy and no longer needed,
    removed what has to go before anything is written, listed what the listing has to name. needed_bytes, in whole
    blocks of the file system, are taken from free_bytes; None where the board does not say how many are free.
    """

    folder: str
    files: Mapping[str, bytes]
    stale: tuple[str, ...]
    obsolete: tuple[str, ...]
    removed: tuple[str, ...]
    listed: tuple[str, ...]
    needed_bytes: int
    free_bytes: int | None

    @property
    def stale_bytes(self) -> int:
        return sum(len(self.files[name]) for name in self.stale)

    @property
    def none(self) -> bool:
        return not self.stale and not self.obsolete


def digests_of(data: bytes) -> tuple[str, str]:
    """What a board may say that a file with this content is."""
    return hashlib.sha256(data).hexdigest(), f"{len(data)} {crc32(data):08x}"


def folder_in(library: str) -> str:
    """tinympy's folder, where packages are in `library`."""
    return f"{library}/tinympy"


def differences(line: Line, library: str, files: Mapping[str, bytes]) -> Differences:
    """Compare `files`, content by name, with what is in tinympy's folder in `library`. Writes nothing."""
    folder = folder_in(library)
    there, listing, (block, _, _, free), digests = _survey(line, folder, files)
    stale = tuple(name for name, data in files.items() if digests.get(name) not in digests_of(data))
    ours = _ours(listing)
    obsolete = tuple(
        name for name in there if name not in files and (_unfinished(name, ours) or _superseded(name, ours))
    )
    removed = (*(name for name in stale if name in there), *obsolete)
    listed = tuple(sorted({*files, *(name for name in there if name in ours and name not in obsolete)}))
    needed = _blocks(_ENTRY_BYTES * len(stale) + 1, block) + sum(_blocks(len(files[name]), block) for name in stale)
    needed -= sum(_blocks(there[name], block) for name in removed)
    free_bytes = block * free if block else None
    return Differences(folder, files, stale, obsolete, removed, listed, needed, free_bytes)


def write(line: Line, found: Differences, progress: Progress | None = None) -> None:
    """Write what differs, and remove what is obsolete.

    Raises:
        BoardError: it does not fit, or the board fails. Where the board says how much is free, nothing is written if
            that is too little.
    """
    if found.none:
        return
    if found.free_bytes is not None:
        require_room(found.needed_bytes, found.free_bytes)
    paths = {name: f"{found.folder}/{name}" for name in found.stale}
    try:
        parents = [found.folder[:at] for at, letter in enumerate(found.folder) if at and letter == "/"]
        line.exec(
            _DIGEST
            + _PREPARE.format(
                folders=[*parents, found.folder],
                listing=f"{found.folder}/{LISTING}{UNFINISHED}",
                rename=RENAME,
                listed="".join(f"{name}\n" for name in found.listed),
                removed=[f"{found.folder}/{name}" for name in found.removed],
            )
        )
        done = 0
        for name, path in paths.items():
            content = found.files[name]
            send(line, f"open({path + UNFINISHED!r}, 'wb')", content, shifted(progress, done, found.stale_bytes))
            done += len(content)
    except BoardError as error:
        with contextlib.suppress(BoardError):
            line.exec("import os" + _DISCARD.format(removed=[path + UNFINISHED for path in paths.values()]))
        if _FULL.search(error.message):
            raise BoardError("the board's file system is full", "remove files from the board") from error
        raise
    wanted = [(path + UNFINISHED, digests_of(found.files[name])) for name, path in paths.items()]
    wrong = line.exec(_FINISH.format(wanted=wanted), timeout_s=_HASH_S).split()
    if wrong:
        path = wrong[0].removesuffix(UNFINISHED)
        raise BoardError(f"{path} is not on the board what was sent", "is its file system damaged?")


def require_room(needed_bytes: int, free_bytes: int) -> None:
    """BoardError when a file system has less than is needed."""
    if needed_bytes > free_bytes:
        raise BoardError(
            f"the board's file system has {free_bytes} bytes free, {needed_bytes} are needed",
            "remove files from the board, or use a smaller model",
        )


def put(line: Line, path: str, content: bytes, progress: Progress | None = None) -> None:
    """Make `content` that of the file `path`, whole or not at all.

    Raises:
        BoardError: the file system is full, or the board fails.
    """
    new = path + UNFINISHED
    try:
        send(line, f"open({new!r}, 'wb')", content, progress)
    except BoardError as error:
        with contextlib.suppress(BoardError):
            line.exec("import os" + _DISCARD.format(removed=[new]))
        if _FULL.search(error.message):
            raise BoardError("the board's file system is full", "remove files from the board") from error
        raise
    finish = _FINISH.format(wanted=[(new, hashlib.sha256(content).hexdigest())])
    if line.exec(_DIGEST + RENAME + finish, timeout_s=_HASH_S).strip():
        raise BoardError(f"{path} is not on the board what was sent", "is its file system damaged?")


def sha256_of(line: Line, path: str) -> str | None:
    """The hash of a file on the board; None where there is none."""
    question = f"try:\n    print(digest({path!r}))\nexcept OSError:\n    print()\n"
    return line.exec(_DIGEST + question, timeout_s=_HASH_S).strip() or None


def text_of(line: Line, path: str) -> str | None:
    """The content of a text file on the board; None where there is none."""
    answer = line.exec(_READ.format(path=path))
    try:
        content: str | None = ast.literal_eval(answer.strip())
    except (ValueError, SyntaxError) as error:
        raise BoardError(f"the board does not read its {posixpath.basename(path)}", "is the line disturbed?") from error
    return content


def discard(line: Line, paths: list[str]) -> None:
    """Remove those of the files that are there."""
    line.exec("import os" + _DISCARD.format(removed=paths))


def send(line: Line, sink: str, content: bytes, progress: Progress | None = None) -> None:
    """Write `content` to the file-like object that the expression `sink` makes on the board."""
    line.exec(f"from binascii import a2b_base64\nfile = {sink}\nwrite = file.write")
    for at in range(0, len(content), _CHUNK_BYTES):
        piece = b2a_base64(content[at : at + _CHUNK_BYTES], newline=False).decode()
        line.exec(f"write(a2b_base64('{piece}'))")
        if progress:
            progress(min(at + _CHUNK_BYTES, len(content)), len(content))
    line.exec("file.close()\ndel file, write")


def shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Progress of one of several contents, as told for all of them."""
    return progress and (lambda done, _: progress(before + done, total))


def installed(line: Line, library: str) -> tuple[list[str], list[str]]:
    """What tinympy put into its folder in `library`, and what else is there: both as absolute paths."""
    folder = folder_in(library)
    there, listing, _, _ = _survey(line, folder, ())
    ours = _ours(listing) | {LISTING, *RUN}
    mine = [name for name in there if name in ours or _unfinished(name, ours)]
    # The listing last: whatever ends this, it can be done again.
    mine.sort(key=lambda name: (name == LISTING, name))
    return [f"{folder}/{name}" for name in mine], [f"{folder}/{name}" for name in there if name not in mine]


def remove(line: Line, library: str, paths: list[str]) -> bool:
    """Remove the files `paths` of tinympy's folder in `library`; whether it was left empty, and removed as well."""
    return not line.exec("import os" + _REMOVE.format(removed=paths, folder=folder_in(library))).strip()


def _survey(
    line: Line, folder: str, names: Mapping[str, bytes] | tuple[()]
) -> tuple[dict[str, int], str, tuple[int, int, int, int], dict[str, str]]:
    volume = posixpath.dirname(posixpath.dirname(folder))
    question = _SURVEY.format(folder=folder, volume=volume, names=list(names), listing=LISTING)
    answer = line.exec(question, timeout_s=_HASH_S)
    try:
        *digests, (there, listed, space) = map(ast.literal_eval, answer.splitlines())
        return there, listed, space, dict(digests)
    except (ValueError, SyntaxError, TypeError) as error:
        raise BoardError("the board did not hash its files", "is the line disturbed?") from error


def _ours(listing: str) -> set[str]:
    return {*listing.split("\n"), *deploy.package_names()} - {""}


def _unfinished(name: str, ours: set[str]) -> bool:
    base = name.removesuffix(UNFINISHED)
    return base != name and (base in ours or base.endswith(".tmpy") or base == LISTING)


def _superseded(name: str, ours: set[str]) -> bool:
    # Programs stay: each deployment adds to them.
    return name in ours and not name.endswith(".tmpy")


def _blocks(size: int, block_bytes: int) -> int:
    return -(-size // block_bytes) * block_bytes if block_bytes else size
