"""Pages of a study in the frame of all pages, in the museum's own look."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from vernissage.pages.look import Look
from vernissage.pages.thumbnails import BytesCache
from vernissage.pages.visitor.frame import Frame, rendered, static_digest
from vernissage.sentences import ENGLISH, LANGUAGES, Sentence
from vernissage.web.compression import static_answer

_ONWARDS = (Sentence("Go on with the study"), "/study")


class Templates:
    """Fills templates; ``title`` is the study's, ``language`` that of its texts, and of ours where we have them."""

    def __init__(self, look: Look | None = None, title: str = "", language: str = ENGLISH) -> None:
        self._look, self._kept = look or Look(), BytesCache()
        language, _, _ = language.partition("-")
        told_in = language if language in LANGUAGES else ENGLISH
        self._frame = Frame(self._look, title, lambda _: "/study", self._address, told_in, package="vernissage.web")

    @property
    def english(self) -> "Templates":
        """The same in English, for the experimenter."""
        return Templates(self._look, self._frame.name)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Fill ``template`` with ``values``, every text escaped."""
        return HTMLResponse(rendered(template, self._frame, **values), status)

    def message(
        self, title: str, lines: Sequence[str], status: int, *, link: tuple[str, str] | None = _ONWARDS
    ) -> HTMLResponse:
        """A page of a few sentences with a link onwards: its words and its address."""
        return self.page("message.html", status, title=title, lines=lines, link=link)

    def no_such_page(self) -> HTMLResponse:
        """The answer to an unknown address."""
        return self.message(
            Sentence("There is no such page"), [Sentence("The address leads nowhere.")], HTTPStatus.NOT_FOUND
        )

    def static(self, request: Request, version: str, name: str) -> Response:
        """Style sheet, script, logo or font."""
        return static_answer(request, self._look, version, name, self._kept) or self.no_such_page()

    def _address(self, name: str) -> str:
        return f"/study/static/{static_digest(name, self._look)}/{name}"
