"""Official firmware images for boards that are emulated: found on this computer, or fetched once and verified.

They lie in TINYMPY_FIRMWARE_DIR, or else in the user's cache. Any image there can be named by its path or version.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tinympy.errors import NoBoardError, UsageError

ENVIRONMENT = "TINYMPY_FIRMWARE_DIR"
_PATTERN = "RPI_PICO-*.uf2"
_ADDRESS = "https://micropython.org/resources/firmware/"


@dataclass(frozen=True)
class Image:
    """An official release for the Raspberry Pi Pico, as micropython.org publishes it."""

    version: str
    file: str
    sha256: str

    @property
    def url(self) -> str:
        return _ADDRESS + self.file


IMAGES = (
    Image(
        "1.23.0",
        "RPI_PICO-20240602-v1.23.0.uf2",
        "b7966f448e5a23d2691ca28d6894065fc9dab659fcea0113a1f006c1702dd61c",
    ),
    Image(
        "1.24.1",
        "RPI_PICO-20241129-v1.24.1.uf2",
        "a41b7dbadfe4f399a10bd344002b365427ad033de993cf372c29c884b33a4cdf",
    ),
    Image(
        "1.25.0",
        "RPI_PICO-20250415-v1.25.0.uf2",
        "e0c40eacf1afc550a6add74888c48bb981b28788a6d75a62a0e2444e997b9864",
    ),
    Image(
        "1.26.1",
        "RPI_PICO-20250911-v1.26.1.uf2",
        "fc2a8096e0d999d3caca11b34381854599d68aee3e905d3cccbd5247ca78d07c",
    ),
)


def folder() -> Path:
    """Where images are looked for, and fetched to."""
    found = os.environ.get(ENVIRONMENT)
    return Path(found) if found else Path(platformdirs.user_cache_dir("tinympy", appauthor=False)) / "firmware"


def present() -> list[Path]:
    """The images that are there, oldest release first."""
    return sorted(folder().glob(_PATTERN))


def find(wanted: str | None) -> Path:
    """The image `wanted`, a path or a version ("1.26.1"); None: the newest one here, else the newest known, fetched.

    Raises:
        UsageError: there is no such file, or no such version.
        NoBoardError: it is not here and could not be fetched.
    """
    if wanted is None:
        return present()[-1] if present() else _fetch(IMAGES[-1])
    path = Path(wanted).expanduser()
    if path.suffix == ".uf2" or path.is_file():
        if not path.is_file():
            raise UsageError(f"there is no firmware image {path}", "name an official RPI_PICO-*.uf2, or a version")
        return path
    version = wanted.removeprefix("v")
    for image in present():
        if re.search(rf"-v{re.escape(version)}\.uf2$", image.name):
            return image
    for known in IMAGES:
        if known.version == version:
            return _fetch(known)
    raise UsageError(
        f"firmware {wanted} is neither a file nor a version that is known",
        f"known: {', '.join(image.version for image in IMAGES)}; any image in {folder()} can be named by its version",
    )


def _fetch(image: Image) -> Path:
    from tinympy import download

    try:
        return download.file(image.url, image.sha256, folder() / image.file)
    except UsageError as error:
        raise NoBoardError(
            f"the emulator needs a firmware image, and {error.message}",
            f"put an official {_PATTERN} into {folder()}, or name one with --firmware",
        ) from error
