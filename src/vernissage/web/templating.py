"""Pages from templates, and the style sheet and script that they load, under addresses that change with them."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse

from vernissage.files import digest
from vernissage.pages.templating import environment
from vernissage.web.compression import packed

STYLE = "study.css"
STATIC_TYPES: Mapping[str, str] = {STYLE: "text/css; charset=utf-8", "study.js": "text/javascript; charset=utf-8"}


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Fill ``template`` with ``values``, every text escaped."""
    made = environment("vernissage.web").get_template(template)
    return HTMLResponse(made.render(static=static_address, **values), status)


def message_page(
    title: str, lines: list[str], status: int, *, link: tuple[str, str] | None = ("Go on with the study", "/study")
) -> HTMLResponse:
    """A page of a few sentences with a link onwards: its words and its address."""
    return page("message.html", status, title=title, lines=lines, link=link)


def no_such_page() -> HTMLResponse:
    """The answer to an unknown address."""
    return message_page("There is no such page", ["The address leads nowhere."], HTTPStatus.NOT_FOUND)


@cache
def static_file(name: str) -> bytes:
    """The content of one of `STATIC_TYPES`; the style sheet begins with the one that all pages of Vernissage share."""
    own = files("vernissage.web").joinpath("static", name).read_bytes()
    if name != STYLE:
        return own
    return files("vernissage.pages").joinpath("templates", "page.css").read_bytes() + own


@cache
def packed_file(name: str) -> bytes:
    """A `static_file`, compressed."""
    return packed(static_file(name))


@cache
def static_address(name: str) -> str:
    """Where the file is served; it may be kept for ever, because another content has another address."""
    return f"/study/static/{digest(static_file(name))[:12]}/{name}"
