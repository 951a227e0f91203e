"""The documentation's site as it is read: nothing from another host, nothing wider than a phone, no barrier."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser.test_accessibility import barriers
from tests.browser.test_widget import site
from tests.browser.watching import DESK, PHONE, overflow

ROOT = Path(__file__).resolve().parents[2]
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, check=True)
    return folder


@pytest.fixture(scope="module")
def address(built: Path) -> Iterator[str]:
    with site(built, POLICY) as base:
        yield base


def test_pages_are_whole_on_a_phone(browser: Browser, address: str) -> None:
    window = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    page = window.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("response", lambda answer: said.extend([f"{page.url}: {answer.url}"] * (answer.status >= 400)))
    page.on("request", lambda request: said.extend([request.url] * (not request.url.startswith((address, "data:")))))
    for name in ("index", "afternoon", "platform", "rest", "package", "encoders", "evaluation", "notebooks/taste"):
        page.goto(f"{address}/{name}.html")
        assert overflow(page) <= 0, name
    assert said == []
    page.goto(f"{address}/index.html")
    page.locator("label[for='__search']").first.click()
    page.get_by_role("textbox", name="Search").press_sequentially("widget")  # it listens to keys alone
    page.locator(".md-search-result__link").first.click()
    assert page.url.startswith(address)
    window.close()


def test_no_page_loads_from_another_host(built: Path) -> None:
    pages = list(built.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        loaded = re.findall(
            r"<(?:link|script|img|iframe|source)\b[^>]*(?:src|href)=\"(https?:)?//[^>]*>", page.read_text("utf-8")
        )
        assert not loaded, page


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["index", "evaluation", "notebooks/taste"])
def test_a_page_has_no_barrier(
    browser: Browser, address: str, axe: str, name: str, size: tuple[int, int], scheme: str
) -> None:
    window = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = window.new_page()
    page.goto(f"{address}/{name}.html")
    assert barriers(page, axe) == []
    window.close()
