"""Fetching official files into an assets folder: verified by sha256, never half written, one error for all failures."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pooch
import requests

from tinympy import assets, labels
from tinympy.assets import Asset
from tinympy.errors import UsageError

Progress = Callable[[Asset, int, int], None]
"""Called with the asset, the bytes received so far, and the bytes expected (0: the server does not say)."""

_TIMEOUT_S = 30.0
_CHUNK_BYTES = 16384


def fetch(wanted: Iterable[Asset], folder: Path | None = None, progress: Progress | None = None) -> list[Path]:
    """Downloads what is missing or damaged; what has no public address is left out.

    Files go to `folder`, or to the user's cache; a damaged file is replaced where it lies.

    Returns:
        The paths of the files fetched now (of a set, its folder), in the order of `wanted`.

    Raises:
        UsageError: something could not be had; everything else was fetched all the same.
    """
    pooch.get_logger().setLevel("WARNING")
    fetched: list[Path] = []
    failures: dict[str, str] = {}
    offline = ""
    root = folder or assets.cache_folder()
    for asset in wanted:
        if asset.url is None:
            continue
        try:
            now = assets.status(folder, [asset])[0]
            if now.state == "present":
                continue
            if offline:
                failures[asset.name] = offline
                continue
            target = root if now.path is None else _root(asset, now.path)
            bar = _Bar(asset, progress)
            if asset.is_set:
                listing = assets.path(asset.label_file, folder)
                fetched.append(_fetch_set(asset, asset.url, [row.file for row in labels.read(listing)], target, bar))
            else:
                fetched.append(_download(asset.url, asset.sha256, target / asset.name, bar))
        except requests.exceptions.ConnectionError:
            # The next file would wait just as long for the same silence.
            offline = failures[asset.name] = f"no connection to {urlsplit(asset.url).hostname}"
        except requests.exceptions.HTTPError as error:
            answer = "an error" if error.response is None else error.response.status_code
            failures[asset.name] = f"the server answers {answer}"
        except requests.exceptions.RequestException:
            failures[asset.name] = "the download broke off"
        except (OSError, ValueError, UsageError) as error:
            failures[asset.name] = str(error)
    if failures:
        listed = "; ".join(f"{name} ({reason})" for name, reason in failures.items())
        raise UsageError(
            f"could not fetch {listed}",
            f"run the same command again, or put the files under these names into {root} by hand "
            "(`tinympy assets list` shows their addresses)",
        )
    return fetched


def file(url: str, sha256: str, path: Path) -> Path:
    """Download one file to `path`, verified, unless it is there; UsageError when it cannot be had."""
    pooch.get_logger().setLevel("WARNING")
    try:
        downloader = pooch.HTTPDownloader(chunk_size=_CHUNK_BYTES, timeout=_TIMEOUT_S)
        return Path(pooch.retrieve(url, sha256, fname=path.name, path=path.parent, downloader=downloader))
    except (requests.exceptions.RequestException, OSError, ValueError) as error:
        raise UsageError(f"{path.name} could not be fetched from {urlsplit(url).hostname}") from error


class _Bar:
    """A callback in the shape of the progress bar object that pooch accepts."""

    def __init__(self, asset: Asset, progress: Progress | None) -> None:
        self.asset = asset
        self.progress = progress
        self.total = 0
        self.done = 0

    def update(self, count: int) -> None:
        # pooch counts whole chunks, also for the last one.
        self.done = min(self.done + count, self.total) if self.total else self.done + count
        if self.progress is not None:
            self.progress(self.asset, self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def _download(url: str, sha256: str | None, file: Path, bar: _Bar) -> Path:
    """pooch writes to a temporary file in the same folder, verifies it, and only then gives it its name."""
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK_BYTES, timeout=_TIMEOUT_S)
    try:
        return Path(pooch.retrieve(url, sha256, fname=file.name, path=file.parent, downloader=downloader))
    except ValueError as error:
        raise ValueError("what the server sent has another sha256") from error


def _fetch_set(asset: Asset, url: str, names: list[str], root: Path, bar: _Bar) -> Path:
    with tempfile.TemporaryDirectory() as scratch:
        # Of an archive made on demand only the contents stay the same, not the bytes: those are what is verified.
        archive = _download(url, None, Path(scratch) / "archive.tar.gz", bar)
        try:
            contents = _members(archive, asset, set(names))
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise ValueError(f"the archive is damaged: {error}") from error
    missing = [name for name in names if name not in contents]
    if missing:
        raise ValueError(f"the archive lacks {len(missing)} of its {len(names)} files")
    if hashlib.sha256(b"".join(contents[name] for name in names)).hexdigest() != asset.sha256:
        raise ValueError("what the server sent has another sha256")
    folder = (root / asset.name).parent
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        part = folder / f".{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)
    return folder


def _members(archive: Path, asset: Asset, names: set[str]) -> dict[str, bytes]:
    """The wanted files of the archive, whose first path component is its own affair; nothing else is unpacked."""
    contents: dict[str, bytes] = {}
    assert asset.size_bytes is not None, "every set that is published has a size"
    room_bytes = asset.size_bytes
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            place = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            wanted = str(place.parent) == asset.folder and place.name in names
            if wanted and member.isfile() and member.size <= room_bytes:
                stream = tar.extractfile(member)
                assert stream is not None
                contents[place.name] = stream.read()
                room_bytes -= member.size
    return contents


def _root(asset: Asset, path: Path) -> Path:
    """The assets folder in which an asset's file (of a set, its folder) lies."""
    relative = PurePosixPath(asset.name).parent if asset.is_set else PurePosixPath(asset.name)
    return path.parents[len(relative.parts) - 1]
