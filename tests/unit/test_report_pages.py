"""report.collection, report.figures, report.plots and report.html: what pages hold, and what they must not."""

from __future__ import annotations

import json
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from example_records import DIGITS, EMULATED, KWS01, UNIX, accuracy, record
from tinympy import records
from tinympy.comparison import compare
from tinympy.errors import UsageError
from tinympy.records import Board, Record
from tinympy.report import collection, figures, flat, html, layers, markdown, plots, quantities
from tinympy.report.collection import Collection
from tinympy.report.console import UNVERIFIED

RECORDS = Path(__file__).parent / "report_records"
PROFILE = RECORDS / "unix-kws01.profile.json"
VOID = {"meta", "link", "br", "img", "input"}
HOSTILE = "<script>alert(1)</script> \"&' $x^2$ | *"


class Page(HTMLParser):
    """Elements in their order, with attributes; an element that is not closed is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def visible(text: str) -> str:
    """What stands on a page: no style, no script, no tags."""
    text = re.sub(r"<(style|script|head)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


@pytest.fixture(scope="module")
def site() -> dict[str, str]:
    pytest.importorskip("matplotlib")
    return html.site(collection.read([RECORDS]))


def hostile() -> Collection:
    bad = record(DIGITS, Board(HOSTILE, "/dev/x", HOSTILE, "6.3", "x64", None, False), [1000.0] * 5)
    bad.task.title = bad.engine.name = bad.model.file = HOSTILE
    bad.warnings.append(HOSTILE)
    other = record(latencies_us=[2000.0] * 5)
    bad.path = other.path = None
    return Collection([bad, other])


def test_every_page_is_well_formed_and_needs_nothing_else(site: dict[str, str]) -> None:
    for name, text in site.items():
        if name.endswith(".json"):
            continue
        page = Page(text)
        assert not [each for each in page.all("script", "img", "iframe", "use") if each.get("src")]
        addresses = [each.get("href") or each.get("xlink:href") or "" for each in page.all("a", "link", "use")]
        assert not [each for each in addresses if re.match(r"(https?:)?//", each)]
        assert "url(" not in re.sub(r"url\(#", "", text) and "@import" not in text
        identifiers = [each["id"] for _, each in page.elements if "id" in each]
        assert len(identifiers) == len(set(identifiers))


def test_every_link_of_the_site_leads_to_one_of_its_files(site: dict[str, str]) -> None:
    for name, text in site.items():
        if name.endswith(".html"):
            for link in Page(text).all("a"):
                target = link["href"] or ""
                if target.startswith("#"):
                    assert f'id="{target[1:]}"' in text
                else:
                    resolved = (Path("/") / name).parent / target
                    assert str(resolved.resolve().relative_to("/")) in site


def test_every_record_has_a_page_and_its_document(site: dict[str, str]) -> None:
    for file in RECORDS.glob("2026*.json"):
        assert site[f"records/{file.name}"] == file.read_text()
        assert f"records/{file.stem}.html" in site and f'href="records/{file.stem}.html"' in site["index.html"]


def test_every_figure_has_words_and_a_table(site: dict[str, str]) -> None:
    text = site["report.html"]
    found = re.findall(r"<figure>.*?</figure>", text, re.DOTALL)
    assert len(found) >= 8
    for figure in found:
        assert re.search(r'role="img" aria-label="[^"]{20,}"', figure)
        assert "<svg" in figure and "<table" in figure and "<figcaption>" in figure


def test_emulated_generated_and_invalid_stand_beside_the_figures(site: dict[str, str]) -> None:
    words = visible(site["report.html"])
    assert UNVERIFIED in words
    for row in re.findall(r'<tr role="row"><th scope="row".*?</tr>', site["report.html"], re.DOTALL):
        assert ("emulated" in row) == ("rp2040-emu" in row)
    for name, text in site.items():
        if name.startswith("records/") and name.endswith(".html"):
            assert ("emulated" in visible(text).split("kB are")[0]) == ("rp2040_emu" in name)
            assert ("generated weights: no accuracy" in visible(text)) == ("ad01" in name)
    assert "89.9 % is below the target of 90.0 %" in words
    assert "MLPerf" not in words.replace(UNVERIFIED, "").replace("the MLPerf Tiny rules ask for", "")


def test_the_site_ranks_real_emulated_and_invalid_records_apart(site: dict[str, str]) -> None:
    sections = dict(re.findall(r"<h2>(.*?)</h2>(.*?)</section>", site["index.html"], re.DOTALL))
    assert list(sections) == ["Measured", "Emulated", "Not valid"]
    assert "rp2040-emu" not in sections["Measured"] and ">unix<" not in sections["Emulated"]
    assert sections["Not valid"].count("<tr ") == 2 and "89.9" in sections["Not valid"]


def test_pages_are_a_pure_function_of_records(site: dict[str, str]) -> None:
    assert html.site(collection.read([RECORDS])) == site


def test_pages_have_names_that_are_addresses_and_differ() -> None:
    made = [record() for _ in range(3)]
    for each, name in zip(made, ("a b#1?.json", "a b#1?.json", "c%20.json"), strict=True):
        each.path = Path("results") / name
    assert html.pages(made) == ["a_b_1_", "a_b_1_-2", "c_20"]


def test_names_with_markup_are_text_everywhere() -> None:
    for text in (*html.site(hostile()).values(), html.report(hostile())):
        page = Page(text)
        assert "<script>alert" not in text and all(each == {} for each in page.all("script"))
    table = next(line for line in markdown.render(hostile().records).splitlines() if "alert" in line and "|" in line)
    assert "\\<script\\>" in table and "\\|" in table


def test_without_matplotlib_the_report_says_so_and_opens_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = html.report(collection.read([RECORDS]))
    assert "matplotlib, which draws them, is not installed" in text
    assert "<svg" not in text and text.count("<details open>") == text.count("<figure>") > 0


def test_a_figure_takes_colours_and_font_from_the_page() -> None:
    pytest.importorskip("matplotlib")
    made = Collection(
        [record(latencies_us=[1000.0] * 5), record(KWS01, EMULATED, [2000.0, 2100.0, 2050.0, 2060.0, 2070.0])]
    )
    [chapter] = collection.chapters(made.records)
    for plot in [*plots.overview([chapter], True), *plots.of_chapter(chapter, [], True)]:
        assert plot.svg is not None
        tree = ElementTree.fromstring(plot.svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" '))
        assert not re.search(r"#[0-9a-f]{6}", re.sub(r"#[mpc][0-9a-f]{10}", "", plot.svg))
        assert "font-family" not in plot.svg and "<style" not in plot.svg
        assert "rp2040-emu" in "".join(tree.itertext())
        _, _, width, height = map(float, tree.attrib["viewBox"].split())
        assert width == figures.WIDTH and height > 50


def test_figures_of_a_latency_figure_are_not_rounded() -> None:
    pytest.importorskip("matplotlib")
    svg = figures.values([figures.Value("a", "b", "0.1234567", 0.12, 0.1, 0.2, False)], "ms")
    assert ">0.1234567<" in svg and 'class="note">b<' in svg


def test_positions_are_kept_apart_and_in_order() -> None:
    found = figures._apart([10.0, 11.0, 12.0, 95.0, 96.0], 10.0, 0.0, 100.0)
    assert found == [10.0, 20.0, 30.0, 90.0, 100.0]
    assert figures._apart([50.0] * 4, 40.0, 0.0, 100.0) == [0.0, 40.0, 80.0, 120.0]


def test_the_newest_valid_record_speaks_for_its_board() -> None:
    runs = [record(latencies_us=[1000.0 + index] * 5) for index in range(3)]
    for index, made in enumerate(runs):
        made.created = f"2026-11-2{index}T00:00:00Z"
    runs[2].status = "interrupted"
    [chapter] = collection.chapters(runs)
    assert [each.created[:10] for each in chapter.runs[0].records] == ["2026-11-21", "2026-11-20", "2026-11-22"]


def test_tasks_come_official_first_and_boards_real_first() -> None:
    made = [
        record(DIGITS, latencies_us=[1.0] * 5),
        record(KWS01, EMULATED, [1.0] * 5),
        record(KWS01, UNIX, [1000.0] * 5),
        record(KWS01, Board("broken", "-", "-", "6.3", "x64", None, False), [1.0] * 5, status="failed"),
    ]
    for each in made[1:]:
        each.model.weights = "official"
    found = collection.chapters(made)
    assert [chapter.name for chapter in found] == ["kws01", "digits"]
    assert [each.board.name for each in found[0].records] == ["unix", "broken", "rp2040-emu"]


def test_records_that_differ_in_what_was_measured_do_not_hide_each_other() -> None:
    made = [record(latencies_us=[1000.0] * 5), record(accuracy=accuracy())]
    made[0].mode, made[1].mode = "performance", "accuracy"
    [chapter] = collection.chapters(made)
    assert len(chapter.runs) == 2


def test_boards_of_one_kind_that_were_measured_at_once_are_told_apart() -> None:
    made = [record(latencies_us=[1000.0 + index] * 5) for index in range(2)]
    for index, each in enumerate(made):
        each.board = Board("rp2040", f"/dev/ttyACM{index}", "MicroPython", "6.3", "armv6m", 125_000_000, False)
        each.parallel = 2
    [chapter] = collection.chapters(made)
    assert len(chapter.runs) == 2
    words = visible(html.report(Collection(made)))
    assert "rp2040 ttyACM0" in words and "rp2040 ttyACM1" in words
    assert [entry.name for entry in compare(made)] == ["rp2040 on /dev/ttyACM0", "rp2040 on /dev/ttyACM1"]


def test_folders_give_their_records_and_profiles_and_say_what_they_could_not_read(tmp_path: Path) -> None:
    for file in (*RECORDS.glob("2026*unix-digits*"), PROFILE):
        shutil.copy(file, tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text("{}")
    found = collection.read([tmp_path])
    assert len(found.records) == 1 and len(found.profiles) == 1
    assert len(found.unread) == 2 and "broken.json is damaged" in found.unread[0]
    assert "broken.json is damaged" in html.report(found)
    with pytest.raises(UsageError, match="damaged"):
        collection.read([tmp_path / "broken.json"])


def test_a_folder_without_a_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no record"):
        collection.read([tmp_path])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"schema": "tinympy-profile/9"}, "not a profile"),
        ({"sum_us": "x"}, "sum_us"),
        ({"windows": True}, "windows"),
        ({"layers": [{}]}, "operator"),
        ({"layers": 3}, "damaged"),
        ({"emulated": 0}, "emulated"),
    ],
)
def test_a_profile_that_is_not_one_is_refused(change: dict[str, object], word: str, tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({**json.loads(PROFILE.read_text()), **change}))
    with pytest.raises(UsageError, match=word):
        layers.read(file)


def test_a_profile_stands_beside_the_records_of_its_model_only() -> None:
    profile = layers.read(PROFILE)
    of = {file.name: records.read(file) for file in RECORDS.glob("2026*.json")}
    assert [name for name, each in of.items() if profile.belongs_to(each)] == [
        name for name in of if "unix-kws01" in name
    ]


def test_ram_is_without_what_stays_in_flash() -> None:
    made = record()
    made.memory = records.Memory(10_000, 50_000, 7_000, 100_000, 45_000)
    assert quantities.ram_bytes(made) == 22_000
    made.memory.arena_bytes = None
    assert quantities.ram_bytes(made) is None and quantities.RAM.shown(made) == "–"


def test_a_csv_row_holds_every_column() -> None:
    row = flat.row(record(latencies_us=[2000.0] * 5, accuracy=accuracy()))
    assert set(row) == set(flat.FIELDS) and row["latency_ms"] == pytest.approx(2.0) and row["accuracy"] == 0.901


def test_a_table_leaves_out_what_no_record_has() -> None:
    made: list[Record] = [record(latencies_us=[2000.0] * 5)]
    assert [each.key for each in quantities.columns(made)] == [
        "latency_ms",
        "throughput_ips",
        "ram_bytes",
        "arena_bytes",
        "program_bytes",
        "module_bytes",
        "heap_free_bytes",
    ]
