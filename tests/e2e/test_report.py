"""`tinympy report` and `tinympy compare`: from records on disk to files, and what they refuse."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RECORDS = Path(__file__).parents[1] / "unit" / "report_records"
UNIX = RECORDS / "20261125T102545Z-unix-kws01-native.json"
EMULATED = RECORDS / "20261125T103029Z-rp2040_emu-kws01-native.json"
RP2040 = RECORDS / "20261125T110000Z-rp2040-kws01-native.json"
INVALID = RECORDS / "20261125T111000Z-rp2040-kws01-native.json"
DIGITS = RECORDS / "20261125T102531Z-unix-digits-native.json"


def tinympy(*arguments: object, code: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tinympy", *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd)
    assert finished.returncode == code, finished.stderr
    return finished


def test_records_are_printed() -> None:
    shown = tinympy("report", UNIX, EMULATED).stdout
    assert "kws01" in shown and "emulated" in shown
    assert "Result not verified by MLCommons Association." in " ".join(shown.split())


@pytest.mark.parametrize("suffix", ["md", "csv", "json", "html"])
def test_the_name_of_the_file_says_the_format(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"report.{suffix}"
    named = {"md": "markdown"}.get(suffix, suffix)
    assert tinympy("report", RECORDS, "-o", file).stdout == ""
    assert tinympy("report", RECORDS, "--format", named).stdout == file.read_text(encoding="utf-8")


def test_the_formats_agree() -> None:
    rows = list(csv.DictReader(tinympy("report", RECORDS, "--format", "csv").stdout.splitlines()))
    objects = json.loads(tinympy("report", RECORDS, "--format", "json").stdout)
    assert len(rows) == len(objects) == len(list(RECORDS.glob("2026*.json")))
    for row, each in zip(rows, objects, strict=True):
        assert (row["task"], row["board"], row["valid"]) == (each["task"], each["board"], str(each["valid"]))
        assert float(row["latency_ms"]) == each["latency_ms"]["median"]


def test_without_a_name_it_is_the_folder_where_bench_puts_records(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    shutil.copy(DIGITS, tmp_path / "results")
    (tmp_path / "results" / "broken.json").write_text("{")
    finished = tinympy("report", "--site", "site", cwd=tmp_path)
    assert "broken.json is damaged" in finished.stderr
    assert finished.stdout.strip() == str(Path("site") / "index.html")
    written = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*.*")}
    pages = {f"records/{DIGITS.stem}.html", f"records/{DIGITS.stem}.json"}
    assert written == {"index.html", "report.html", "site-files.txt", *pages}


def test_a_profile_is_part_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    tinympy("report", UNIX, RECORDS / "unix-kws01.profile.json", "-o", page)
    assert "Layers of kws01 on unix" in page.read_text() and "DEPTHWISE_CONV_2D" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["report", "nothing.json"], "nothing.json"),
        (["report", str(UNIX), "--format", "pdf"], "pdf"),
        (["report", str(UNIX), "-o", "report.pdf"], "report.pdf"),
        (["report", str(UNIX), "-o", "no/such/report.md"], "no such folder"),
        (["report", str(UNIX), "--site", "site", "-o", "report.md"], "--site"),
        (["compare", str(UNIX)], "one record"),
        (["compare", str(UNIX), str(DIGITS)], "task kws01 and digits"),
        (["compare", str(UNIX), str(EMULATED)], "real and emulated"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_hint(arguments: list[str], word: str, tmp_path: Path) -> None:
    error = tinympy(*arguments, code=2, cwd=tmp_path).stderr
    assert error.startswith("error: ") and word in error
    assert not list(tmp_path.iterdir())


def test_an_invalid_record_is_not_ranked() -> None:
    error = tinympy("compare", UNIX, INVALID, code=6).stderr
    assert "below the target" in error and "hint: " in error


def test_a_comparison_says_how_many_times_faster() -> None:
    shown = tinympy("compare", RP2040, UNIX).stdout
    assert shown.startswith("unix runs kws01 ") and " times faster than rp2040" in shown
    first, second = json.loads(tinympy("compare", RP2040, UNIX, "--json").stdout)
    assert (first["name"], second["name"]) == ("unix", "rp2040")
    assert second["times_slower"] == second["latency_ms"]["median"] / first["latency_ms"]["median"]
    assert 0 < second["times_slower_uncertainty"] < second["times_slower"]
