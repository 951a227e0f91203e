"""The map in a browser: pointer, keys, groups and search do what they say, and lists stand in without scripts."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Pages
from tests.browser.watching import DESK, PHONE, middle, opened, overflow, two_frames

Size = tuple[int, int]
_RECTANGLES = """() => [...document.querySelectorAll("#names span")]
  .filter((each) => each.style.visibility === "visible").map((each) => each.getBoundingClientRect().toJSON())"""


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


def works_of(page: Page) -> Works:
    data = json.loads(page.locator("#works").text_content() or "")
    box = page.locator("#stage").bounding_box()
    inner = page.locator("#stage").evaluate("stage => [stage.clientWidth, stage.clientHeight]")
    assert box is not None
    size = np.array(data["size"]) * data["cell"]
    scale = min((np.array(inner) - 16) / size)
    cells = (np.array([data["x"], data["y"]]).T + 0.5) * data["cell"]
    corner = np.array([box["x"], box["y"] + 1]) + (np.array(inner) - size * min(scale, 1)) / 2
    groups = [*data["groups"], ""]
    return Works(data["titles"], [groups[each] for each in data["group"]], cells * min(scale, 1) + corner)


def rest(page: Page) -> None:
    """Wait until nothing moves any more and all tiles are there."""
    two_frames(page)
    expect(page.locator(".stage.moving")).to_have_count(0)


def focus_ring(page: Page) -> None:
    """Go to the map by keyboard alone."""
    page.get_by_label("Find a work").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#ring")).to_be_focused()
    rest(page)


def scale_of(page: Page) -> float:
    """Pixels of the window to one of the map, by the veil, which lies as the map does."""
    rest(page)
    found = re.search(r"scale\(([\d.]+)\)", page.locator("#veil").get_attribute("style") or "")
    assert found is not None
    return float(found[1])


def test_the_whole_map_is_shown_with_its_pictures(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        expect(page.locator("#stage")).to_be_in_viewport(ratio=0.9)
        expect(page.locator("#list")).to_be_hidden()
        rest(page)
        tiles = page.locator("#tiles .plane:not([hidden]) img")
        assert tiles.count() >= 1
        assert all(tile.evaluate("image => image.complete && image.naturalWidth") > 100 for tile in tiles.all())
        assert overflow(page) <= 0


@pytest.mark.parametrize("width", [320, 768, 2560])
def test_nothing_is_cut_off_at_any_width(browser: Browser, painted: Pages, width: int) -> None:
    with opened(browser, painted.map, (width, 800)) as page:
        rest(page)
        assert overflow(page) <= 0


def test_hovering_shows_the_work_and_leaving_hides_it(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        rest(page)
        works, card = works_of(page), page.locator("#card")
        expect(card).to_be_hidden()
        page.mouse.move(*works.places[3])
        expect(card.locator("#title")).to_have_text(works.titles[3])
        expect(card.locator("#group")).to_have_text(works.groups[3])
        expect(card.locator("img")).to_be_visible()
        page.mouse.move(*middle(page.get_by_label("Find a work")))
        expect(card).to_be_hidden()


def test_a_tap_keeps_the_card_open(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map, PHONE, has_touch=True, is_mobile=True) as page:
        rest(page)
        works = works_of(page)
        page.touchscreen.tap(*works.places[5])
        expect(page.locator("#card #title")).to_have_text(works.titles[5])
        expect(page.locator("#card")).to_be_in_viewport(ratio=0.99)
        page.get_by_role("button", name="Show the whole map").tap()
        expect(page.locator("#card")).to_be_visible()
        assert overflow(page) <= 0


def test_focus_shows_the_work_and_escape_closes_its_card(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        rest(page)
        works = works_of(page)
        focus_ring(page)
        expect(page.locator("#title")).to_have_text(works.titles[works.said(page)])
        page.keyboard.press("Escape")
        expect(page.locator("#card")).to_be_hidden()


@pytest.mark.parametrize(
    ("key", "back", "way"), [("ArrowRight", "ArrowLeft", (1, 0)), ("ArrowDown", "ArrowUp", (0, 1))]
)
def test_arrows_go_to_a_work_that_way(browser: Browser, painted: Pages, key: str, back: str, way: Size) -> None:
    with opened(browser, painted.map) as page:
        rest(page)
        works = works_of(page)
        focus_ring(page)
        for pressed, sign in ((back, -1), (key, 1)):
            for _ in works.titles:
                before = works.said(page)
                page.keyboard.press(pressed)
                if works.said(page) == before:
                    break
                step = works.places[works.said(page)] - works.places[before]
                assert sign * float(step @ way) >= np.abs(step).max() - 0.01
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


def test_a_group_leaves_out_all_others(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        rest(page)
        works, choice = works_of(page), page.get_by_label("Group")
        expect(page.locator("#veil")).to_be_hidden()
        choice.select_option(index=1)
        expect(page.locator("#veil")).to_be_visible()
        name = works.groups[works.said(page)]
        assert choice.locator("option:checked").inner_text() == f"{name} ({works.groups.count(name)})"
        expect(page.locator("#found")).to_have_text(f"Found: {works.groups.count(name)}")
        focus_ring(page)
        for _ in works.titles:
            page.keyboard.press("PageDown")
            assert works.groups[works.said(page)] == name
        choice.select_option(index=0)
        expect(page.locator("#veil")).to_be_hidden()


_ZOOMS: dict[str, Callable[[Page], object]] = {
    "button": lambda page: page.get_by_role("button", name="Zoom in").click(),
    "key": lambda page: page.keyboard.press("+"),
    "wheel": lambda page: page.mouse.wheel(0, -203),
    "double click": lambda page: page.mouse.dblclick(*middle(page.locator("#stage"))),
}


@pytest.mark.parametrize("name", list(_ZOOMS))
def test_zooming_and_back(browser: Browser, painted: Pages, name: str) -> None:
    with opened(browser, painted.map, reduced_motion="reduce") as page:
        focus_ring(page)
        start = scale_of(page)
        page.mouse.move(*middle(page.locator("#stage")))
        _ZOOMS[name](page)
        assert scale_of(page) / start == pytest.approx(2 if name == "double click" else 1.5, rel=0.02)
        page.locator("#ring").focus()
        page.keyboard.press("0")
        assert scale_of(page) == pytest.approx(start)


def test_the_wheel_keeps_what_is_under_the_pointer(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        rest(page)
        works = works_of(page)
        page.mouse.move(*works.places[4])
        for _ in range(3):
            page.mouse.wheel(0, -200)
        rest(page)
        page.mouse.click(*works.places[4])
        assert works.said(page) == 4
        rest(page)
        assert np.array(middle(page.locator("#ring"))) == pytest.approx(works.places[4], abs=4)


def test_two_fingers_zoom(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map, PHONE, has_touch=True, is_mobile=True) as page:
        start = scale_of(page)
        x, y = middle(page.locator("#stage"))
        send = page.context.new_cdp_session(page).send
        for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", 0)):
            points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
            send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        assert scale_of(page) / start == pytest.approx(2, rel=0.02)
        assert page.evaluate("visualViewport.scale") == 1


def test_shift_with_arrows_and_dragging_move_the_map(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        ring = page.locator("#ring")
        focus_ring(page)
        start = np.array(middle(ring))
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
        rest(page)
        assert np.array(middle(ring)) - start == pytest.approx((-80, 80), abs=0.1)
        x, y = middle(page.locator("#stage"))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 80, y - 80, steps=4)
        page.mouse.up()
        rest(page)
        moved = np.array(middle(ring)) - start
        assert np.abs(moved).max() <= 25  # the first pixels tell a drag from a click


def test_find_names_how_many_and_leads_to_the_work(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        works, field = works_of(page), page.get_by_label("Find a work")
        field.fill(works.titles[7].upper())
        expect(page.locator("#found")).to_have_text("Found: 1")
        field.press("Enter")
        expect(page.locator("#title")).to_have_text(works.titles[7])
        expect(page.locator("#card")).to_be_in_viewport(ratio=0.9)
        assert works.said(page) == 7
        field.fill("no such work")
        expect(page.locator("#found")).to_have_text("Found: 0")
        expect(page.locator("#card")).to_be_hidden()


def test_names_of_groups_never_lie_over_each_other(browser: Browser, crowded: Path) -> None:
    with opened(browser, crowded, reduced_motion="reduce") as page:
        met = 0
        for _ in range(6):
            rest(page)
            boxes = page.evaluate(_RECTANGLES)
            met += len(boxes)
            for number, one in enumerate(boxes):
                for other in boxes[:number]:
                    apart = one["right"] <= other["left"] or other["right"] <= one["left"]
                    assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
            page.get_by_role("button", name="Zoom in").click()
        assert met > 12


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_without_scripts_the_lists_are_there(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size, java_script_enabled=False) as page:
        works = works_of_lists(page)
        assert len(works) == 12
        expect(page.locator("#stage")).to_be_hidden()
        assert page.get_by_role("button").count() == 0
        assert overflow(page) <= 0


def works_of_lists(page: Page) -> list[str]:
    return [each for each in page.locator(".twin li").all_inner_texts() if each]


def test_list_and_map_change_places(browser: Browser, painted: Pages, size: Size) -> None:
    with opened(browser, painted.map, size) as page:
        rest(page)
        page.get_by_role("button", name="List").click()
        expect(page.locator("#stage")).to_be_hidden()
        assert len(works_of_lists(page)) == 12
        page.get_by_role("button", name="Map", exact=True).click()
        expect(page.locator("#stage")).to_be_visible()
        expect(page.locator("#list")).to_be_hidden()


def test_the_map_follows_the_window(browser: Browser, painted: Pages) -> None:
    with opened(browser, painted.map) as page:
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        rest(page)
        works = works_of(page)
        rest(page)
        assert np.array(middle(page.locator("#ring"))) == pytest.approx(works.places[works.said(page)], abs=2)
        assert overflow(page) <= 0
