"""The pages of areas and of recommendations for a person: seen whole, reached by keyboard, safe, without barriers."""

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import OwnerPages
from tests.browser.test_accessibility import barriers
from tests.browser.watching import DESK, opened, overflow

Size = tuple[int, int]
KINDS = ["areas", "recommendations"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_there_are_no_barriers(
    browser: Browser, owners_pages: OwnerPages, axe: str, size: Size, scheme: str, kind: str
) -> None:
    with opened(browser, getattr(owners_pages, kind), size, color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert barriers(page, axe) == []


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_words_are_words(browser: Browser, hostile_owner: OwnerPages, axe: str, size: Size, kind: str) -> None:
    with opened(browser, getattr(hostile_owner, kind), size) as page:  # which sees to it that nothing runs or loads
        assert barriers(page, axe) == []
        assert "<script>alert(1)" in page.locator("h1").inner_text()
        assert overflow(page) <= 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [320, 1440])
def test_nothing_is_cut_off_at_any_width(browser: Browser, owners_pages: OwnerPages, kind: str, width: int) -> None:
    with opened(browser, getattr(owners_pages, kind), (width, 800)) as page:
        assert overflow(page) <= 0
        for image in page.locator("img").all():
            image.scroll_into_view_if_needed()  # pictures further down are decoded once they come near
            assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 20


def test_areas_say_what_they_are_and_are_reached_from_their_pictures(
    browser: Browser, owners_pages: OwnerPages
) -> None:
    with opened(browser, owners_pages.areas, DESK) as page:
        assert page.locator("section.area").count() == 4
        assert page.locator("section.area").first.locator(".things img").count() >= 8
        link = page.locator(".mine a").nth(2)
        name = link.locator(".title").inner_text()
        link.press("Enter")
        target = page.locator("section.area:target")
        expect(target).to_be_in_viewport()
        assert target.locator("h2").inner_text() == name


def test_a_work_shows_what_it_resembles(browser: Browser, owners_pages: OwnerPages, size: Size) -> None:
    with opened(browser, owners_pages.recommendations, size) as page:
        assert page.locator("section[aria-labelledby=all] .work").count() == 4
        assert page.locator("section[aria-labelledby=all] .because").count() == 4
