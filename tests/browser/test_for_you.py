"""For you in a browser: the first paper's flow by mouse, keyboard, on a phone and without scripts; ratings that stay."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Pages
from tests.browser.test_accessibility import barriers
from tests.browser.test_study import window
from tests.browser.watching import DESK, PHONE, overflow
from tests.pages.reading import HOSTILE
from tests.web.serving import run_command, served

Size = tuple[int, int]
PLACE = "vernissage /for-you"


@pytest.fixture(scope="module")
def address(painted: Pages) -> Iterator[str]:
    with served(painted.map.parent / "workspace", None) as (found, _):
        yield f"{found}/for-you"


def asked(page: Page) -> list[str]:
    """The names of the fields of the works to rate."""
    stars = page.locator("[data-part=ask] .stars").all()
    return [str(each.locator("input").first.get_attribute("name")) for each in stars]


def rate(page: Page, number: int, stars: int) -> None:
    """Press a star of a work, and wait for the list."""
    page.locator("[data-part=ask] .stars").nth(number).locator("label").nth(stars - 1).click()
    settled(page)


def settled(page: Page) -> None:
    expect(page.locator("[data-part=list]")).to_be_visible()
    expect(page.locator("[data-part=list][aria-busy=true]")).to_have_count(0)


def listed(page: Page) -> list[str]:
    """The addresses of the recommended works."""
    links = page.locator("[data-part=list] .work > a").all()
    return [str(each.get_attribute("href")) for each in links]


def kept_here(page: Page) -> dict[str, str]:
    """What the browser keeps."""
    found: dict[str, str] = json.loads(page.evaluate("(place) => localStorage.getItem(place) ?? '{}'", PLACE))
    return found


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_nine_ratings_by_mouse_lead_to_works(browser: Browser, address: str, size: Size) -> None:
    with window(browser, size) as page:
        page.goto(address)
        names = asked(page)
        assert len(set(names)) == 9
        for number in range(9):
            rate(page, number, 5 if number < 3 else 2)
            assert len(listed(page)) == min(9, 11 - number)  # there are twelve works
        assert kept_here(page) == {name: "5" if number < 3 else "2" for number, name in enumerate(names)}
        expect(page.locator("[data-part=list] .reasons").first).to_contain_text("Because you liked “")
        assert overflow(page) <= 0
        why = page.locator("[data-part=list] .why").first
        page.get_by_role("button", name="Why?").first.click()
        expect(why).to_be_visible()
        expect(why).to_contain_text("5 of 5")
        page.keyboard.press("Escape")
        expect(why).to_be_hidden()


def test_the_keyboard_alone_rates_keeps_hides_and_undoes(browser: Browser, address: str) -> None:
    with window(browser, DESK) as page:
        page.goto(address)
        first = page.locator("[data-part=ask] input").first
        for _ in range(30):
            page.keyboard.press("Tab")
            if first.evaluate("input => input === document.activeElement"):
                break
        page.keyboard.press("Space")
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        settled(page)
        name = asked(page)[0]
        expect(page.locator(f"[name='{name}'][value='5']").first).to_be_focused()
        assert kept_here(page) == {name: "5"}
        before = listed(page)
        for word, field in (("Keep", "keep."), ("Hide", "hide.")):
            button = page.get_by_role("button", name=word).first
            button.focus()
            page.keyboard.press("Enter")
            expect(page.get_by_role("status")).not_to_be_empty()
            settled(page)
            assert any(each.startswith(field) for each in kept_here(page))
            assert page.evaluate("document.activeElement.closest('form') !== null")
        assert before[0] not in listed(page)
        for _ in range(2):
            page.get_by_role("button", name="Undo").press("Enter")
            settled(page)
        assert kept_here(page) == {name: "5"}
        assert listed(page) == before
        page.get_by_role("button", name="Undo").press("Enter")
        expect(page.locator("[data-part=list]")).to_be_hidden()


def test_without_scripts_the_form_does_the_same(browser: Browser, address: str) -> None:
    with window(browser, PHONE, java_script_enabled=False) as page:
        page.goto(address)
        for number, stars in ((0, 5), (1, 1)):
            page.locator("[data-part=ask] .stars").nth(number).locator("label").nth(stars - 1).click()
        page.get_by_role("button", name="Show what suits me").click()
        found = listed(page)
        assert found
        page.get_by_role("button", name="Hide").first.click()
        assert found[0] not in listed(page)
        page.get_by_text("Hidden works: 1").click()
        page.get_by_role("button", name="Show again").click()
        assert listed(page) == found
        page.locator("[data-part=ask] .stars").nth(2).locator("label").nth(3).click()
        page.get_by_role("button", name="Show what suits me").click()
        expect(page.get_by_text("Your ratings: 3")).to_be_visible()
        page.get_by_role("button", name="Why?").first.click()
        expect(page.locator(".why").first).to_be_visible()


def test_ratings_outlive_reloading_other_tabs_and_the_back_button(browser: Browser, address: str) -> None:
    with window(browser, DESK) as page:
        page.goto(address)
        rate(page, 0, 5)
        found = listed(page)
        page.reload()
        settled(page)
        assert listed(page) == found
        other = page.context.new_page()
        other.goto(address)
        settled(other)
        rate(other, 1, 4)
        expect(page.locator("[data-part=ask] .stars").nth(1).locator("input").nth(3)).to_be_checked()
        rate(page, 2, 1)
        assert len(kept_here(page)) == 3  # neither tab took away what the other one had
        page.locator("[data-part=list] .work > a").first.click()
        page.go_back()
        settled(page)
        assert len(kept_here(page)) == 3
        expect(page.locator("[data-part=ask] .stars").nth(1).locator("input").nth(3)).to_be_checked()
        page.get_by_role("link", name="Clear all").click()
        expect(page.locator("[data-part=list]")).to_be_hidden()
        assert kept_here(page) == {}
        page.get_by_role("button", name="Undo").click()
        settled(page)
        assert len(kept_here(page)) == 3


def test_a_shared_link_takes_nothing_away_unasked(browser: Browser, address: str) -> None:
    with window(browser, DESK) as page:
        page.goto(address)
        one, other, *_ = asked(page)
        link = f"{address}?{one}=5&r.nobody=5&{HOSTILE}=1"
        page.goto(link)
        settled(page)
        assert kept_here(page) == {}
        page.goto(address)
        rate(page, 1, 4)
        page.goto(link)
        expect(page.get_by_text("These ratings came with a link")).to_be_visible()
        expect(
            page.get_by_text(
                "One rating was left out: it is of a work that is not in this collection, or is not from 1 to 5."
            )
        ).to_be_visible()
        assert kept_here(page) == {other: "4"}
        page.get_by_role("button", name="Back to mine").click()
        settled(page)
        expect(page.locator(f"[name='{other}'][value='4']").first).to_be_checked()
        assert urlsplit(page.url).query == ""
        page.goto(link)
        page.get_by_role("button", name="Take these instead").click()
        settled(page)
        assert kept_here(page)[one] == "5"
        assert other not in kept_here(page)
        page.get_by_role("button", name="Undo").click()
        settled(page)
        assert kept_here(page) == {other: "4"}


def test_where_nothing_may_be_stored_and_nothing_answers_nothing_is_lost(browser: Browser, address: str) -> None:
    with browser.new_context() as context:  # whose console tells of the request that fails
        page = context.new_page()
        page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full') };")
        page.goto(address)
        rate(page, 0, 5)
        assert "=5" in urlsplit(page.url).query
        page.route("**/for-you", lambda route: route.abort())
        page.locator("[data-part=ask] .stars").nth(1).locator("label").nth(3).click()
        expect(page.get_by_role("status")).to_contain_text("nothing that you rated is lost")
        page.unroute("**/for-you")
        page.get_by_role("button", name="Try again").click()
        settled(page)
        expect(page.get_by_text("Your ratings: 2")).to_be_visible()
        page.reload()
        settled(page)
        expect(page.get_by_text("Your ratings: 2")).to_be_visible()


# Two kinds of window that differ in all: nothing here hangs on two of these together.
@pytest.mark.parametrize(("size", "scheme", "language"), [(DESK, "light", "en"), (PHONE, "dark", "de")])
def test_no_barriers(browser: Browser, address: str, axe: str, size: Size, scheme: str, language: str) -> None:
    # axe is put in by the test, which the page's policy would refuse.
    with window(browser, size, color_scheme=scheme, bypass_csp=True) as page:
        page.goto(f"{address}?lang={language}")
        assert barriers(page, axe) == []
        rate(page, 0, 5)
        page.locator("[data-part=list] [aria-pressed]").first.click()
        settled(page)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        page.locator(".told").first.evaluate("told => { told.hidden = true; }")
        assert barriers(page, axe) == []
        page.locator("[popovertarget]").first.click()
        # What it covers is no target while it is open.
        assert [each for each in barriers(page, axe) if each[0] != "target-size"] == []


def test_hostile_works_are_text_and_small_ones_are_not_enlarged(browser: Browser, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    lines = ["id,title,artist,description,image"]
    for number in range(12):
        Image.new("RGB", (60 + number, 40), (20 * number, 90, 120)).save(gallery / f"{number}.png")
        quoted = HOSTILE.replace('"', '""')
        lines.append(f'"w{number}","{quoted}{number}","{quoted}","{quoted} sea {number}",{number}.png')
    (gallery / "metadata.csv").write_text("\n".join(lines), "utf-8")
    run_command("build", gallery, "-o", tmp_path / "workspace")
    with served(tmp_path / "workspace", None) as (found, _), window(browser, PHONE) as page:
        page.goto(f"{found}/for-you")
        rate(page, 0, 5)
        expect(page.locator("[data-part=list] .title").first).to_contain_text("</script>")
        wide = page.locator("[data-part=list] img").evaluate_all(
            "images => images.map((image) => [image.getBoundingClientRect().width, image.naturalWidth])"
        )
        assert wide
        assert all(shown <= natural for shown, natural in wide)
        assert overflow(page) <= 0
