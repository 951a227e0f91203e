"""The recommendation page in a browser: it shows everything, enlarges pictures, and works without scripts."""

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Pages
from tests.browser.watching import PHONE, opened, overflow

Size = tuple[int, int]


def alone(page: Page, size: Size) -> bool:
    """Whether one enlarged picture covers the window."""
    box = page.locator(".picture:target").bounding_box()
    return box is not None and (box["x"], box["y"], box["width"], box["height"]) == (0, 0, *size)


def test_every_picture_is_loaded_and_seen(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.recommendations, size) as page:
        assert page.locator(".wall .picture img").count() == 9
        assert page.locator(".rated img").count() == 3
        for image in page.locator("img").all():
            expect(image).to_be_visible()
            assert image.evaluate("image => image.complete && image.naturalWidth") > 100
        assert overflow(page) == 0


@pytest.mark.parametrize("width", [320, 390, 768, 1440, 2560])
def test_nothing_is_cut_off_at_any_width_with_everything_unfolded(browser: Browser, painted: Pages, width: int) -> None:
    with opened(browser, painted.recommendations, (width, 800)) as page:
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.locator("details[open]").count() >= 18
        assert overflow(page) == 0


def test_a_click_enlarges_a_picture_and_escape_brings_the_place_back(
    browser: Browser, painted: Pages, size: Size
) -> None:
    with opened(browser, painted.recommendations, size) as page:
        link = page.locator(".open").nth(5)
        link.scroll_into_view_if_needed()
        before = page.evaluate("window.scrollY")
        small = link.locator("img").bounding_box()
        link.click()
        assert alone(page, size)
        large = page.locator(".picture:target img").bounding_box()
        assert small is not None
        assert large is not None
        assert large["width"] * large["height"] > small["width"] * small["height"] * (1 if size == PHONE else 1.5)
        assert large["x"] >= 0
        assert large["y"] >= 0
        assert large["x"] + large["width"] <= size[0]
        assert large["y"] + large["height"] <= size[1]
        page.keyboard.press("Escape")
        expect(page.locator(".picture:target")).to_have_count(0)
        assert page.evaluate("window.scrollY") == before
        expect(link).to_be_focused()


def test_a_click_on_close_or_beside_the_picture_closes_it(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.recommendations, size) as page:
        for place in ({"x": size[0] - 30, "y": 30}, {"x": 10, "y": size[1] / 2}):
            page.locator(".open").first.click()
            assert alone(page, size)
            page.mouse.click(**place)
            expect(page.locator(".picture:target")).to_have_count(0)


def test_the_keyboard_alone_enlarges_and_cannot_get_lost_behind(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.recommendations) as page:
        link = page.locator(".open").first
        for _ in range(20):
            page.keyboard.press("Tab")
            if link.evaluate("link => link === document.activeElement"):
                break
        expect(link).to_be_focused()
        page.keyboard.press("Enter")
        close = page.locator(".picture:target .close")
        expect(close).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        assert page.locator(".picture:target").evaluate("picture => picture.contains(document.activeElement)")
        page.keyboard.press("Escape")
        expect(link).to_be_focused()
        link.press("Enter")
        close.press("Enter")
        expect(link).to_be_focused()


def test_reasons_lead_to_the_rated_work_and_unfold(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.recommendations, PHONE) as page:
        label = page.locator(".label").first
        label.get_by_text("Why, in numbers").click()
        table = label.get_by_role("table").first
        expect(table).to_be_visible()
        parts = [float(text.replace("−", "-")) for text in table.locator("tbody td:last-child").all_inner_texts()]
        assert sum(parts) == pytest.approx(float(table.locator("tfoot td").inner_text().replace("−", "-")), abs=1e-9)
        link = label.locator(".parts a").first
        named = link.inner_text()
        link.click()
        target = page.locator(".rated > :target")
        expect(target).to_be_in_viewport()
        assert target.locator(".name").inner_text() == named


def test_without_scripts_a_picture_still_grows_and_shrinks(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.recommendations, size, java_script_enabled=False) as page:
        page.locator(".open").first.click()
        assert alone(page, size)
        page.locator(".picture:target .close").click()
        expect(page.locator(".picture:target")).to_have_count(0)
        expect(page.locator(".open").first).to_be_in_viewport()


def test_on_paper_two_works_stand_side_by_side(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.recommendations, (794, 1123)) as page:
        page.emulate_media(media="print")
        first, second = (page.locator(".work").nth(number).bounding_box() for number in (0, 1))
        assert first is not None
        assert second is not None
        assert first["y"] == second["y"]
        assert first["x"] + first["width"] <= second["x"]
        assert overflow(page) == 0
