"""CircuitPython's drive among the volumes of this computer."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tinympy import drive, files
from tinympy.errors import BoardError

BOOT_OUT = "Adafruit CircuitPython 10.0.0 on 2025-10-01; Raspberry Pi Pico with rp2040\r\nUID:DF6\r\n"


class Line:
    """A board that says what its boot_out.txt has."""

    def __init__(self, boot_out: str = BOOT_OUT) -> None:
        self.boot_out = boot_out

    def exec(self, code: str, timeout_s: float = 3.0) -> str:
        assert "/boot_out.txt" in code
        return repr(self.boot_out) + "\n"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    found = tmp_path / "CIRCUITPY1"
    found.mkdir()
    (found / "boot_out.txt").write_bytes(BOOT_OUT.encode())
    return found


def differences(**options: object) -> files.Differences:
    content = {"a.py": b"a = 1\n", "b.tmpy": bytes(900)}
    fields = {
        "folder": "/lib/tinympy",
        "files": content,
        "stale": tuple(content),
        "obsolete": (),
        "removed": (),
        "listed": tuple(content),
        "needed_bytes": 2048,
        "free_bytes": None,
    }
    return files.Differences(**{**fields, **options})


def test_drives_are_found_by_their_label_or_by_where_they_are_mounted(tmp_path: Path) -> None:
    device, other = tmp_path / "sda1", tmp_path / "sdb1"
    device.touch()
    other.touch()
    labels = tmp_path / "by-label"
    labels.mkdir()
    (labels / "CIRCUITPY").symlink_to(device)
    (labels / "EFI").symlink_to(other)
    mounts = (
        f"/dev/vda1 / ext4 rw 0 0\n{device} /mnt/my\\040board vfat rw,relatime 0 0\n{other} /boot/efi vfat rw 0 0\n"
        "/dev/sdc1 /media/me/CIRCUITPY1 vfat rw 0 0\n/dev/sdd1 /media/me/CIRCUITPY2 ext4 rw 0 0\n"
    )
    assert drive.on_linux(mounts, labels) == [Path("/media/me/CIRCUITPY1"), Path("/mnt/my board")]
    assert drive.on_linux(mounts, tmp_path / "none") == [Path("/media/me/CIRCUITPY1")]


def test_names_like_the_label_are_told_from_others() -> None:
    names = ["CIRCUITPY", "CIRCUITPY 1", "circuitpy", "CIRCUITPYTHON", "RPI-RP2", "MY CIRCUITPY"]
    assert [path.name for path in drive.labelled(map(Path, names))] == ["CIRCUITPY", "CIRCUITPY 1", "circuitpy"]


def test_of_several_drives_the_boards_own_is_taken(volume: Path, tmp_path: Path) -> None:
    other = tmp_path / "CIRCUITPY"
    other.mkdir()
    (other / "boot_out.txt").write_text(BOOT_OUT.replace("DF6", "A01"))
    assert drive.require(Line(), [other, tmp_path / "gone", volume]) == volume


def test_without_the_drive_it_is_said_what_to_do(volume: Path) -> None:
    with pytest.raises(BoardError, match=r"its drive CIRCUITPY is not mounted here$") as caught:
        drive.require(Line(), [])
    assert "mount the drive" in caught.value.hint and "storage.disable_usb_drive()" in caught.value.hint
    with pytest.raises(BoardError, match=r"CIRCUITPY1 is another board's"):
        drive.require(Line(BOOT_OUT.replace("DF6", "A01")), [volume])
    with pytest.raises(BoardError, match="another board's"):
        drive.require(Line(""), [volume])


def test_a_drive_that_may_not_be_written_is_an_error(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(BoardError, match="CIRCUITPY1 is mounted read-only"):
        drive.require(Line(), [volume])


def test_what_differs_is_written_and_what_is_obsolete_removed(volume: Path) -> None:
    folder = volume / "lib/tinympy"
    folder.mkdir(parents=True)
    (folder / "a.py").write_bytes(b"old")
    (folder / "a.mpy").write_bytes(b"obsolete")
    (folder / "mine.py").write_bytes(b"mine")
    told: list[tuple[int, int]] = []
    found = differences(obsolete=("a.mpy",), removed=("a.py", "a.mpy"))
    drive.write(volume, found, lambda done, total: told.append((done, total)))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        **found.files,
        "mine.py": b"mine",
        files.LISTING: b"a.py\nb.tmpy\n",
    }
    assert told == [(6, 906), (906, 906)]
    drive.remove(volume, "/lib", [f"/lib/tinympy/{name}" for name in ("a.py", "b.tmpy", files.LISTING)])
    assert [path.name for path in folder.iterdir()] == ["mine.py"]
    (folder / "mine.py").unlink()
    drive.remove(volume, "/lib", [])
    assert not folder.exists()


def test_nothing_is_written_where_it_does_not_fit(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2048, 1024, 1024))
    with pytest.raises(BoardError, match="1024 bytes free, 2048 are needed"):
        drive.write(volume, differences())
    assert not (volume / "lib").exists()


def test_a_drive_that_fails_is_an_error_with_a_way_out(volume: Path) -> None:
    (volume / "lib").write_bytes(b"a file where the folder should be")
    with pytest.raises(BoardError, match="cannot be written") as caught:
        drive.write(volume, differences())
    assert "eject it" in caught.value.hint
