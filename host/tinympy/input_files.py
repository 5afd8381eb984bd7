"""Anybody's data as a model's inputs: `.npy` and raw `.bin` files, pictures, and sound where a task defines how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from tokenize import TokenError

import numpy as np

from tinympy import pictures
from tinympy.errors import UsageError
from tinympy.pictures import Pixels
from tinympy.signature import Array, End
from tinympy.tasks import FileFormat, Hearing

_SOUND = ".wav"
_ZIP_MAGIC = b"PK"


@dataclass(frozen=True)
class Given:
    """One inference's inputs, all tensors raw and one after another; `name` says which files they are from.

    heard_at_ms: where in its recording it ends, counted from that of the recording's first one; None without sound.
    """

    name: str
    data: bytes
    heard_at_ms: int | None = None


@dataclass(frozen=True)
class _Content:
    """What a file has for one input of the model: raw tensors, and how they came about."""

    tensors: list[Array]
    how: str
    hop_ms: int | None = None


def read(
    files: Sequence[Path],
    ends: Sequence[End],
    pixels: Pixels,
    hearing: Hearing | None = None,
    data_file: FileFormat | None = None,
) -> tuple[list[Given], list[str]]:
    """Inputs in the order of the files, and, each once, sentences on how values became the model's integers.

    A file may hold several inferences. A model with several inputs takes as many files for each, in the model's order.
    `hearing` is what makes inputs of sound, None where that is not known of the model; `data_file` what a `.bin` file
    is, None: raw bytes.

    Raises:
        UsageError: a file cannot be read, or does not fit the model's input.
    """
    if len(files) % len(ends):
        raise UsageError(
            f"{len(files)} files for a model with {len(ends)} inputs",
            f"give {len(ends)} files for each inference, in this order: {', '.join(end.name for end in ends)}",
        )
    given: list[Given] = []
    how: list[str] = []
    for at in range(0, len(files), len(ends)):
        group = files[at : at + len(ends)]
        contents = [_read(file, end, pixels, hearing, data_file) for file, end in zip(group, ends, strict=True)]
        how += [content.how for content in contents]
        counts = {len(content.tensors) for content in contents}
        if len(counts) > 1:
            raise UsageError(f"{' and '.join(map(str, group))} hold {' and '.join(map(str, sorted(counts)))} inputs")
        name = "+".join(file.name for file in group)
        hop_ms = contents[0].hop_ms
        for index in range(counts.pop()):
            numbered = f"{name}[{index}]" if len(contents[0].tensors) > 1 else name
            data = b"".join(content.tensors[index].tobytes() for content in contents)
            given.append(Given(numbered, data, None if hop_ms is None else hop_ms * index))
    return given, list(dict.fromkeys(how))


def _read(file: Path, end: End, pixels: Pixels, hearing: Hearing | None, data_file: FileFormat | None) -> _Content:
    try:
        if file.suffix.lower() == ".npy":
            return _numbers(file, end)
        if file.suffix.lower() == ".bin":
            return _raw(file, end) if data_file is None else _formatted(file, data_file)
        if file.suffix.lower() in pictures.SUFFIXES:
            return _Content(*pictures.read(file, end, pixels))
        if file.suffix.lower() == _SOUND:
            return _sound(file, end, hearing)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}") from error
    raise UsageError(
        f"{file}: inputs of this kind are not known",
        f"known are .npy, .bin (raw {end.raw_dtype}), .wav and pictures ({' '.join(pictures.SUFFIXES)})",
    )


def _numbers(file: Path, end: End) -> _Content:
    content = file.read_bytes()
    if content.startswith(_ZIP_MAGIC):
        raise UsageError(f"{file} holds several arrays", "give each in an .npy file of its own")
    try:
        array = np.lib.format.read_array(BytesIO(content), allow_pickle=False)
    # The header is Python text, which is tokenised and parsed; its shape may ask for more memory than there is.
    except (ValueError, EOFError, SyntaxError, TokenError, OverflowError, MemoryError) as error:
        raise UsageError(f"{file} is no .npy file, or damaged: {error}", "numpy.save writes one") from error
    count, rest = divmod(array.size, end.elements)
    if rest or not count or (count > 1 and len(array) != count):
        raise UsageError(
            f"{file} has shape {array.shape}, input {end.name!r} has shape {end.shape}",
            "give one array of that shape, or several of them in one with a leading dimension",
        )
    if array.dtype.kind == "f":
        low, high = end.real_range
        how = f"floats are quantised: {end.raw_dtype} = value / {end.scale:.6g} {end.zero_point:+d}"
        return _Content(list(end.quantised(array).reshape(count, -1)), f"{how}, from {low:.4g} to {high:.4g}")
    low, high = end.raw_range
    # Bytes of the other sign would be taken for other values without anybody noticing.
    if array.dtype.kind not in "iu" or (array.dtype.itemsize == 1 and array.dtype != end.raw_dtype):
        raise UsageError(
            f"{file} is {array.dtype}, input {end.name!r} is {end.raw_dtype}",
            f"give {end.raw_dtype}, taken as it is, or floats, which are quantised",
        )
    if array.min() < low or array.max() > high:
        raise UsageError(f"{file} has values from {array.min()} to {array.max()}, {end.raw_dtype} has {low} … {high}")
    raw = array.astype(end.raw_dtype).reshape(count, -1)
    return _Content(list(raw), f"integers are taken as they are ({end.raw_dtype})")


def _raw(file: Path, end: End) -> _Content:
    content = file.read_bytes()
    count, rest = divmod(len(content), end.bytes)
    if rest or not count:
        raise UsageError(
            f"{file} has {len(content)} bytes, input {end.name!r} has {end.bytes}",
            f"give {end.raw_dtype} values of shape {end.shape}, once or several times",
        )
    return _Content(
        list(np.frombuffer(content, end.raw_dtype).reshape(count, -1)),
        f"bytes are raw {end.raw_dtype}, {end.bytes} for each input",
    )


def _sound(file: Path, end: End, hearing: Hearing | None) -> _Content:
    if hearing is None:
        raise UsageError(
            f"{file} is sound, and how that becomes input {end.name!r} is not known",
            "only sww01 defines it to the last bit; for others compute the features and give them as .npy",
        )
    return replace(_formatted(file, hearing), hop_ms=hearing.hop_ms)


def _formatted(file: Path, known: FileFormat) -> _Content:
    return _Content(list(known.windows(file.read_bytes(), str(file))), known.how)
