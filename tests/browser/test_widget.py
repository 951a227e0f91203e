"""The widget on a page of another origin under its documented policy, with a service and with files alone."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import Pages
from tests.browser.test_accessibility import barriers
from tests.browser.test_study import window
from tests.browser.watching import DESK, PHONE, overflow
from tests.web.serving import run_command, served

from vernissage.catalog.keys import key_of

SITE = Path(__file__).resolve().parents[2] / "examples" / "museum-site"


class WithPolicy(SimpleHTTPRequestHandler):
    """A plain file server that sends a content security policy."""

    policy = ""

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # which browsers ask for, and which there is none of
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def site(folder: Path, policy: str) -> Iterator[str]:
    handler = type("Handler", (WithPolicy,), {"policy": policy})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def filled(folder: Path, old: str, new: str) -> None:
    """The example with another address of the service."""
    for page in folder.glob("*.html"):
        page.write_text(page.read_text().replace(old, new).replace("v041", "v012"))


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_related_works_and_for_you_from_a_service(
    browser: Browser, painted: Pages, axe: str, tmp_path: Path, size: tuple[int, int]
) -> None:
    folder = Path(copytree(SITE, tmp_path / "site"))
    policy = "default-src 'none'; style-src 'self'; script-src {0}; img-src {0}; connect-src {0}"
    with site(folder, "") as placeholder:
        pass
    port = int(placeholder.rpartition(":")[2])
    with served(painted.map.parent / "workspace", None, "--allow-origin", f"http://127.0.0.1:{port}") as (api, _):
        filled(folder, "http://localhost:8000", api)
        handler = type("Handler", (WithPolicy,), {"policy": policy.format(api)})
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with window(browser, size) as page:
                page.goto(f"http://127.0.0.1:{port}/index.html")
                expect(page.locator("vernissage-related li")).to_have_count(6)
                assert overflow(page) == 0
                with page.expect_response(lambda answer: answer.headers.get("content-language") == "de"):
                    page.locator("vernissage-related").evaluate("element => element.setAttribute('lang', 'de-AT')")
                expect(page.locator("vernissage-related .title").first).to_have_attribute("lang", "en")
                page.goto(f"http://127.0.0.1:{port}/for-you.html")
                stars = page.locator("vernissage-for-you").get_by_role("button", name="5 of 5")
                expect(stars).to_have_count(9)
                stars.first.click()
                expect(page.locator("vernissage-for-you h2").first).to_have_text("For you")
                expect(page.locator("vernissage-for-you ol").first.locator("li")).to_have_count(9)
                page.reload()  # ratings are kept in the browser
                expect(page.locator("vernissage-for-you h2").first).to_have_text("For you")
            with window(browser, size, bypass_csp=True) as page:  # axe is evaluated, which the policy forbids
                page.goto(f"http://127.0.0.1:{port}/for-you.html")
                expect(page.locator("vernissage-for-you li").first).to_be_visible()
                assert barriers(page, axe) == []
        finally:
            server.shutdown()
            server.server_close()


def test_events_are_sent_where_the_attribute_says_so(browser: Browser, painted: Pages, tmp_path: Path) -> None:
    with site(tmp_path, "") as address:
        workspace = painted.map.parent / "workspace"
        with served(workspace, None, "--allow-origin", address) as (api, _), window(browser, DESK) as page:
            (tmp_path / "page.html").write_text(
                f'<!doctype html><script type="module" src="{api}/vernissage.js"></script>'
                f'<vernissage-for-you limit="3" api="{api}"></vernissage-for-you>'
            )
            told = list[str]()
            page.on("request", lambda sent: told.append(sent.post_data or "") if "/events" in sent.url else None)
            page.goto(f"{address}/page.html")
            widget = page.locator("vernissage-for-you")
            stars = widget.get_by_role("button", name="5 of 5")
            stars.first.click()
            expect(widget.locator("ol").first.locator("li")).to_have_count(3)
            assert told == []
            widget.evaluate("element => element.setAttribute('events', '')")
            with page.expect_response(lambda answer: "/events" in answer.url and answer.status == 202):
                stars.nth(1).click()
            with page.expect_response(lambda answer: "/events" in answer.url and answer.status == 202):
                widget.locator("ol").first.locator("a").first.click()
            assert ['"kind":"shown"' in told[0], '"kind":"opened"' in told[-1]] == [True, True]
            keep, hide = (widget.get_by_role("button", name=re.compile(f"^{words}: ")) for words in ("Keep", "Hide"))
            with page.expect_response(lambda answer: '"kind":"kept"' in (answer.request.post_data or "")):
                keep.first.click()
            expect(keep.first).to_be_focused()
            expect(widget.locator("h2").nth(1)).to_have_text("Kept")
            gone = widget.locator("ol").first.locator(".title").nth(1)
            title = gone.inner_text()
            with page.expect_response(lambda answer: '"kind":"hidden"' in (answer.request.post_data or "")):
                hide.nth(1).click()
            expect(gone).not_to_have_text(title)
            expect(widget.locator("ol").first.locator("li")).to_have_count(3)
            widget.get_by_role("button", name="Show hidden works again").click()
            expect(gone).to_have_text(title)
            widget.evaluate(
                "each => each.outerHTML = `<vernissage-related work='v012' api='${each.api}' events></vernissage-related>`"
            )
            with page.expect_response(lambda answer: "/events" in answer.url and answer.status == 202):
                pass
            expect(page.locator("vernissage-related li")).to_have_count(6)


def test_related_works_from_files_alone(browser: Browser, painted: Pages, axe: str, tmp_path: Path) -> None:
    run_command("publish", painted.map.parent / "workspace", tmp_path / "files", "--workers", "1")
    (tmp_path / "page.html").write_text(
        '<!doctype html><html lang="de"><meta charset="utf-8"><title>Werk</title>'
        '<script type="module" src="files/vernissage.js"></script><main><h1>Werk</h1>'
        '<vernissage-related work="v012" limit="3" files="files"></vernissage-related></main></html>'
    )
    with site(tmp_path, "default-src 'self'") as address, window(browser, DESK) as page:
        page.goto(f"{address}/page.html")
        expect(page.locator("vernissage-related li")).to_have_count(3)
        expect(page.locator("vernissage-related h2")).to_have_text("Ähnliche Werke")
        href = page.locator("vernissage-related a").first.get_attribute("href") or ""
        assert href.startswith(f"{address}/files/works/")
        page.goto(href)
        expect(page.locator("ul.strip > li").first).to_be_visible()
        assert overflow(page) == 0
    with site(tmp_path, "default-src 'self'") as address, window(browser, PHONE) as page:
        page.goto(f"{address}/files/for-you.html")
        widget = page.locator("vernissage-for-you-files")
        first = json.loads((tmp_path / "files" / "for-you.json").read_text())["works"][0]
        near = json.loads((tmp_path / "files" / "related" / f"{first['key']}.json").read_text())["works"]
        near = [work for work in near if work["score"] > 0]
        widget.get_by_role("button", name="5 of 5").first.click()
        expect(widget.locator("ol").first.locator(".title")).to_have_text([work["title"] for work in near])
        expect(widget.get_by_text(f"because you liked {first['title']}")).to_have_count(len(near))
        assert overflow(page) == 0
    with site(tmp_path, "") as address, window(browser, PHONE, bypass_csp=True) as page:  # axe reads the style sheet
        page.goto(f"{address}/files/works/v012.html")
        assert barriers(page, axe) == []
        page.goto(f"{address}/files/index.html")
        assert barriers(page, axe) == []


def test_pages_of_a_publication_open_from_disk(browser: Browser, painted: Pages, tmp_path: Path) -> None:
    run_command("publish", painted.map.parent / "workspace", tmp_path / "files", "--workers", "1")
    for size in (DESK, PHONE):
        with window(browser, size) as page:
            page.goto((tmp_path / "files" / "index.html").as_uri())
            page.locator("ul.grid a").first.click()
            expect(page.locator("h1")).to_be_visible()
            page.wait_for_function("[...document.images].every((each) => each.complete && each.naturalWidth > 0)")
            assert overflow(page) == 0


def test_the_widget_and_python_make_the_same_keys(browser: Browser, tmp_path: Path) -> None:
    run = Path(__file__).resolve().parents[2] / "src" / "vernissage" / "pages" / "static"
    ids = [
        "v041",
        "AIC/1934.12 é",
        "..",
        "con",
        "nul.jpg",
        "https://example.org/c/1",
        "x" * 450,
        "a" * 199 + ".b",
        "猫",
    ]
    with site(run, "") as address, window(browser, DESK) as page:
        page.goto(f"{address}/vernissage.js")
        page.goto("about:blank")
        page.goto(f"{address}/")
        found = page.evaluate(
            "async (ids) => { const m = await import('/vernissage.js'); return ids.map(m.keyOf); }", ids
        )
    assert found == [key_of(each) for each in ids]
