"""A disk whose power can be cut: what a file system may hold after a cut at any operation, and within a write.

What is written to a file lasts from its sync on; before that any beginning of it may be there. A name that was made,
renamed or removed lasts from the next sync of its folder on; before that the folder is as after any number of these
changes, in their order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinympy.records.disk import Disk


class PowerCut(BaseException):
    """The power is off: nothing after it is executed, not even what handles errors."""


@dataclass
class Node:
    """The content of a file: `content` as programs see it, of which `synced` bytes last."""

    content: bytes = b""
    synced: int = 0


@dataclass
class CuttableDisk(Disk):
    """Keeps records on the real disk, and notes what a cut would leave; the cut comes at operation `cut_at`.

    operations: the names of those begun. half: the operation that is cut, if it is a write, does half of its work.
    """

    cut_at: int | None = None
    half: bool = False
    operations: list[str] = field(default_factory=list)
    _open: dict[int, Node] = field(default_factory=dict)
    _names: dict[Path, Node] = field(default_factory=dict)
    _lasting: dict[Path, Node] = field(default_factory=dict)
    _changes: list[dict[Path, Node]] = field(default_factory=list)

    def make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    def open_new(self, file: Path) -> int:
        self._begin("open_new")
        descriptor = super().open_new(file)
        self._open[descriptor] = self._names[file] = Node()
        self._changed()
        return descriptor

    def write(self, descriptor: int, data: bytes) -> int:
        node = self._open[descriptor]
        try:
            self._begin("write")
        except PowerCut:
            if self.half:
                node.content += data[: len(data) // 2]
            raise
        count = super().write(descriptor, data[:500])
        node.content += data[:count]
        return count

    def sync(self, descriptor: int) -> None:
        self._begin("sync")
        super().sync(descriptor)
        self._open[descriptor].synced = len(self._open[descriptor].content)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)
        self._begin("close")

    def replace(self, source: Path, target: Path) -> None:
        self._begin("replace")
        super().replace(source, target)
        self._names[target] = self._names.pop(source)
        self._changed()

    def sync_folder(self, folder: Path) -> None:
        self._begin("sync_folder")
        super().sync_folder(folder)
        self._lasting, self._changes = dict(self._names), []

    def remove(self, file: Path) -> None:
        self._begin("remove")
        super().remove(file)
        if self._names.pop(file, None) is not None:
            self._changed()

    def after_the_cut(self) -> Iterator[dict[str, bytes]]:
        """Everything that the folder may hold, as file names with contents: for each state of its names, all that was
        not synced is there, half of it, or nothing.
        """
        for names in (self._lasting, *self._changes):
            for share in (0.0, 0.5, 1.0):
                yield {
                    path.name: node.content[: node.synced + int(share * (len(node.content) - node.synced))]
                    for path, node in names.items()
                }

    def _begin(self, operation: str) -> None:
        self.operations.append(operation)
        if self.cut_at is not None and len(self.operations) > self.cut_at:
            raise PowerCut

    def _changed(self) -> None:
        self._changes.append(dict(self._names))
