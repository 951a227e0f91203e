"""A whole study in a real browser: by mouse, by touch, by keyboard alone, and with scripts off."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.browser.conftest import Pages
from tests.browser.test_accessibility import barriers
from tests.browser.watching import DESK, PHONE, overflow
from tests.web.serving import run_command, served

from vernissage.storage.database import open_database
from vernissage.study.definition import definition_template, read_definition
from vernissage.study.records import Overview, StudyRecords

Size = tuple[int, int]
PASSWORD = "correct horse battery"  # noqa: S105
LISTS = 4


@dataclass(frozen=True)
class Running:
    """A study that a server of its own serves."""

    address: str
    study: Path
    database: Path

    def overview(self) -> Overview:
        opened = open_database(self.database)
        try:
            return StudyRecords(opened, read_definition(self.study)).overview()
        finally:
            opened.close()


@pytest.fixture(scope="module")
def running(painted: Pages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A study of two engines on painted works: three works rated, four lists of nine judged."""
    workspace, folder = painted.map.parent / "workspace", tmp_path_factory.mktemp("running")
    groups = ["The Sea and Its People", "City after Dark", "The Long Winter"]
    words = definition_template("study.toml", name="browser", engines=["lda", "colour-texture"], groups=groups)
    study, secret = folder / "study.toml", folder / "password"
    study.write_text(words.replace('# code = "C1ABCDEF"', 'code = "C1FINISHED"'), "utf-8")
    secret.write_text(PASSWORD)
    assert "can run" in run_command("study", "check", study, workspace)
    options = ("--database", str(folder / "answers.db"), "--password-file", str(secret))
    with served(workspace, study, *options) as (address, _):
        yield Running(address, study, folder / "answers.db")


@contextmanager
def window(browser: Browser, size: Size, **options: Any) -> Iterator[Page]:
    """A window whose pages must run without a word of complaint, but for answers of the server that say no."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    said: list[str] = []
    try:
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        assert [words for words in said if "status of 422" not in words] == []
    finally:
        context.close()


def questions(page: Page) -> Locator:
    return page.locator("fieldset:has(.scale)")


def answer_all(page: Page) -> None:
    """Click a different number for each question."""
    for number, question in enumerate(questions(page).all()):
        question.locator("label").nth(number % 5).click()


def go_on(page: Page, then: str, button: str = "Continue") -> None:
    page.get_by_role("button", name=button).click()
    page.wait_for_url(f"**/study/{then}")


def begin(page: Page, running: Running, name: str) -> None:
    page.goto(f"{running.address}/?PROLIFIC_PID={name}")
    expect(page).to_have_url(f"{running.address}/study/welcome")
    page.get_by_label("I have read this page").check()
    go_on(page, "elicitation", "Start")


def finish(page: Page) -> None:
    """Judge every list that is left."""
    first = int(page.url.rpartition("/")[2])
    for number in range(first, LISTS + 1):
        answer_all(page)
        go_on(page, f"assessment/{number + 1}" if number < LISTS else "thanks")
    expect(page.locator("#code")).to_have_text("C1FINISHED")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_by_mouse(browser: Browser, running: Running, size: Size, scripts: bool) -> None:
    before = running.overview().finished
    with window(browser, size, java_script_enabled=scripts) as page:
        begin(page, running, f"mouse-{size[0]}-{scripts}")
        assert page.locator("input:checked").count() == 0
        answer_all(page)
        go_on(page, "assessment/1")
        assert page.locator(".shown img").count() == 9
        if scripts:
            assert page.locator(".shown img").evaluate_all("all => all.every((each) => each.naturalWidth > 100)")
            assert overflow(page) == 0
        finish(page)
    assert running.overview().finished == before + 1


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until that is where the focus is; it must be visible there, and have a ring."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("wanted => wanted === document.activeElement"):
            break
    expect(wanted).to_be_focused()
    expect(wanted).to_be_in_viewport()
    assert wanted.evaluate(
        "each => [each, each.closest('label')].some((one) => one && getComputedStyle(one).outlineStyle !== 'none')"
    )


def test_by_keyboard_alone(browser: Browser, running: Running, size: Size) -> None:
    with window(browser, size) as page:
        page.goto(f"{running.address}/?PROLIFIC_PID=keys-{size[0]}")
        tab_to(page, page.locator(".skip"))
        tab_to(page, page.locator("#age"))
        page.keyboard.type("44")
        tab_to(page, page.locator("#consent"))
        page.keyboard.press("Space")
        tab_to(page, page.get_by_role("button", name="Start"))
        page.keyboard.press("Enter")
        page.wait_for_url("**/study/elicitation")
        enlarge_by_keyboard(page)
        for until in [*(f"assessment/{number}" for number in range(1, LISTS + 1)), "thanks"]:
            for number, question in enumerate(questions(page).all()):
                tab_to(page, question.locator("input").first)
                for key in ["Space", *["ArrowRight"] * (number % 5)]:
                    page.keyboard.press(key)
                expect(question.locator("input").nth(number % 5)).to_be_checked()
            tab_to(page, page.get_by_role("button", name="Continue"))
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/study/{until}")
        expect(page.locator("#code")).to_be_visible()


def enlarge_by_keyboard(page: Page) -> None:
    link, dialog = page.locator("a.enlarge").first, page.get_by_role("dialog")
    for key in ("Escape", "Enter"):
        tab_to(page, link) if key == "Escape" else None
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_role("button", name="Close")).to_be_focused()
        page.keyboard.press(key)
        expect(dialog).to_be_hidden()
        expect(link).to_be_focused()


def test_a_work_is_enlarged_by_click_and_by_tap(browser: Browser, running: Running, size: Size) -> None:
    with window(browser, size, has_touch=size == PHONE) as page:
        begin(page, running, f"large-{size[0]}")
        answer_all(page)
        go_on(page, "assessment/1")
        link, dialog = page.locator("a.enlarge").first, page.get_by_role("dialog")
        small = link.locator("img").bounding_box()
        link.tap() if size == PHONE else link.click()
        large = dialog.locator("img")
        expect(large).to_be_visible()
        expect(large).to_have_js_property("complete", True)
        box = large.bounding_box()
        assert small is not None
        assert box is not None
        assert box["width"] * box["height"] > 3 * small["width"] * small["height"]
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
        look_into(page, dialog)
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()
        expect(link).to_be_focused()


def look_into(page: Page, dialog: Locator) -> None:
    """Show the picture at full size where that is larger, move it by a key, and make it fit again."""
    picture, full = dialog.locator("img"), dialog.get_by_role("button", name="Full size")
    natural, shown = (picture.evaluate(f"(image) => image.{kind}Width") for kind in ("natural", "client"))
    if natural <= shown:
        expect(full).to_be_hidden()
        return
    full.click()
    expect(full).to_have_attribute("aria-pressed", "true")
    assert picture.evaluate("(image) => image.clientWidth") == natural
    view = dialog.get_by_role("group")
    middle = view.evaluate("(view) => view.scrollLeft")
    assert abs(2 * middle - (natural - shown)) <= 2
    view.focus()
    page.keyboard.press("ArrowRight")
    expect(view).not_to_have_js_property("scrollLeft", middle)
    picture.click()
    expect(full).to_have_attribute("aria-pressed", "false")
    assert picture.evaluate("(image) => image.clientWidth") == shown


def test_without_scripts_a_work_is_enlarged_in_a_tab_of_its_own(browser: Browser, running: Running) -> None:
    with window(browser, PHONE, java_script_enabled=False) as page:
        begin(page, running, "tab")
        page.locator("fieldset:has(.scale) label").first.click()
        with page.context.expect_page() as opened:
            page.locator("a.enlarge").first.click()
        expect(opened.value.locator("main img")).to_be_visible()
        assert re.search(r"/works/[\w-]{22}$", opened.value.url)
        opened.value.close()
        assert page.locator("input:checked").count() == 1


def test_a_missing_answer_is_told_and_led_to(browser: Browser, running: Running, size: Size) -> None:
    with window(browser, size) as page:
        begin(page, running, f"missing-{size[0]}")
        for question in questions(page).all()[1:]:
            question.locator("label").nth(2).click()
        page.get_by_role("button", name="Continue").click()
        summary = page.get_by_role("alert")
        expect(summary).to_be_focused()
        assert page.locator("input:checked").count() == 2
        summary.get_by_role("link").click()
        expect(questions(page).first.locator("input").first).to_be_focused()
        expect(questions(page).first).to_be_in_viewport()
        page.keyboard.press("Space")
        go_on(page, "assessment/1")


def test_a_double_click_answers_once(browser: Browser, running: Running) -> None:
    with window(browser, DESK) as page:
        begin(page, running, "double")
        for until in ["assessment/1", "assessment/2"]:
            answer_all(page)
            page.get_by_role("button", name="Continue").dblclick(no_wait_after=True)
            page.wait_for_url(f"**/study/{until}")
        page.goto(f"{running.address}/study")
        expect(page).to_have_url(f"{running.address}/study/assessment/2")
        finish(page)


def test_back_reload_and_a_second_tab(browser: Browser, running: Running) -> None:
    with window(browser, DESK) as page:
        begin(page, running, "back")
        answer_all(page)
        go_on(page, "assessment/1")
        page.reload()
        expect(page).to_have_url(re.compile("/assessment/1$"))
        other = page.context.new_page()
        other.goto(f"{running.address}/study/assessment/1")
        answer_all(page)
        go_on(page, "assessment/2")
        answer_all(other)
        other.get_by_role("button", name="Continue").click()
        other.wait_for_url("**/study/assessment/2")
        other.close()
        page.go_back()
        expect(page).to_have_url(re.compile("/assessment/2$"))
        page.goto(f"{running.address}/study/assessment/4")
        expect(page).to_have_url(re.compile("/assessment/2$"))
        finish(page)


def test_no_barrier_on_any_page(browser: Browser, running: Running, axe: str, size: Size) -> None:
    with window(browser, size) as page:
        page.goto(f"{running.address}/?PROLIFIC_PID=axe-{size[0]}")
        check(page, axe)
        page.get_by_label("Your age").fill("7")
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("alert")).to_be_visible()
        check(page, axe)
        page.get_by_label("Your age").fill("")
        page.get_by_label("I have read this page").check()
        go_on(page, "elicitation", "Start")
        check(page, axe)
        large = page.locator("a.enlarge").first.get_attribute("href")
        page.locator("a.enlarge").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        check(page, axe)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_be_visible()
        check(page, axe)
        answer_all(page)
        go_on(page, "assessment/1")
        check(page, axe)
        page.goto(f"{running.address}{large}")
        check(page, axe)
        page.goto(f"{running.address}/study")
        finish(page)
        check(page, axe)


def test_no_barrier_on_the_experimenters_pages(browser: Browser, running: Running, axe: str, size: Size) -> None:
    with window(browser, size) as page:
        page.goto(f"{running.address}/study/experimenter")
        check(page, axe)
        page.get_by_label("password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="How far")).to_be_visible()
        check(page, axe)
        page.get_by_label("Delete the participant").fill("nobody")
        page.get_by_role("button", name="Delete …").click()
        expect(page.get_by_role("link", name="Keep")).to_be_visible()
        check(page, axe)
        page.get_by_role("link", name="Keep").click()
        with page.expect_download() as loaded:
            page.get_by_role("link", name="long.csv").click()
        assert loaded.value.path().read_bytes().startswith(b"participant,engine,repetition,")


def check(page: Page, axe: str) -> None:
    """No barrier in light or dark, and nothing wider than the window."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert barriers(page, axe) == [], (page.url, scheme)
    assert overflow(page) == 0, page.url


def test_the_narrowest_phone(browser: Browser, running: Running) -> None:
    with window(browser, (320, 568)) as page:
        begin(page, running, "narrow")
        assert overflow(page) == 0
        answer_all(page)
        go_on(page, "assessment/1")
        assert overflow(page) == 0
        for label in page.locator(".scale label").all():
            box = label.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
        finish(page)
        assert overflow(page) == 0
