"""Pages for visitors over a served gallery: by mouse, by keys, on a telephone, without scripts, and for everybody."""

import gzip
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import Pages
from tests.browser.test_accessibility import barriers
from tests.browser.test_study import window
from tests.browser.watching import DESK, PHONE, overflow
from tests.web.serving import served

LARGEST_SCRIPTS, LARGEST_PAGE = 60_000, 150_000
"""Bytes, compressed, of the scripts of a page without the zoom, and of page, style sheet and scripts together."""


@pytest.fixture(scope="module")
def address(painted: Pages) -> Iterator[str]:
    with served(painted.map.parent / "workspace", None, "--requests-per-second", "1000") as (place, _):
        yield place


@pytest.mark.parametrize(("size", "scheme", "language"), [(DESK, "light", "en"), (PHONE, "dark", "de")])
def test_nobody_is_kept_out(
    browser: Browser, address: str, axe: str, size: tuple[int, int], scheme: str, language: str
) -> None:
    with window(browser, size, color_scheme=scheme, bypass_csp=True) as page:
        for path in (
            "/",
            "/?q=sea",
            "/?q=nothing-at-all&group=none",
            "/about",
            "/map",
            "/works/v001",
            f"/?sort={'x' * 30}",
        ):
            joined = "&" if "?" in path else "?"
            page.goto(f"{address}{path}{joined}lang={language}")
            assert barriers(page, axe) == [], path
            assert overflow(page) <= 0, path
        page.goto(f"{address}/?lang={language}")
        page.locator("[popovertarget=filters]").first.click()
        assert barriers(page, axe) == []


def test_a_visitor_filters_opens_a_work_and_looks_into_its_picture(browser: Browser, address: str) -> None:
    with window(browser, DESK) as page:
        page.goto(address)
        works = page.locator(".grid > .work")
        assert works.count() == 12
        page.get_by_role("button", name="Filter").click()
        page.locator("#by-group").select_option(index=1)
        expect(page.locator(".chips a")).to_have_count(1)
        assert 0 < works.count() < 12
        page.locator(".chips a").click()
        expect(works).to_have_count(12)
        works.first.click()
        expect(page.locator(".alike h2").first).to_be_visible()
        page.locator("a.zoom").first.click()
        view = page.locator(".zoomed .view")
        expect(view.locator("canvas").first).to_be_visible()
        page.keyboard.press("+")
        page.keyboard.press("ArrowLeft")
        page.get_by_role("button", name="All of it").click()
        page.keyboard.press("Escape")
        expect(page.locator(".zoomed")).to_be_hidden()


def test_keys_alone_lead_to_a_work_and_into_its_picture(browser: Browser, address: str) -> None:
    with window(browser, DESK) as page:
        page.goto(address)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator(".grid > .work a").first).to_be_focused()
        page.keyboard.press("Enter")
        link = page.locator("a.zoom").first
        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".zoomed .view")).to_be_focused()
        page.keyboard.press("Escape")
        expect(link).to_be_focused()


def test_pages_are_whole_without_scripts(browser: Browser, address: str) -> None:
    with window(browser, PHONE, java_script_enabled=False) as page:
        page.goto(address)
        page.locator("#q").fill("sea")
        page.keyboard.press("Enter")
        page.locator(".grid > .work a").first.click()
        picture = page.locator("a.zoom").first.get_attribute("href")
        assert picture is not None
        assert "/thumbnails/" in picture


@pytest.mark.parametrize("path", ["/", "/works/v001", "/about"])
def test_pages_are_light(browser: Browser, address: str, path: str) -> None:
    with window(browser, DESK) as page:
        sent: dict[str, int] = {}
        page.on("response", lambda each: sent.update({each.url: len(gzip.compress(each.body()))}))
        page.goto(f"{address}{path}")
        page.wait_for_load_state("networkidle")
    scripts = sum(size for url, size in sent.items() if url.endswith(".js"))
    texts = sum(size for url, size in sent.items() if "/thumbnails/" not in url)
    assert scripts < LARGEST_SCRIPTS
    assert texts < LARGEST_PAGE
    assert not [url for url in sent if not url.startswith(address)]


def test_no_picture_is_larger_than_it_is(browser: Browser, address: str) -> None:
    """In no window is a picture stretched, nor its proportions changed by more than a rounding."""
    with window(browser, (2560, 1440)) as page:
        for path in ("/", "/works/v001"):
            page.goto(f"{address}{path}")
            page.wait_for_load_state("networkidle")
            wrong = page.evaluate(
                "() => [...document.querySelectorAll('main img')].filter((each) => each.clientWidth > each.width + 1"
                " || each.clientWidth > Number(each.getAttribute('width')) + 1).map((each) => each.src)"
            )
            assert wrong == [], path
