"""The operations that keeping records takes of a file system, in the order and with the syncs that survive a power cut.

A test replaces `Disk` by one whose power is cut (tests/unit/power_cut.py); so what is written stands here alone.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

# Windows opens no folders; some network file systems do not sync them.
_NO_FOLDERS = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.EBADF)


class Disk:
    """A file system. Every method raises OSError when it fails."""

    def make_folder(self, folder: Path) -> None:
        """Make `folder` and those above it, where they are missing, to last."""
        new = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for each in new:
            self.sync_folder(each.parent)

    def open_new(self, file: Path) -> int:
        """Create an empty file. FileExistsError when there is one, which two processes can rely on."""
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write the beginning of `data`; return how much of it."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Return when what was written would survive a power cut."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename a file within its folder, over what may be there: there is always the one or the other."""
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in `folder` would survive a power cut; does nothing where folders cannot be synced."""
        try:
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno not in _NO_FOLDERS:
                raise

    def remove(self, file: Path) -> None:
        """Remove a file if it is there."""
        file.unlink(missing_ok=True)
