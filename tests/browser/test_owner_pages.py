"""The pages of areas and of recommendations for a person: seen whole, reached by keyboard, safe, without barriers."""

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import OwnerPages
from tests.browser.test_accessibility import barriers
from tests.browser.watching import DESK, PHONE, opened, overflow

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
        assert overflow(page) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [320, 390, 768, 1440, 2560])
def test_nothing_is_cut_off_at_any_width(browser: Browser, owners_pages: OwnerPages, kind: str, width: int) -> None:
    with opened(browser, getattr(owners_pages, kind), (width, 800)) as page:
        assert overflow(page) == 0
        for image in page.locator("img").all():
            assert image.evaluate("image => image.complete && image.naturalWidth") > 20


def test_areas_hang_side_by_side_and_say_what_they_are(browser: Browser, owners_pages: OwnerPages) -> None:
    with opened(browser, owners_pages.areas, DESK) as page:
        assert page.locator(".area").count() == 4
        assert page.locator(".area").first.locator("img").count() == 8
        names = page.get_by_role("heading", level=3).all_inner_texts()
        assert [name.split()[-1] for name in names] == ["image:1", "image:2", "text:1", "text:2"]
        first, second = (page.locator(".thumbs li").nth(number).bounding_box() for number in (0, 1))
        assert first is not None
        assert second is not None
        assert first["x"] + first["width"] <= second["x"]


def test_a_reason_leads_to_its_area(browser: Browser, owners_pages: OwnerPages, size: Size) -> None:
    with opened(browser, owners_pages.recommendations, size) as page:
        assert page.locator(".wall > li").count() == 8
        link = page.locator(".because a").first
        name = link.inner_text()
        link.press("Enter")
        target = page.locator(".overview > :target")
        expect(target).to_be_in_viewport()
        assert target.locator(".name").inner_text() == name
        assert page.locator(".near li").count() >= 8


def test_a_picture_grows_and_escape_brings_the_place_back(browser: Browser, owners_pages: OwnerPages) -> None:
    with opened(browser, owners_pages.recommendations, PHONE) as page:
        link = page.locator(".open").nth(2)
        link.click()
        expect(page.locator(".picture:target")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.locator(".picture:target")).to_have_count(0)
        expect(link).to_be_focused()
