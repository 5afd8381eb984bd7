"""A board whose code may not write: its files go to the drive that this computer has, and back off it.

The board is `unix` with what CircuitPython has in its place: a module `storage`, and boot_out.txt.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tinympy import attached, deployment, drive, tasks
from tinympy.boards.unix import UnixBoard
from tinympy.errors import BoardError

STORAGE = "class Mount:\n    readonly = True\ndef getmount(path):\n    return Mount\n"


def told(*_: object) -> None:
    pass


def test_files_go_to_the_drive_and_the_board_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with UnixBoard(root=tmp_path / "board") as process:
        (process.root / "lib/storage.py").write_text(STORAGE)
        (process.root / "boot_out.txt").write_text("CircuitPython\r\nUID:1\r\n")
        board = attached.choose("unix", process.port)
        monkeypatch.setattr(drive, "volumes", list)
        with pytest.raises(BoardError, match="is not mounted here"):
            deployment.deploy_to(board, [tasks.get("digits")], False, told)
        monkeypatch.setattr(drive, "volumes", lambda: [process.root])
        done = deployment.deploy_to(board, [tasks.get("digits")], False, told)
        assert done.tested is not None and not done.tested.wrong and done.count("written") > 10
        assert (process.root / "lib/tinympy/digits.tmpy").exists()
        assert not list(process.root.rglob("*.new"))
        assert deployment.deploy_to(board, [tasks.get("digits")], False, told).written_bytes == 0
        deployment.remove_from(board, False)
        assert not (process.root / "lib/tinympy").exists() and [
            path.name for path in (process.root / "lib").iterdir()
        ] == ["storage.py"]


def test_a_drive_that_the_board_does_not_see_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "boot_out.txt").write_text("CircuitPython\nUID:1\n")
    monkeypatch.setattr(drive, "volumes", lambda: [other])
    monkeypatch.setattr("tinympy.connection._VIEW_S", 0.01)
    with UnixBoard(root=tmp_path / "board") as process:
        (process.root / "lib/storage.py").write_text(STORAGE)
        (process.root / "boot_out.txt").write_text("CircuitPython\nUID:1\n")
        with pytest.raises(BoardError, match="is not on the board what was written"):
            deployment.deploy_to(attached.choose("unix", process.port), [tasks.get("digits")], False, told)
