"""The report of experiments in a browser: nothing is cut off, no barrier, readable in the dark and by keyboard."""

from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Browser, expect
from tests.browser.test_accessibility import barriers
from tests.browser.watching import DESK, PHONE, opened, overflow
from tests.pages.reading import HOSTILE

from vernissage.pages.figures import embedded
from vernissage_lab.report import Comparison, ExperimentSection, PublishedBlock, experiment_report
from vernissage_lab.tables import table

Size = tuple[int, int]


def section(word: str) -> ExperimentSection:
    """A run with everything that a report can have; ``word`` stands wherever a name can."""
    heads = ("", "projection", "clustering", *(f"{count} classes, {word}" for count in (1, 2, 5, 10)))
    few = tuple((word, "none", f"ward:{number}", *(".680 ±.047 in 10",) * 4) for number in range(6))
    wide, long = table(f"Recall by {word}", heads, few, "± standard error", words=3), few * 10
    return ExperimentSection(
        title=f"ablation: {word}",
        paper="ZCCR: Figs. 14 to 18",
        what="which areas of interest find works again",
        protocol=("The 25 largest classes are asked for.", f"By {word}."),
        notes=(f"{word}: 20 users in each cell",),
        tables=(wide,),
        figures=(embedded(Figure((9, 3)), f"Recall by {word}"),),
        comparisons=(
            Comparison(f"FAISS with {word}", "180", "ZCCR, Table 6", "85 (loop)", "another machine; " * 6),
            Comparison("Recall drop", "0", "ZCCR, Table 7", "0", ""),
            Comparison("One or two", "13.81 ms", "ZCCR, Table 1", "", "not measured: needs 1,000,000 vectors"),
        ),
        provenance=(("Data", word), ("SHA-256 of means.csv", "0123456789abcdef" * 4)),
        files=(f"{word}/means.csv",),
        published=(
            PublishedBlock(
                f"{word} beside results/zccr_metrics.csv",
                (f"Not the same data: {word} here.", "Not the same encoder."),
                (wide, table("text → text", heads, long, words=3)),
            ),
        ),
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report") / "report.html", "aligned")


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("hostile") / "report.html", f"{HOSTILE} {'W' * 200}")


def written(path: Path, word: str) -> Path:
    path.write_text(experiment_report([section(word), section(f"{word} again")]), "utf-8")
    return path


@pytest.mark.parametrize("width", [320, 390, 768, 2560])
def test_the_page_is_never_wider_than_its_window(
    browser: Browser, report: Path, hostile_report: Path, width: int
) -> None:
    for file in (report, hostile_report):
        with opened(browser, file, (width, 800)) as page:
            for details in page.locator("details").all():
                details.locator("summary").click()
            assert overflow(page) == 0


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_no_barrier(browser: Browser, report: Path, axe: str, size: Size, scheme: str) -> None:
    with opened(browser, report, size, color_scheme=scheme) as page:
        for details in page.locator("details").all():
            details.locator("summary").click()
        assert barriers(page, axe) == []


def test_hostile_names_do_nothing_and_raise_no_barrier(browser: Browser, hostile_report: Path, axe: str) -> None:
    with opened(browser, hostile_report) as page:
        assert barriers(page, axe) == []


def test_the_contents_lead_to_each_run(browser: Browser, report: Path) -> None:
    with opened(browser, report, PHONE) as page:
        page.get_by_role("navigation", name="Contents").get_by_role("link", name="ablation: aligned again").click()
        heading = page.get_by_role("heading", name="ablation: aligned again", level=2)
        expect(heading).to_be_in_viewport()


def test_headings_stand_in_order(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        levels = [int(each.evaluate("each => each.tagName[1]")) for each in page.locator("h1, h2, h3, h4").all()]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert {2, 3, 4} <= set(levels)


def test_wide_tables_and_figures_scroll_by_keyboard_on_a_phone(browser: Browser, report: Path) -> None:
    with opened(browser, report, PHONE) as page:
        for name in ("Recall by aligned", "Published values beside ours"):
            region = page.get_by_role("group", name=name, exact=True).first
            region.focus()
            expect(region).to_be_focused()
            for _ in range(5):
                page.keyboard.press("ArrowRight")
            page.wait_for_function("each => each.scrollLeft > 20", arg=region.element_handle())


def test_words_of_a_comparison_take_lines_of_their_own_width(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        table = page.get_by_role("group", name="Published values beside ours").first
        assert table.evaluate("each => each.scrollWidth - each.clientWidth") == 0
        rows = [row.bounding_box() for row in table.locator("tbody tr").all()]
    assert all(box is not None and box["height"] < 160 for box in rows)


def test_paper_shows_whole_tables_in_dark_ink(browser: Browser, report: Path) -> None:
    with opened(browser, report, (680, 1009), color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        for table in page.locator("table").all():
            assert table.evaluate("each => each.getBoundingClientRect().width") <= 680
