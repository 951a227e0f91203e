"""*My areas* in a browser: uploads with progress, changes and their undoing, without scripts, by keys, for everybody."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect
from tests.browser.test_accessibility import barriers
from tests.browser.test_study import window
from tests.browser.watching import DESK, PHONE, overflow
from tests.pages.reading import HOSTILE
from tests.web.serving import served

PATIENCE = 30_000


@pytest.fixture(scope="module")
def address(owned: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gallery in which people may keep something."""
    workspace = Path(shutil.copytree(owned, tmp_path_factory.mktemp("areas") / "workspace"))
    with served(workspace, None, "--requests-per-second", "1000") as (found, _):
        yield f"{found}/areas"


@pytest.fixture(scope="module")
def pictures(owned: Path) -> list[Path]:
    return sorted((owned.parent / "gallery" / "images").iterdir())[:3]


def file(name: str, content: bytes, kind: str = "image/png") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def settled(page: Page) -> None:
    """Everything that was taken in has been looked at, and the page shows it."""
    expect(page.locator("section.area[id]").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#areas")).to_have_attribute("data-waiting", "0", timeout=PATIENCE)


def written(page: Page, address: str, *texts: str) -> None:
    """A visitor who has written what they like."""
    page.goto(address)
    for text in texts:
        if page.locator("[popovertarget=add]").count():
            page.locator("[popovertarget=add]").first.click()
        page.locator("#text").fill(text)
        if page.locator("[name=agree]").count():
            page.locator("[name=agree]").check()
        with page.expect_response(lambda answer: answer.url == page.url and answer.request.method == "GET"):
            page.locator("#adding button.first").click()
        expect(page.locator("#sending li")).to_have_count(0)
        page.keyboard.press("Escape")
    settled(page)


def test_pictures_are_sent_with_progress_and_a_word_on_each_and_become_areas(
    browser: Browser, address: str, pictures: list[Path], tmp_path: Path
) -> None:
    with window(browser, DESK) as page:
        page.goto(address)
        page.locator("#files").set_input_files(pictures)  # chosen, and sent only once they agree
        expect(page.locator("#sending li")).to_have_count(0)
        page.locator("[name=agree]").check()
        page.locator("#adding button.first").click()
        settled(page)
        assert page.locator(".things .bare img").count() == 3
        assert page.locator("section[aria-labelledby=all] .work").count() > 3
        page.locator("[popovertarget=add]").first.click()
        page.locator("#files").set_input_files([file("bad.png", b"no picture"), file("virus.exe", b"MZ")])
        expect(page.locator("#said")).to_contain_text("virus.exe: this kind of file is not taken", timeout=PATIENCE)
        expect(page.locator("#said")).to_contain_text("bad.png: it cannot be read")
        assert page.locator(".things .bare img").count() == 3
        huge = tmp_path / "huge.png"
        with huge.open("wb") as sparse:
            sparse.truncate(33 << 20)
        page.locator("#files").set_input_files(huge)
        expect(page.locator("#said")).to_contain_text("huge.png: it is larger than 32 MB", timeout=PATIENCE)


def test_files_can_be_dropped_anywhere(browser: Browser, address: str) -> None:
    target = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(target, "PNG")
    with window(browser, DESK) as page:
        written(page, address, "A ship near the harbour")
        content = list(target.getvalue())
        dropped = page.evaluate_handle(
            "content => { const data = new DataTransfer();"
            " data.items.add(new File([new Uint8Array(content)], 'sea.png', { type: 'image/png' })); return data; }",
            content,
        )
        page.dispatch_event("main", "drop", {"dataTransfer": dropped})
        expect(page.locator(".things .bare img")).to_have_count(1, timeout=PATIENCE)


def test_areas_are_changed_without_leaving_the_page_and_each_change_is_taken_back(
    browser: Browser, address: str
) -> None:
    with window(browser, DESK) as page:
        written(page, address, "A ship near the harbour", "A wave and a ship", "A rose near a hedge")
        area = page.locator("section.area").first
        area.get_by_role("button", name="Change").click()
        area.get_by_label("Name").fill(HOSTILE)
        area.get_by_role("button", name="Rename").click()
        expect(page.locator("#said")).to_contain_text("is called")
        expect(area.locator("h2")).to_contain_text("<script>alert(1)")
        area.get_by_role("button", name="Change").click()
        area.get_by_role("button", name="more", exact=True).click()
        expect(page.locator("#said")).to_contain_text("counts 2-fold now")
        expect(page.locator(".mine small").first).to_contain_text("counts 2-fold")
        for _ in range(2):
            page.get_by_role("button", name="Undo").click()
            expect(page.locator("#said")).to_have_text("The last change was taken back.")
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)
        things = page.locator(".things > li")
        before = things.count()
        things.first.locator("button").first.click()
        page.get_by_role("button", name="Delete this upload").locator("visible=true").click()
        expect(things).to_have_count(before - 1)
        page.locator("[popovertarget=add]").first.click()
        page.locator("[popovertarget=end]").first.click()
        expect(page.locator("#end")).to_contain_text("Nothing of it can be brought back")
        page.locator("#end").get_by_role("button", name="Delete everything").click()
        expect(page.locator("[name=agree]")).to_be_visible()
        expect(page.locator("#said")).to_contain_text("Everything of yours was deleted")
        assert page.context.cookies() == []


def test_what_was_written_survives_a_lost_connection_and_a_lost_cookie(browser: Browser, address: str) -> None:
    context = browser.new_context()  # whose console may complain of both
    try:
        page = context.new_page()
        written(page, address, "Storms at sea and ships in distress")
        context.set_offline(True)
        area = page.locator("section.area[id]").first
        area.get_by_role("button", name="Change").click()
        area.get_by_label("Name").fill("Wrecks")
        area.get_by_role("button", name="Rename").click()
        expect(page.locator("#said")).to_contain_text("could not be sent, so nothing was changed")
        expect(area.get_by_label("Name")).to_have_value("Wrecks")
        page.keyboard.press("Escape")
        context.set_offline(False)
        context.clear_cookies()
        page.locator("[popovertarget=add]").first.click()
        page.locator("#text").fill("Roses in a garden")
        page.locator("#adding button.first").click()
        expect(page.locator("#said")).to_contain_text("not known here, or not any more")
        expect(page.locator("#text")).to_have_value("Roses in a garden")
    finally:
        context.close()


def test_without_scripts_forms_do_the_same(browser: Browser, address: str, pictures: list[Path]) -> None:
    with window(browser, PHONE, java_script_enabled=False) as page:
        page.goto(address)
        page.locator("#files").set_input_files([*pictures[:1], *pictures[1:2]])
        page.locator("#text").fill("A rose near a hedge")
        page.locator("[name=agree]").check()
        page.locator("#adding button.first").click()
        expect(page.locator("#said")).to_have_text("3 uploads were taken in.")
        for _ in range(60):
            if page.locator("#areas").get_attribute("data-waiting") == "0":
                break
            page.wait_for_timeout(500)
            page.get_by_role("link", name="Look again").click()
        settled(page)
        area = page.locator("section.area").first
        area.get_by_role("button", name="Change").click()
        area.get_by_role("button", name="Mute").click()
        expect(page.locator("#said")).to_contain_text("is not listened to any more")
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#said")).to_have_text("The last change was taken back.")
        page.go_back()
        page.reload()
        assert overflow(page) <= 0


def test_keys_alone_rename_an_area(browser: Browser, address: str) -> None:
    with window(browser, DESK) as page:
        written(page, address, "A ship near the harbour")
        change = page.locator("section.area").get_by_role("button", name="Change")
        change.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("section.area").get_by_label("Name")).to_be_focused()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("Sea")
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("is called “Sea” now")
        expect(change).to_be_focused()


@pytest.mark.parametrize(("size", "scheme", "language"), [(DESK, "light", "en"), (PHONE, "dark", "de")])
def test_there_are_no_barriers(
    browser: Browser, address: str, axe: str, size: tuple[int, int], scheme: str, language: str
) -> None:
    with window(browser, size, color_scheme=scheme, bypass_csp=True) as page:
        page.goto(f"{address}?lang={language}")
        assert barriers(page, axe) == []
        assert overflow(page) <= 0
        written(page, f"{address}?lang={language}", "A ship near the harbour", "A rose near a hedge")
        assert barriers(page, axe) == []
        assert overflow(page) <= 0
        for opener in ("section.area .head > button", ".things button.bare", "[popovertarget=add]"):
            page.locator(opener).first.click()
            assert barriers(page, axe) == [], opener
            page.keyboard.press("Escape")
        small = page.evaluate(
            "() => [...document.querySelectorAll('main :is(a, button, input, select)')].map((each) =>"
            " [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])"
            ".filter(([, { width, height }]) => height && (height < 24 || width < 24)).map(([html]) => html)"
        )
        assert not [each for each in small if not re.search(r"Look again|<a href", each)]
