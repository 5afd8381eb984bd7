"""y_labels.csv: which input files a data set has and what each one is (mlcommons/tiny, evaluation/datasets/README.md).

No header; a row is `file,classes,class`, and for sliding windows `file,classes,class,window bytes,stride bytes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinympy.errors import UsageError


@dataclass(frozen=True)
class Row:
    """One input file; `window_bytes` is 0 where the whole file is one input."""

    file: str
    classes: int
    label: int
    window_bytes: int = 0
    stride_bytes: int = 0


def read(path: Path) -> list[Row]:
    """The rows of a label file, in its order.

    Raises:
        UsageError: the file cannot be read, or a line of it has not this form.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the label file {path}: {error}") from error
    return parse(text, str(path))


def parse(text: str, origin: str) -> list[Row]:
    """The rows of a label file's text; `origin` names the file in errors.

    Raises:
        UsageError: a line has not the form above, or there is none.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise UsageError(f"the label file {origin} is empty")
    return [_row(line, f"{origin}, line {number}") for number, line in lines]


def _row(line: str, where: str) -> Row:
    file, *numbers = (field.strip() for field in line.split(","))
    try:
        row = Row(file, *map(int, numbers))
    except (TypeError, ValueError):
        raise UsageError(
            f"{where}: {line!r} is not a label row", "a row reads file,classes,class[,window bytes,stride bytes]"
        ) from None
    # A name is a file beside the label file, never a path that leads elsewhere.
    if not file or "/" in file or "\\" in file or file.startswith("."):
        raise UsageError(f"{where}: {file!r} is not a plain file name")
    if not 0 <= row.label < row.classes:
        raise UsageError(f"{where}: class {row.label} is not one of {row.classes}")
    if (row.window_bytes or row.stride_bytes) and (row.window_bytes < 1 or row.stride_bytes < 1):
        raise UsageError(f"{where}: window and stride must both be at least 1 byte")
    return row
