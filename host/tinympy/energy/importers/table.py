"""Tables of numbers in text: fast, and with the line in the error where one is damaged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinympy.errors import UsageError

_PARSED_ROW = re.compile(r"at row (\d+)")
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?nan$", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """How the text is laid out.

    header -- names of the columns; empty where the file begins with numbers
    skip -- lines before the first row of numbers
    """

    path: Path
    delimiter: str
    header: tuple[str, ...]
    columns: int
    skip: int

    @classmethod
    def of(cls, path: Path) -> Table:
        """Looks at the first lines: the header is the last one before the numbers begin.

        Raises:
            UsageError: there are no numbers.
        """
        with path.open(encoding="utf-8-sig") as file:
            lines = [line.rstrip("\r\n") for line, _ in zip(file, range(100), strict=False)]
        delimiter = _delimiter(lines)
        for skip, line in enumerate(lines):
            cells = _cells(line, delimiter)
            if cells and is_number(cells[0], delimiter) and (skip == 0 or len(cells) > 0):
                header = _cells(lines[skip - 1].lstrip("# "), delimiter) if skip else []
                return cls(path, delimiter, tuple(header), max(len(cells), len(header)), skip)
        raise UsageError(f"{path.name} has no row of numbers", "is it a recording, and is it complete?")

    def column(self, *patterns: str) -> int | None:
        """The first column whose name contains one of the patterns, in the patterns' order; case does not matter."""
        for pattern in patterns:
            for index, name in enumerate(self.header):
                if re.search(pattern, name, re.IGNORECASE):
                    return index
        return None

    def read(
        self, columns: Sequence[int], kinds: Sequence[str] = (), lines: Iterable[str] | None = None
    ) -> list[np.ndarray]:
        """These columns, each an array; `kinds` are numpy's names of types, float64 where it is shorter.

        lines -- instead of the file's own

        Raises:
            UsageError: a row that is damaged or cut off; says which line.
        """
        fields = [(str(at), kinds[at] if at < len(kinds) else "f8") for at in range(len(columns))]
        # loadtxt returns columns in the order of `usecols`.
        source: Any = lines or (self._with_points() if self.delimiter == ";" else self.path)
        try:
            table = np.loadtxt(
                source,
                dtype=np.dtype(fields),
                delimiter=None if self.delimiter == " " else self.delimiter,
                skiprows=self.skip,
                usecols=tuple(columns),
                comments=None,
                quotechar='"',
                encoding="utf-8-sig",
                ndmin=1,
            )
        except ValueError as error:
            raise self._damaged(str(error)) from error
        return [np.ascontiguousarray(table[name]) for name, _ in fields]

    def _with_points(self) -> Iterator[str]:
        """Lines of a table with semicolons, whose numbers may have commas for points."""
        with self.path.open(encoding="utf-8-sig") as file:
            for line in file:
                yield line.replace(",", ".")

    def _damaged(self, reason: str) -> UsageError:
        row = _PARSED_ROW.search(reason)
        # numpy counts rows from 0 where a number is wrong, and from 1 where columns are missing.
        letters = "could not convert" in reason
        where = f" line {self.skip + int(row[1]) + int(letters)}" if row else ""
        what = reason.split(" at row")[0] if letters else "columns are missing" if row else reason.splitlines()[0]
        return UsageError(
            f"{self.path.name}{where}: {what}",
            "the file is damaged or cut off there; delete that line, or export it again",
        )


def is_number(text: str, delimiter: str = ",") -> bool:
    return bool(_NUMBER.match(text.replace(",", ".") if delimiter == ";" else text))


def _delimiter(lines: Sequence[str]) -> str:
    for line in lines:
        for delimiter in (";", "\t", ","):
            if delimiter in line:
                return delimiter
    return " " if any(" " in line.strip() for line in lines) else ","


def _cells(line: str, delimiter: str) -> list[str]:
    cells = line.split() if delimiter == " " else line.split(delimiter)
    cells = [cell.strip().strip('"').strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells
