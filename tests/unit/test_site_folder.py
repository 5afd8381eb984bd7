"""report.site: the folder holds the files of the site, loses those of an earlier one, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinympy.errors import UsageError
from tinympy.report import site


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {site.MANIFEST}


def test_pages_of_records_that_are_gone_are_removed(tmp_path: Path) -> None:
    site.write({"index.html": "1", "records/a.html": "a", "records/b.html": "b"}, tmp_path)
    (tmp_path / "records" / "mine.html").write_text("mine")
    (tmp_path / "CNAME").write_text("example.org")
    site.write({"index.html": "2", "records/b.html": "b"}, tmp_path)
    assert names(tmp_path) == {"index.html", "records/b.html", "records/mine.html", "CNAME"}
    assert (tmp_path / "index.html").read_text() == "2"


def test_a_list_that_leads_out_of_the_folder_removes_nothing_there(tmp_path: Path) -> None:
    outside, folder = tmp_path / "precious.txt", tmp_path / "site"
    outside.write_text("precious")
    folder.mkdir()
    (folder / site.MANIFEST).write_text(f"../precious.txt\n{outside}\nrecords/../../precious.txt\n\n")
    site.write({"index.html": ""}, folder)
    assert outside.exists() and names(folder) == {"index.html"}


def test_what_was_written_before_it_failed_is_known_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("a file where a folder should be")
    with pytest.raises(UsageError, match="records"):
        site.write({"report.html": "", "records/a.html": "a"}, tmp_path)
    assert names(tmp_path) == {"report.html", "records"}
    site.write({"index.html": ""}, tmp_path)
    assert names(tmp_path) == {"index.html", "records"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="taken"):
        site.write({"index.html": ""}, tmp_path / "taken" / "site")
