"""The map in a browser: pointer, keys, legend and search do what they say, and a drawing stands in without scripts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Pages
from tests.browser.watching import DESK, PHONE, middle, opened, overflow, two_frames

from vernissage.pages.groups import LIGHT

Size = tuple[int, int]
_COLOURS = """(wanted) => {
  const canvas = document.getElementById("canvas"), copy = document.createElement("canvas"), found = new Map();
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const pixels = new Uint32Array(pen.getImageData(0, 0, copy.width, copy.height).data.buffer);
  for (const pixel of pixels) if (pixel >>> 24 === 255) found.set(pixel, (found.get(pixel) || 0) + 1);
  const number = (hex) => (255 * 2 ** 24) + parseInt(hex.slice(5) + hex.slice(3, 5) + hex.slice(1, 3), 16);
  return [found.size, wanted.map((hex) => [hex, found.get(number(hex)) || 0])];
}"""


@dataclass(frozen=True)
class Works:
    """What the page's data says of the works, and where each stands in the window while the whole map is shown."""

    titles: list[str]
    groups: list[str]
    places: Any

    def said(self, page: Page) -> int:
        """The work that the focusable ring stands for."""
        label = page.locator("#ring").get_attribute("aria-label") or ""
        (work,) = [n for n, title in enumerate(self.titles) if label.startswith(title) and self.groups[n] in label]
        return work

    def loneliest(self) -> int:
        """The work whose nearest neighbour is farthest."""
        apart = np.linalg.norm(self.places[:, None] - self.places[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        return int(apart.min(axis=1).argmax())


def works_of(page: Page) -> Works:
    data = json.loads(page.locator("#works").text_content() or "")
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = min(box["width"] / data["width"], box["height"] / data["height"])
    raw = np.array([data["x"], data["y"]]).T
    corner = (
        box["x"] + (box["width"] - data["width"] * scale) / 2,
        box["y"] + (box["height"] - data["height"] * scale) / 2,
    )
    return Works(data["titles"], [data["names"][each] for each in data["name"]], raw * scale + corner)


def focus_ring(page: Page) -> None:
    """Go to the map by keyboard alone."""
    ring = page.locator("#ring")
    for _ in range(20):
        page.keyboard.press("Tab")
        if ring.evaluate("ring => ring === document.activeElement"):
            break
    expect(ring).to_be_focused()
    two_frames(page)


@dataclass(frozen=True)
class Colours:
    """How many opaque colours the canvas shows, and how many pixels have exactly the colour of each group."""

    number: int
    of_groups: dict[str, int]


def colours(page: Page) -> Colours:
    page.evaluate("Promise.all([...document.querySelectorAll('.sheet')].map((sheet) => sheet.decode()))")
    two_frames(page)
    number, of_groups = page.evaluate(_COLOURS, list(LIGHT))
    return Colours(number, dict(of_groups))


def test_the_map_is_painted_with_its_pictures(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        for sheet in page.locator(".sheet").all():
            assert sheet.evaluate("image => image.complete && image.naturalWidth") > 100
        expect(page.locator("#canvas")).to_be_in_viewport(ratio=0.9)
        groups = len(set(works_of(page).groups))
        with_pictures = colours(page)
        assert with_pictures.number > 1000
        assert all(with_pictures.of_groups[colour] for colour in LIGHT[:groups])
        page.get_by_role("button", name="Pictures").click()
        assert colours(page).number < 600
        assert overflow(page) == 0


@pytest.mark.parametrize("width", [320, 768, 2560])
def test_nothing_is_cut_off_at_any_width(browser: Browser, painted: Pages, width: int) -> None:
    with opened(browser, painted.map, (width, 800)) as page:
        two_frames(page)
        assert overflow(page) == 0


def test_hovering_shows_the_work_and_leaving_hides_it(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        works = works_of(page)
        work = works.loneliest()
        card = page.locator("#card")
        expect(card).to_be_hidden()
        page.mouse.move(*works.places[work])
        expect(card).to_be_visible()
        expect(card.locator(".title")).to_have_text(works.titles[work])
        expect(card.locator("#group")).to_have_text(works.groups[work])
        expect(card.locator("canvas")).to_be_visible()
        page.mouse.move(*middle(page.locator("h1")))
        expect(card).to_be_hidden()


def test_a_tap_keeps_the_label_open(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map, PHONE, has_touch=True, is_mobile=True) as page:
        works = works_of(page)
        work = works.loneliest()
        page.touchscreen.tap(*works.places[work])
        expect(page.locator("#card .title")).to_have_text(works.titles[work])
        expect(page.locator("#card")).to_be_in_viewport(ratio=0.99)
        assert overflow(page) == 0
        page.locator("#reset").tap()
        expect(page.locator("#card")).to_be_visible()


def test_focus_shows_the_work_and_escape_closes_its_label(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        works = works_of(page)
        focus_ring(page)
        card = page.locator("#card")
        expect(card.locator(".title")).to_have_text(works.titles[works.said(page)])
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()
        page.keyboard.press("Enter")
        expect(card).to_be_visible()
        page.keyboard.press("Tab")
        expect(card).to_be_visible()
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()


@pytest.mark.parametrize(
    ("key", "back", "way"), [("ArrowRight", "ArrowLeft", (1, 0)), ("ArrowDown", "ArrowUp", (0, 1))]
)
def test_arrows_go_to_a_work_that_way(browser: Browser, painted: Pages, key: str, back: str, way: Size) -> None:
    with opened(browser, painted.map) as page:
        works = works_of(page)
        focus_ring(page)
        for pressed, sign in ((back, -1), (key, 1)):
            for _ in works.titles:
                before = works.said(page)
                page.keyboard.press(pressed)
                if works.said(page) == before:
                    break
                step = works.places[works.said(page)] - works.places[before]
                along = sign * float(step @ way)
                assert along >= np.abs(step).max() - 0.01
            expect(page.locator("#said")).to_have_text("No work further this way")


def test_page_keys_pass_every_work(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        works = works_of(page)
        focus_ring(page)
        for _ in works.titles:
            page.keyboard.press("PageUp")
        met = [works.said(page)]
        for _ in works.titles[1:]:
            page.keyboard.press("PageDown")
            met.append(works.said(page))
        assert met == list(range(len(works.titles)))


def test_the_legend_hides_and_shows_groups(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        page.get_by_role("button", name="Pictures").click()
        entry = page.get_by_role("list").get_by_role("button").first
        expect(entry).to_have_attribute("aria-pressed", "true")
        assert colours(page).of_groups[LIGHT[0]] > 10
        entry.click()
        expect(entry).to_have_attribute("aria-pressed", "false")
        assert colours(page).of_groups[LIGHT[0]] == 0
        page.get_by_label("Find").fill(entry.locator(".word").inner_text())
        expect(page.locator("#found")).to_have_text("0 found")
        page.get_by_label("Find").fill("")
        entry.press("Space")
        expect(entry).to_have_attribute("aria-pressed", "true")
        assert colours(page).of_groups[LIGHT[0]] > 10
        page.get_by_role("button", name="Hide all").click()
        assert colours(page).number == 0
        page.get_by_role("button", name="Show all").click()
        assert colours(page).of_groups[LIGHT[1]] > 10


def test_buttons_zoom_about_the_middle_and_reset(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        ring, centre = page.locator("#ring"), np.array(middle(page.locator("#canvas")))
        two_frames(page)
        start = np.array(middle(ring)) - centre
        for button, factor in (("Zoom in", 1.5), ("Zoom in", 2.25), ("Zoom out", 1.5)):
            page.get_by_role("button", name=button).click()
            two_frames(page)
            assert np.array(middle(ring)) - centre == pytest.approx(factor * start, abs=0.5)
        page.get_by_role("button", name="Reset").click()
        two_frames(page)
        assert np.array(middle(ring)) - centre == pytest.approx(start, abs=0.5)


def test_the_wheel_keeps_what_is_under_the_pointer(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        works = works_of(page)
        work = works.loneliest()
        page.mouse.move(*works.places[work])
        for _ in range(3):
            page.mouse.wheel(0, -300)
            two_frames(page)
        expect(page.locator("#card .title")).to_have_text(works.titles[work])
        page.mouse.click(*works.places[work])
        two_frames(page)
        assert works.said(page) == work
        assert np.array(middle(page.locator("#ring"))) == pytest.approx(works.places[work], abs=4)


def test_shift_with_arrows_and_dragging_move_the_map(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        ring = page.locator("#ring")
        focus_ring(page)
        start = np.array(middle(ring))
        page.keyboard.press("Shift+ArrowRight")
        two_frames(page)
        assert np.array(middle(ring)) - start == pytest.approx((-80, 0), abs=0.1)
        page.keyboard.press("Shift+ArrowUp")
        two_frames(page)
        assert np.array(middle(ring)) - start == pytest.approx((-80, 80), abs=0.1)
        x, y = middle(page.locator("#canvas"))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 80, y - 80, steps=4)
        page.mouse.up()
        two_frames(page)
        assert np.array(middle(ring)) - start == pytest.approx((0, 0), abs=0.1)


def test_find_names_how_many_and_leads_to_the_work(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        works = works_of(page)
        wanted = works.loneliest()
        field = page.get_by_label("Find")
        field.fill(works.titles[wanted].upper())
        expect(page.locator("#found")).to_have_text("1 found")
        field.press("Enter")
        expect(page.locator("#ring")).to_be_focused()
        assert works.said(page) == wanted
        field.fill("no such work")
        expect(page.locator("#found")).to_have_text("0 found")
        field.press("Enter")
        expect(field).to_be_focused()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_without_scripts_there_is_a_drawing_with_its_legend(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size, java_script_enabled=False) as page:
        drawing = page.get_by_role("img", name="map of 12 works")
        expect(drawing).to_be_visible()
        assert (drawing.bounding_box() or {})["width"] > 300
        for hidden in ("#tools", "#live", "#keys"):
            expect(page.locator(hidden)).to_be_hidden()
        for entry in page.locator(".entry").all():
            expect(entry).to_be_visible()
        assert page.get_by_role("button").count() == 0
        assert overflow(page) == 0


def test_a_map_too_full_for_pictures_says_how_to_see_them(browser: Browser, crowded: Path) -> None:
    with opened(browser, crowded, PHONE) as page:
        two_frames(page)
        hint = page.get_by_text("Zoom in to see pictures")
        expect(hint).to_be_visible()
        for _ in range(4):
            page.get_by_role("button", name="Zoom in").click()
        expect(hint).to_be_hidden()
        page.get_by_role("button", name="Reset").click()
        expect(hint).to_be_visible()
        page.get_by_role("button", name="Pictures").click()
        expect(hint).to_be_hidden()


def test_the_map_follows_the_window(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        two_frames(page)
        works = works_of(page)
        ring = page.locator("#ring")
        two_frames(page)
        assert np.array(middle(ring)) == pytest.approx(works.places[works.said(page)], abs=0.6)
        assert overflow(page) == 0
