"""What stands in a catalogue never runs, and a page can load nothing, whatever gets into it."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Pages
from tests.browser.watching import Unasked, opened, overflow, showing
from tests.pages.reading import HOSTILE

Size = tuple[int, int]
KINDS = ("recommendations", "map")
_INTRUDE = """(address) => {
  const refused = [];
  document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
  const add = (tag, values) => document.body.append(Object.assign(document.createElement(tag), values));
  add("script", { textContent: "window.intruded = true" });
  add("script", { src: `${address}intruder.js` });
  add("img", { src: `${address}seen.png` });
  add("iframe", { src: address });
  add("link", { rel: "stylesheet", href: `${address}style.css` });
  document.body.insertAdjacentHTML("beforeend", "<b onclick='window.intruded = true'>x</b>");
  document.body.lastChild.click();
  fetch(address).catch(() => {});
  return new Promise((done) => setTimeout(done, 200))
    .then(() => [window.intruded === true, [...new Set(refused)].sort()]);
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_is_shown_as_text(browser: Browser, hostile: Pages, kind: str, size: Size) -> None:
    with opened(browser, getattr(hostile, kind), size) as page:
        expect(page.get_by_text(HOSTILE).first).to_be_visible()
        assert page.locator("img[src]:not([src^='data:'])").count() == 0
        assert overflow(page) <= 0


def test_hostile_text_is_shown_in_labels_of_the_map(browser: Browser, hostile: Pages, size: Size) -> None:
    with opened(browser, hostile.map, size) as page:
        page.get_by_label("Find a work").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.locator("#ring")).to_be_focused()
        expect(page.locator("#card .title")).to_have_text(HOSTILE)
        expect(page.locator("#card")).to_be_in_viewport(ratio=0.99)
        page.get_by_label("Find a work").fill(HOSTILE)
        expect(page.locator("#found")).to_have_text("Found: 12")
        assert overflow(page) <= 0


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A server that nobody may ask for anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def intrude(page: Page, elsewhere: socket.socket) -> tuple[bool, set[str], bytes]:
    """Put strange elements into a page: whether a script of theirs ran, what was refused, and what was asked for."""
    ran, refused = page.evaluate(_INTRUDE, f"http://127.0.0.1:{elsewhere.getsockname()[1]}/")
    return ran, set(refused), asked_for(elsewhere)


def asked_for(elsewhere: socket.socket) -> bytes:
    """What was sent to the server. A connection alone is Chromium's guess that a frame might be let in."""
    sent = b""
    with suppress(BlockingIOError):
        while True:
            connection, _ = elsewhere.accept()
            connection.settimeout(0.2)
            with connection, suppress(TimeoutError):
                sent += connection.recv(100)
    return sent


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_refuses_every_intruder(
    browser: Browser, painted: Pages, kind: str, elsewhere: socket.socket
) -> None:
    with showing(browser, getattr(painted, kind), Unasked()) as page:
        ran, refused, asked = intrude(page, elsewhere)
    assert not ran
    assert asked == b""
    assert refused >= {"connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem", "style-src-elem"}


def test_without_the_policy_the_same_intruders_get_in(
    browser: Browser, tmp_path: Path, elsewhere: socket.socket
) -> None:
    bare = tmp_path / "bare.html"
    bare.write_text("<!doctype html><title>Bare</title>", "utf-8")
    with showing(browser, bare, Unasked()) as page:
        ran, refused, asked = intrude(page, elsewhere)
    assert ran
    assert refused == set()
    assert asked.startswith(b"GET /")
