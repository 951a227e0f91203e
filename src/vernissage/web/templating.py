"""Pages of studies in the frame of all pages, and the files that they load, under addresses that change with them."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse

from vernissage.files import digest
from vernissage.pages.look import Look
from vernissage.pages.templating import environment
from vernissage.pages.visitor.frame import STYLE, Frame
from vernissage.pages.visitor.frame import static_file as pages_file
from vernissage.sentences import ENGLISH, Sentence
from vernissage.web.compression import packed

STATIC_TYPES: Mapping[str, str] = {
    STYLE: "text/css; charset=utf-8",
    "study.css": "text/css; charset=utf-8",
    "study.js": "text/javascript; charset=utf-8",
}


def page(template: str, status: int = 200, language: str = ENGLISH, **values: Any) -> HTMLResponse:
    """Fill ``template`` with ``values``, every text escaped, in the frame of all pages."""
    frame = Frame(Look(), "", lambda _: "/study", static_address, language)
    made = environment("vernissage.web").get_template(template)
    return HTMLResponse(made.render(frame=frame, _=Sentence, **values), status)


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
    """The content of one of `STATIC_TYPES`: the style sheet of all pages, and what is the study's own."""
    if name == STYLE:
        return pages_file(name) or b""
    return files("vernissage.web").joinpath("static", name).read_bytes()


@cache
def packed_file(name: str) -> bytes:
    """A `static_file`, compressed."""
    return packed(static_file(name))


@cache
def static_address(name: str) -> str:
    """Where the file is served; it may be kept for ever, because another content has another address."""
    return f"/study/static/{digest(static_file(name))[:12]}/{name}"
