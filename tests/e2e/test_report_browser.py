"""The pages in a real browser: no script errors, no network, nothing wider than a phone, contrast, sorting, filtering.

Needs Chromium (on Debian: apt-get install chromium) and Playwright (pip install playwright).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tinympy.report import collection, html

RECORDS = Path(__file__).parents[1] / "unit" / "report_records"
NAMES = ("chromium", "chromium-browser", "google-chrome")
RECORD = "records/20261125T102545Z-unix-kws01-native.html"
INVALID = "records/20261125T111000Z-rp2040-kws01-native.html"
PAGES = ("report.html", "index.html", RECORD, INVALID)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install matplotlib")

# The least contrast of all visible text (WCAG 2.2, 1.4.3 and its definition of relative luminance), with where it is.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  let worst = { ratio: 99, needed: 4.5, text: "" };
  let count = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || ["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const colour = parse(element.closest("svg") ? style.fill : style.color);
    const behind = background(element.closest("svg")?.parentElement ?? element);
    const [light, dark] = [luminance(over(colour, behind)), luminance(behind)].sort((a, b) => b - a);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ratio = (light + 0.05) / (dark + 0.05);
    count += 1;
    if (ratio / needed < worst.ratio / worst.needed) worst = { ratio, needed, text };
  }
  return { ...worst, count };
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for name, text in html.site(collection.read([RECORDS])).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        # Inside containers Chromium's own sandbox cannot start; the pages are ours.
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


def opened(browser: Any, address: str, width: int = 1280, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page, and a list of what the browser complains about and of what it asks for beside the page."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("request", lambda request: problems.append(request.url) if request.url.split("#")[0] != address else None)
    page.goto(address)
    for details in page.query_selector_all("details"):
        details.evaluate("element => element.open = true")
    return page, problems


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_and_the_browser_has_no_complaint(browser: Any, site: Path, name: str, scheme: str) -> None:
    page, problems = opened(browser, (site / name).as_uri(), scheme=scheme)
    worst = page.evaluate(CONTRAST)
    assert worst["count"] > 30
    assert worst["ratio"] >= worst["needed"], worst
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    assert problems == []
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 834, 1024, 1280, 1920])
def test_nothing_is_wider_than_the_screen(browser: Any, site: Path, name: str, width: int) -> None:
    page, problems = opened(browser, (site / name).as_uri(), width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # What does not fit scrolls within the page; the tables that are there to be read first do not have to.
    boxes = "[...document.querySelectorAll('.wide:has(.cards)')].map(box => [box.scrollWidth, box.clientWidth])"
    assert all(content <= room for content, room in page.evaluate(boxes))
    if width == 360:
        assert page.evaluate("[...document.querySelectorAll('table.cards')].every(t => t.clientWidth <= innerWidth)")
        assert page.evaluate("[...document.querySelectorAll('svg')].every(s => s.getBoundingClientRect().right <= 360)")
    assert problems == []
    page.context.close()


def test_text_in_figures_can_be_read_on_a_phone(browser: Any, site: Path) -> None:
    page, _ = opened(browser, (site / "report.html").as_uri(), 360)
    sizes = page.evaluate(
        """[...document.querySelectorAll("svg text")].map(
             text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
    )
    assert len(sizes) > 50 and min(sizes) >= 9
    inside = page.evaluate(
        """[...document.querySelectorAll("svg text")].filter(text => {
             const box = text.getBoundingClientRect(), all = text.closest("svg").getBoundingClientRect();
             return box.left < all.left - 1 || box.right > all.right + 1 || box.bottom > all.bottom + 1; })
           .map(text => text.textContent)"""
    )
    assert inside == []
    page.context.close()


def shown(page: Any, section: int, column: int) -> list[str]:
    """The texts of a column in the rows that can be seen."""
    return [
        str(text)
        for text in page.evaluate(
            """([section, column]) => [...document.querySelectorAll(".group")[section].querySelectorAll("tbody tr")]
               .filter(row => row.checkVisibility()).map(row => row.children[column].dataset.value)""",
            [section, column],
        )
    ]


def test_records_are_sorted_within_their_group(browser: Any, site: Path) -> None:
    page, problems = opened(browser, (site / "index.html").as_uri())
    head = page.locator(".group").first.locator("th[data-key=latency_ms]")
    head.locator("button").click()
    values = [float(value) for value in shown(page, 0, 4)]
    assert values == sorted(values) and len(values) == 5
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert [float(value) for value in shown(page, 0, 4)] == values[::-1]
    assert head.get_attribute("aria-sort") == "descending"
    page.select_option("[name=sort]", "accuracy")
    # What was not measured comes last in either direction; the emulated ones stay in their own table.
    accuracies = shown(page, 0, 3)
    assert accuracies[-2:] == ["", ""] and accuracies[:3] == sorted(accuracies[:3], reverse=True)
    page.locator(".group").first.locator("th[data-key=accuracy] button").click()
    accuracies = shown(page, 0, 3)
    assert accuracies[-2:] == ["", ""] and accuracies[:3] == sorted(accuracies[:3])
    assert set(shown(page, 1, 1)) == {"rp2040-emu"}
    assert problems == []
    page.context.close()


def test_records_are_filtered_and_the_address_keeps_it(browser: Any, site: Path) -> None:
    page, problems = opened(browser, (site / "index.html").as_uri())
    assert page.locator("output").text_content() == "8 of 10 records"
    page.select_option("[name=records]", "all")
    assert page.locator("output").text_content() == "10 records"
    page.select_option("[name=task]", "kws01")
    assert set(shown(page, 0, 0)) == {"kws01"} and page.locator("output").text_content() == "5 of 10 records"
    page.select_option("[name=board]", "rp2040-emu")
    assert [group.is_visible() for group in page.locator(".group").all()] == [False, True, False]
    assert problems == []
    again, problems = opened(browser, page.url)
    assert again.locator("output").text_content() == "1 of 10 records"
    again.locator(".group a:visible").click()
    assert "kws01 on rp2040-emu" in again.locator("h1").text_content()
    page.context.close()
    again.context.close()


def test_the_keyboard_reaches_the_sorting(browser: Any, site: Path) -> None:
    page, _ = opened(browser, (site / "index.html").as_uri())
    page.locator(".group").first.locator("th[data-key=ram_bytes] button").focus()
    page.keyboard.press("Enter")
    values = [float(value) for value in shown(page, 0, 6)]
    assert values == sorted(values)
    page.context.close()


def test_without_scripts_every_record_is_there(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator("tbody tr").count() == 10 and not page.locator("form").is_visible()
    context.close()
