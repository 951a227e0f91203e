"""A study's report in a browser: nothing is cut off, no barrier, readable in the dark, on paper and without scripts."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from tests.browser.test_accessibility import barriers
from tests.browser.watching import DESK, PHONE, opened, overflow
from tests.pages.reading import HOSTILE

from vernissage.analysis.long_table import LongTable
from vernissage.analysis.study_answers import study_numbers
from vernissage.pages.study_report import StudyFacts, study_report

Size = tuple[int, int]


def written(path: Path, engines: list[str]) -> Path:
    """The report of 12 people, with everything that a report can have."""
    random = np.random.default_rng(1)
    names = [(f"p{who:02d}", engine, shown) for who in range(12) for engine in engines for shown in (1, 2)]
    table = LongTable(
        [who for who, _, _ in names],
        [engine for _, engine, _ in names],
        [shown for _, _, shown in names],
        {name: random.integers(2, 5, len(names)).astype(float) for name in ("accuracy", "serendipity")},
    )
    lists = {(who, engine): tuple(random.permutation(list("abcdefgh"))[:4]) for who, engine, _ in names}
    facts = StudyFacts(
        {"accuracy": "The recommendations match my personal preferences and interests."},
        ("Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"),
        (("began", 14), ("finished", 12)),
        ("Gender: Woman 7, Man 5.",),
        (("SHA-256 of long.csv", "0123456789abcdef" * 4),),
        ("Every participant is simulated.",),
        ("contrasts.csv", "emmeans.csv"),
    )
    path.write_text(study_report(study_numbers(table, lists), facts, title="Which engine suits whom?"), "utf-8")
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report") / "report.html", ["colour-texture", "late-zscore", "lda", "lsa"])


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("hostile") / "report.html", [HOSTILE, f"{HOSTILE} two", "W" * 300])


@pytest.mark.parametrize("width", [320, 768, 2560])
def test_the_page_is_never_wider_than_its_window(
    browser: Browser, report: Path, hostile_report: Path, width: int
) -> None:
    for file in (report, hostile_report):
        with opened(browser, file, (width, 800)) as page:
            assert overflow(page) == 0


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_no_barrier(browser: Browser, report: Path, axe: str, size: Size, scheme: str) -> None:
    with opened(browser, report, size, color_scheme=scheme) as page:
        assert barriers(page, axe) == []


def test_hostile_names_do_nothing_and_raise_no_barrier(browser: Browser, hostile_report: Path, axe: str) -> None:
    with opened(browser, hostile_report) as page:
        assert barriers(page, axe) == []


def test_figures_are_seen_without_scripts_and_large_enough(browser: Browser, report: Path, size: Size) -> None:
    with opened(browser, report, size, java_script_enabled=False) as page:
        expect(page.locator("figure img")).to_have_count(4)
        for image in page.locator("figure img").all():
            expect(image).to_be_visible()
            box = image.bounding_box()
            assert box is not None
            assert box["width"] >= 300


def test_figures_follow_the_reader_into_the_dark(browser: Browser, report: Path) -> None:
    assert extremes(browser, report, "light")[0] < 60  # dark ink
    ground, ink = extremes(browser, report, "dark")
    assert (ground < 60, ink > 200) == (True, True)


def extremes(browser: Browser, report: Path, scheme: str) -> tuple[float, float]:
    """The darkest and the lightest pixel of the first figure, 0 to 255."""
    with opened(browser, report, DESK, color_scheme=scheme) as page:
        shot = page.locator("figure img").first.screenshot()
    with Image.open(io.BytesIO(shot)) as image:
        values = np.asarray(image.convert("L"))
    return float(values.min()), float(values.max())


def test_wide_tables_scroll_by_keyboard_on_a_phone(browser: Browser, report: Path) -> None:
    with opened(browser, report, PHONE) as page:
        region = page.get_by_role("region", name="Contrasts of all pairs of engines")
        region.focus()
        expect(region).to_be_focused()
        before = region.evaluate("each => each.scrollLeft")
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        page.wait_for_function("each => each.scrollLeft > 20", arg=region.element_handle())
        assert before == 0


def test_paper_shows_whole_tables_in_dark_ink(browser: Browser, report: Path) -> None:
    with opened(browser, report, (680, 1009), color_scheme="dark") as page:  # A4 within its margins
        assert page.locator("#contrasts").evaluate("each => each.getBoundingClientRect().width") > 680
        page.emulate_media(media="print")
        for table in page.locator(".scroll").all():
            assert table.evaluate("each => getComputedStyle(each).overflowX") == "visible"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        for table in page.locator("table").all():
            assert table.evaluate("each => each.getBoundingClientRect().width") <= 680
