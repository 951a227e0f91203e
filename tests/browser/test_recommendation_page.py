"""The file of recommendations in a browser: it shows everything, tells why, and runs nothing."""

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import Pages
from tests.browser.watching import PHONE, opened, overflow

Size = tuple[int, int]


def test_every_picture_is_loaded_and_seen(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.recommendations, size) as page:
        assert page.locator(".grid img").count() == 9
        assert page.locator(".strip img").count() == 3
        for image in page.locator("img").all():
            image.scroll_into_view_if_needed()
            expect(image).to_be_visible()
            assert image.evaluate("image => image.complete && image.naturalWidth") > 100
            assert image.evaluate("image => image.getBoundingClientRect().width - image.naturalWidth") <= 0.5
        assert overflow(page) <= 0


@pytest.mark.parametrize("width", [320, 390, 768, 1440, 2560])
def test_nothing_is_cut_off_at_any_width(browser: Browser, painted: Pages, width: int) -> None:
    with opened(browser, painted.recommendations, (width, 800)) as page:
        assert overflow(page) <= 0
        page.locator("[popovertarget]").first.click()
        box = page.locator(".why").first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scripts", [True, False])
def test_reasons_are_one_tap_away_and_add_up(browser: Browser, painted: Pages, *, scripts: bool) -> None:
    with opened(browser, painted.recommendations, PHONE, java_script_enabled=scripts) as page:
        page.get_by_role("button", name="Why?").first.click()
        table = page.locator(".why").first.get_by_role("table").first
        expect(table).to_be_visible()
        parts = [text.removesuffix(" %") for text in table.locator("td:last-child").all_inner_texts()]
        assert sum(abs(int(part.replace("−", "-"))) for part in parts) == pytest.approx(100, abs=len(parts))
        expect(table.get_by_text("3.5 of 5")).to_be_visible()
        page.keyboard.press("Escape")
        expect(table).to_be_hidden()
