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
_CIRCUITPYTHON = "adafruit-circuitpython-raspberry_pi_pico-*.uf2"
_ADDRESS = "https://micropython.org/resources/firmware/"
_CIRCUITPYTHON_ADDRESS = "https://downloads.circuitpython.org/bin/raspberry_pi_pico/en_US/"


@dataclass(frozen=True)
class Image:
    """An official release for the Raspberry Pi Pico, as micropython.org or circuitpython.org publishes it."""

    version: str
    file: str
    sha256: str
    address: str = _ADDRESS

    @property
    def url(self) -> str:
        return self.address + self.file


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
CIRCUITPYTHON_IMAGES = (
    Image(
        "8.2.9",
        "adafruit-circuitpython-raspberry_pi_pico-en_US-8.2.9.uf2",
        "bcb53b90b060486bf779f9ca837e786acc905ebbda30ecd244ed67bea4509015",
        _CIRCUITPYTHON_ADDRESS,
    ),
    Image(
        "10.0.0",
        "adafruit-circuitpython-raspberry_pi_pico-en_US-10.0.0.uf2",
        "f3eacd340f55a0e8eeeb536ee54860103449a5e0c9c533d5644c114ae8eab7d5",
        _CIRCUITPYTHON_ADDRESS,
    ),
)


def folder() -> Path:
    """Where images are looked for, and fetched to."""
    found = os.environ.get(ENVIRONMENT)
    return Path(found) if found else Path(platformdirs.user_cache_dir("tinympy", appauthor=False)) / "firmware"


def present(circuitpython: bool = False) -> list[Path]:
    """The images of MicroPython, or of CircuitPython, that are there, oldest release first."""
    if circuitpython:
        return sorted(folder().glob(_CIRCUITPYTHON), key=_release)
    return sorted(folder().glob(_PATTERN))


def find(wanted: str | None, circuitpython: bool = False) -> Path:
    """The image `wanted`, a path or a version ("1.26.1"); None: the newest one here, else the newest known, fetched.

    Raises:
        UsageError: there is no such file, or no such version.
        NoBoardError: it is not here and could not be fetched.
    """
    images, pattern = (CIRCUITPYTHON_IMAGES, _CIRCUITPYTHON) if circuitpython else (IMAGES, _PATTERN)
    here = present(circuitpython)
    if wanted is None:
        return here[-1] if here else _fetch(images[-1], pattern)
    path = Path(wanted).expanduser()
    if path.suffix == ".uf2" or path.is_file():
        if not path.is_file():
            raise UsageError(f"there is no firmware image {path}", f"name an official {pattern}, or a version")
        return path
    version = wanted.removeprefix("v")
    for image in here:
        if re.search(rf"-v?{re.escape(version)}\.uf2$", image.name):
            return image
    for known in images:
        if known.version == version:
            return _fetch(known, pattern)
    raise UsageError(
        f"firmware {wanted} is neither a file nor a version that is known",
        f"known: {', '.join(image.version for image in images)}; any image in {folder()} can be named by its version",
    )


def _release(image: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", image.stem.rpartition("-")[2])]


def _fetch(image: Image, pattern: str) -> Path:
    from tinympy import download

    try:
        return download.file(image.url, image.sha256, folder() / image.file)
    except UsageError as error:
        raise NoBoardError(
            f"the emulator needs a firmware image, and {error.message}",
            f"put an official {pattern} into {folder()}, or name one with --firmware",
        ) from error
