"""axe-core finds no barrier of WCAG 2.2, levels A and AA, in any state of the pages."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.conftest import Pages
from tests.browser.watching import opened, two_frames

Size = tuple[int, int]
_RUN = """() => axe.run(document, {
  resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}).then((found) => [
  found.passes.length, found.violations.map((each) => [each.id, each.nodes[0].html.slice(0, 200)]),
])"""


def barriers(page: Page, axe: str) -> list[list[str]]:
    """The rules broken, each with the first element that breaks it."""
    two_frames(page)
    page.evaluate(f"() => {{ if (!window.axe) {{ {axe} }} }}")
    passed, broken = page.evaluate(_RUN)
    assert passed > 10
    found: list[list[str]] = broken
    return found


def test_a_barrier_is_found(browser: Browser, axe: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    words = '<main><h1 style="color: #bbb">Pale</h1><img src="data:,"><p>Words</p></main>'
    bad.write_text(f'<!doctype html><html lang="en"><title>Bad</title>{words}', "utf-8")
    with opened(browser, bad) as page:
        assert {rule for rule, _ in barriers(page, axe)} == {"color-contrast", "image-alt"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_recommendation_page(browser: Browser, painted: Pages, axe: str, size: Size, scheme: str) -> None:
    with opened(browser, painted.recommendations, size, color_scheme=scheme) as page:
        assert barriers(page, axe) == []


def test_reasons_of_a_work(browser: Browser, painted: Pages, axe: str) -> None:
    with opened(browser, painted.recommendations) as page:
        page.locator("[popovertarget]").first.click()
        # What they cover is no target while they are open.
        assert [each for each in barriers(page, axe) if each[0] != "target-size"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map(browser: Browser, painted: Pages, axe: str, size: Size, scheme: str) -> None:
    with opened(browser, painted.map, size, color_scheme=scheme) as page:
        page.locator("#ring").focus()
        page.keyboard.press("ArrowLeft")
        assert barriers(page, axe) == []
        page.get_by_label("Find a work").fill("no such work")
        assert barriers(page, axe) == []
        page.get_by_role("button", name="List").click()
        assert barriers(page, axe) == []


@pytest.mark.parametrize("kind", ["recommendations", "map"])
def test_pages_of_words_alone(browser: Browser, hostile: Pages, axe: str, size: Size, kind: str) -> None:
    with opened(browser, getattr(hostile, kind), size) as page:
        assert barriers(page, axe) == []
