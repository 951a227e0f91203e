"""Opening a page as a visitor would, and noticing everything that it does unasked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, Locator, Page

DESK, PHONE = (1440, 900), (390, 844)
SIZES = (DESK, PHONE)


@dataclass
class Unasked:
    """What a page did beside showing itself."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def watch(self, page: Page, own: str) -> None:
        page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.extend([request.url] * (request.url.split("#")[0] != own)))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def opened(browser: Browser, file: Path, size: tuple[int, int] = DESK, **context: Any) -> Iterator[Page]:
    """Open ``file`` in a window of its own; on leaving it must have said, asked for and opened nothing at all."""
    unasked = Unasked()
    with showing(browser, file, unasked, size, **context) as page:
        yield page
    assert unasked == Unasked()


@contextmanager
def showing(
    browser: Browser, file: Path, unasked: Unasked, size: tuple[int, int] = DESK, **context: Any
) -> Iterator[Page]:
    """Open ``file`` and note in ``unasked`` what it does."""
    window = browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
    try:
        page = window.new_page()
        page.set_default_timeout(5000)
        unasked.watch(page, file.as_uri())
        page.goto(file.as_uri())
        yield page
    finally:
        window.close()


def two_frames(page: Page) -> None:
    """Wait until what was asked for is painted."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def middle(element: Locator) -> tuple[float, float]:
    """The middle of an element in the window."""
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
